// The order of elements in a list, changed by as few moves as needed.

/** Puts these elements in this order at the head of a list; the focus stays where it was. */
export function arrange(list, nodes) {
  const focused = document.activeElement;
  let before = list.firstElementChild;
  for (const node of nodes) {
    if (node === before) before = before.nextElementSibling;
    else list.insertBefore(node, before);
  }
  if (focused !== document.activeElement && list.contains(focused)) focused.focus({ preventScroll: true });
}
