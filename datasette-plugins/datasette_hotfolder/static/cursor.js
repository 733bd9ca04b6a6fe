// The cursor of the grid: which key takes it where, and what is chosen on the way.

const STEPS = {
  ArrowLeft: () => -1,
  ArrowRight: () => 1,
  ArrowUp: (grid) => -grid.columns,
  ArrowDown: (grid) => grid.columns,
  PageUp: (grid) => -grid.columns * grid.rowsInSight,
  PageDown: (grid) => grid.columns * grid.rowsInSight,
};
const ENDS = { Home: 0, End: -1 };

const OWN_KEYS = "[role=menu], [role=listbox], [role=tablist], [role=radiogroup], .ref"; // buttons there go on by arrows

/** Moves the cursor while `isActive()`; keys meant for other controls are left alone. */
export function startCursor({ set, selection, grid }, isActive) {
  async function go(event) {
    const { key, shiftKey, ctrlKey } = event;
    const hasMoved = await (key in ENDS ? set.moveTo(ENDS[key]) : set.move(STEPS[key](grid)));
    if (!hasMoved) return;
    if (shiftKey) await selection.extendTo(set.currentPlace);
    else if (!ctrlKey && set.current) selection.begin(set.current);
    grid.reveal();
    grid.focusCurrent();
  }

  const commandFor = ({ key, ctrlKey, metaKey, shiftKey }) => {
    if ((ctrlKey || metaKey) && !shiftKey && key.toLowerCase() === "a") return () => selection.selectAll();
    if (metaKey) return null;
    if (key === " " && set.current) return () => selection.toggle(set.current);
    return key in STEPS || key in ENDS ? go : null;
  };

  /** Before anybody else: other keys of the page are the same keys with other meanings. */
  const press = (event) => {
    if (event.isComposing || event.altKey || !isActive() || isElsewhere(event)) return;
    const run = commandFor(event);
    if (!run) return;
    event.preventDefault();
    run(event);
  };
  document.addEventListener("keydown", press, { capture: true });
}

/** In another control, which has keys of its own; a plain button has but one that the grid knows too. */
function isElsewhere({ target, key }) {
  if (document.querySelector("dialog[open], :popover-open")) return true;
  const control = target.closest?.("a, button, input, select, textarea, summary, [contenteditable], [role]");
  if (!control || control.closest("#grid")) return false;
  return key === " " || !control.matches("button:not([role]), a:not([role])") || Boolean(control.closest(OWN_KEYS));
}
