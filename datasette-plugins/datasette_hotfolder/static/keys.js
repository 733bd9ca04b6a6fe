// Which key means what; none while somebody types or a dialog is open, but those that begin or send a prompt.

const COMMANDS = {
  p: "pick",
  x: "reject",
  u: "unmark",
  i: "info",
  g: "grid",
  e: "open",
  c: "compare",
  f: "fullScreen",
  z: "zoom",
  s: "search",
  a: "accept",
  d: "discard",
  n: "advance",
  "?": "help",
  "+": "zoomIn",
  "=": "zoomIn",
  "-": "zoomOut",
  Enter: "open",
  Escape: "close",
  Delete: "trash",
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down",
  Home: "first",
  End: "last",
  PageUp: "pageUp",
  PageDown: "pageDown",
};
const WITH_SHIFT = { ArrowLeft: "extendLeft", ArrowRight: "extendRight", ArrowUp: "extendUp", ArrowDown: "extendDown", I: "import" };
const WITH_CTRL = { g: "generate", i: "info", k: "prompt", z: "undo", a: "selectAll", 1: "grid", 2: "open", Enter: "submit" };
const WHILE_TYPING = new Set(["generate", "prompt", "submit"]);
const LABELS = { 6: "red", 7: "yellow", 8: "green", 9: "blue" };
const NOT_TYPED_IN = new Set(["range", "checkbox", "radio", "button", "submit"]);

/**
 * Calls `commands[name](event)` for a key, `commands.rate(stars, advance)` for a digit and `commands.label(name)` for
 * 6 to 9; what is not there is left alone, and so is a key whose command returns false.
 */
export function startKeys(commands) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.altKey) return;
    const run = event.ctrlKey || event.metaKey ? withControl(event, commands) : plain(event, commands);
    if (run && run() !== false) event.preventDefault();
  });
}

function withControl(event, commands) {
  const name = event.shiftKey ? undefined : WITH_CTRL[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!commands[name] || isDialogOpen()) return null;
  if (isTyping(event.target) && !WHILE_TYPING.has(name)) return null;
  return () => commands[name](event);
}

function plain(event, commands) {
  if (isDialogOpen() || isTyping(event.target) || isTaken(event)) return null;
  return digit(event, commands) ?? named(event, commands);
}

/** With Shift a digit goes on to the next picture; where digits need Shift, it is the digit that counts. */
function digit({ key, code, shiftKey }, commands) {
  const shifted = shiftKey && /^Digit[0-9]$/.test(code) && !/^[0-9]$/.test(key);
  const value = shifted ? code.slice(-1) : key;
  if (/^[0-5]$/.test(value) && commands.rate) return () => commands.rate(Number(value), shifted);
  return LABELS[value] && commands.label ? () => commands.label(LABELS[value]) : null;
}

function named(event, commands) {
  const { key, shiftKey } = event;
  const withShift = shiftKey ? commands[WITH_SHIFT[key]] : undefined;
  const command = withShift ?? commands[COMMANDS[key.length === 1 ? key.toLowerCase() : key]];
  return command ? () => command(event) : null;
}

const isDialogOpen = () => Boolean(document.querySelector("dialog[open], [role=menu]:not([hidden]), :popover-open"));

function isTyping(target) {
  if (target.isContentEditable || target.matches?.("textarea, select")) return true;
  return Boolean(target.matches?.("input")) && !NOT_TYPED_IN.has(target.type);
}

/** Keys that belong to the control in focus: Enter to a button, the arrows to a slider. */
function isTaken({ key, target }) {
  if (key === "Enter" || key === " ") return Boolean(target.closest?.("a, summary, button:not(.cell)"));
  if (!/^(Arrow|Home|End|Page)/.test(key)) return false;
  return Boolean(target.closest?.("input[type=range], input[type=radio], [role=slider], [role=listbox]:not(#grid), [role=tablist]"));
}
