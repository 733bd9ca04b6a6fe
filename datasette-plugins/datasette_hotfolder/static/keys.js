// Which key means what; none while somebody types or a dialog is open.

const COMMANDS = {
  p: "pick",
  x: "reject",
  u: "unmark",
  i: "info",
  "?": "help",
  Enter: "open",
  Escape: "close",
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down",
  Home: "first",
  End: "last",
};
const NOT_TYPED_IN = new Set(["range", "checkbox", "radio", "button", "submit"]);

/** Calls `commands[name]()` for a key, and `commands.rate(stars)` for a digit; what is not there is left alone. */
export function startKeys(commands) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    if (document.querySelector("dialog[open]") || isTyping(event.target) || isTaken(event)) return;
    const run = commandFor(event.key, commands);
    if (!run) return;
    event.preventDefault();
    run();
  });
}

function commandFor(key, commands) {
  if (/^[0-5]$/.test(key)) return () => commands.rate(Number(key));
  return commands[COMMANDS[key.length === 1 ? key.toLowerCase() : key]];
}

function isTyping(target) {
  if (target.isContentEditable || target.matches?.("textarea, select")) return true;
  return Boolean(target.matches?.("input")) && !NOT_TYPED_IN.has(target.type);
}

/** Keys that belong to the control in focus: Enter to a button, the arrows to a slider. */
function isTaken({ key, target }) {
  if (key === "Enter") return Boolean(target.closest?.("a, button:not(.cell)"));
  return Boolean(target.matches?.("input[type=range]")) && /^(Arrow|Home|End)/.test(key);
}
