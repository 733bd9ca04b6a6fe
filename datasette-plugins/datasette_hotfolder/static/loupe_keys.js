// Keys that only the loupe has: those that are held, those that pan, and Tab, which stays inside.

const COMMANDS = { l: "keepZoom", y: "divider" };
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const FOCUSABLE = "a[href], button:not(:disabled), input:not(:disabled), select, textarea, summary, [role=slider]";
const ELSEWHERE = "dialog[open], [role=menu]:not([hidden])";

/**
 * Calls `commands[name]()` while `isOpen()`, unless somebody types or a dialog is open; `pressed` and `released` get the
 * instant of the key that shows the picture before. `roots()` are the elements among which Tab goes round.
 */
export function startLoupeKeys(isOpen, roots, commands) {
  const mayAct = () => isOpen() && !document.querySelector(ELSEWHERE);
  document.body.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || !mayAct()) return;
    if (event.key === "Tab") return goRound(event, roots());
    const run = event.target.closest?.("input, textarea, select, [contenteditable]") ? null : commandFor(event, commands);
    if (!run) return;
    event.preventDefault();
    run();
  });
  document.body.addEventListener("keyup", ({ key, timeStamp }) => key === "\\" && isOpen() && commands.released(timeStamp));
}

function commandFor(event, commands) {
  const { key, repeat, timeStamp } = event;
  if (key === "\\" && !event.metaKey) return () => repeat || commands.pressed(timeStamp); // AltGr tells Ctrl and Alt
  if (event.ctrlKey || event.altKey || event.metaKey) return null;
  if (event.shiftKey && key in ARROWS) return () => commands.pan(...ARROWS[key]);
  return commands[COMMANDS[key.toLowerCase()]];
}

function goRound(event, roots) {
  const stops = roots.flatMap((root) => [...root.querySelectorAll(FOCUSABLE)]).filter((each) => each.tabIndex >= 0 && each.checkVisibility({ visibilityProperty: true }));
  const place = stops.indexOf(document.activeElement);
  const isAtEnd = event.shiftKey ? place <= 0 : place === stops.length - 1;
  if (!isAtEnd || !stops.length) return;
  event.preventDefault();
  stops.at(event.shiftKey ? -1 : 0).focus();
}
