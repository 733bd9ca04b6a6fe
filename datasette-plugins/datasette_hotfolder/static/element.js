// Builds DOM elements from values, never from markup.

/** An element with attributes (a function is a listener, false and null are left out) and children (text or nodes). */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** The element of the page with this id. */
export const byId = (id) => document.getElementById(id);

/** Sets a text only when it differs, so that nothing is drawn or read out again for nothing. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
