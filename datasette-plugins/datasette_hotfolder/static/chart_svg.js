// SVG elements from values.

const SVG = "http://www.w3.org/2000/svg";

/** An SVG element with attributes and children (text or nodes). */
export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** A column whose upper corners are round when it is the topmost of its pile. */
export function column(x, y, width, height, isTop) {
  const radius = isTop ? Math.min(3, width / 2, height) : 0;
  return `M${x} ${y + height}V${y + radius}q0 ${-radius} ${radius} ${-radius}h${width - 2 * radius}q${radius} 0 ${radius} ${radius}V${y + height}z`;
}
