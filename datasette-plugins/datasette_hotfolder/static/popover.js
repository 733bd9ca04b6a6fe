// A panel that hangs at a button: not modal, closed by Escape and by a click beside it.

const GAP_PX = 6;
const EDGE_PX = 8;

/**
 * Makes `button` open and close `panel`; `opened()` and `closed()` are called when it did. Who opened it by the pointer
 * is led back to what `panel` is about: the button tells "left", when the focus is nowhere else.
 */
export function startPopover(button, panel, { opened = () => {}, closed = () => {} } = {}) {
  const place = () => placeAt(panel, button);
  let isByPointer = false;
  panel.popover = "auto";
  panel.tabIndex = -1;
  panel.autofocus = true;
  button.popoverTargetElement = panel;
  button.setAttribute("aria-haspopup", "dialog");
  button.setAttribute("aria-expanded", "false");
  panel.addEventListener("keydown", (event) => event.stopPropagation()); // what is pressed here is not meant for the pictures
  panel.addEventListener("beforetoggle", ({ newState }) => newState === "open" && (place(), opened()));
  panel.addEventListener("toggle", ({ newState }) => {
    button.setAttribute("aria-expanded", String(newState === "open"));
    if (newState === "open") return;
    closed();
    if (isByPointer && [button, document.body].includes(document.activeElement)) button.dispatchEvent(new Event("left", { bubbles: true }));
  });
  button.addEventListener("click", ({ detail }) => (isByPointer = detail > 0));
  addEventListener("resize", () => panel.matches(":popover-open") && place());
}

/** Below the button, along the side of it that leaves more room. */
function placeAt(panel, button) {
  const { left, right, bottom } = button.getBoundingClientRect();
  const isOnTheLeft = left < innerWidth / 2;
  Object.assign(panel.style, {
    insetBlockStart: `${bottom + GAP_PX}px`,
    left: isOnTheLeft ? `${Math.max(EDGE_PX, left)}px` : "auto",
    right: isOnTheLeft ? "auto" : `${Math.max(EDGE_PX, innerWidth - right)}px`,
    maxBlockSize: `${innerHeight - bottom - GAP_PX - EDGE_PX}px`,
  });
}
