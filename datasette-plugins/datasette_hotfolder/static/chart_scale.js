// Axes: round numbers to write beside them, and where they stand.

const STEPS = [1, 2, 2.5, 5, 10];
const TENTHS = [1, 2, 5, 10];
const SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800];

/** About `count` round numbers from 0 up to at least `max`. */
export function ticksFor(max, count = 4, steps = STEPS) {
  const power = 10 ** Math.floor(Math.log10(max / count || 1));
  const step = steps.map((each) => each * power).find((each) => each * count >= max) ?? 10 * power;
  return upTo(max, step);
}

/** The same for whole things. */
export const wholeTicksFor = (max, count = 4) => (max <= count ? upTo(Math.max(max, 1), 1) : ticksFor(max, count).filter(Number.isInteger));

/** The same for shares, of which a tenth of a percent is the least that is written. */
export const shareTicksFor = (max) => (max > 0.5 ? [0, 0.25, 0.5, 0.75, 1] : ticksFor(Math.max(max, 0.004), 4, TENTHS));

/** The same for milliseconds: round seconds, minutes, hours. */
export function timeTicksFor(max, count = 4) {
  const seconds = max / 1000;
  if (seconds <= count) return ticksFor(Math.max(max, 1), count);
  const step = SECONDS.find((each) => each * count >= seconds) ?? 604_800 * Math.ceil(seconds / count / 604_800);
  return upTo(max, step * 1000);
}

function upTo(max, step) {
  const last = Math.max(1, Math.ceil(max / step - 1e-9));
  return Array.from({ length: last + 1 }, (_, place) => Number((place * step).toPrecision(12)));
}

/** Which of `count` labels to write so that each has `room` pixels, the last one always among them. */
export function labelled(count, width, room) {
  const every = Math.max(1, Math.ceil((count * room) / Math.max(width, 1)));
  return (place) => (count - 1 - place) % every === 0;
}
