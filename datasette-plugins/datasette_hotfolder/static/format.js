// Numbers, instants and durations as people read them.

const NUMBER = new Intl.NumberFormat("en");
const INSTANT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
const CLOCK = new Intl.DateTimeFormat("en-GB", { timeStyle: "short" });
const EXACT_CLOCK = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

export const formatNumber = (value) => NUMBER.format(value);

/** "1 picture", "12,904 pictures". */
export const formatCount = (count, noun) => `${NUMBER.format(count)} ${noun}${count === 1 ? "" : "s"}`;

/** A date and time of this place, or only the time when it was today. */
export function formatInstant(iso, now = new Date()) {
  const instant = new Date(iso);
  if (Number.isNaN(instant.getTime())) return "";
  return (instant.toDateString() === now.toDateString() ? CLOCK : INSTANT).format(instant);
}

/** A time of this place to the second: "14:03:12". */
export const formatClock = (iso) => EXACT_CLOCK.format(new Date(iso));

/** "0.4 s", "6 s", "2 min 5 s", "1 h 12 min". */
export function formatSeconds(seconds) {
  if (seconds < 10) return `${Math.round(seconds * 10) / 10} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.round((whole % 3600) / 60)} min`;
}

/** "812 bytes", "34 kB", "1.6 MB". */
export function formatBytes(bytes) {
  if (bytes < 1000) return formatCount(bytes, "byte");
  const [divisor, unit] = bytes < 1e6 ? [1e3, "kB"] : bytes < 1e9 ? [1e6, "MB"] : [1e9, "GB"];
  const value = bytes / divisor;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}
