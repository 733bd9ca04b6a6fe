// The lines between the pictures of a lineage.

const SVG = "http://www.w3.org/2000/svg";

/** Draws links as curves behind the cards of a graph, wherever these stand. */
export class LineageLines {
  #graph;
  #links = [];
  #keys = new Map(); // line -> the keys of the pictures it joins
  #cardOf;
  #drawing = svg("svg", { class: "lines", "aria-hidden": "true", focusable: "false" });

  constructor(graph) {
    this.#graph = graph;
    new ResizeObserver(() => this.#draw()).observe(graph);
    for (const [type, isOn] of [["mouseover", true], ["mouseout", false], ["focusin", true], ["focusout", false]])
      graph.addEventListener(type, ({ target }) => this.#light(target.closest("[data-key]")?.dataset.key, isOn));
  }

  show(links, cardOf) {
    this.#links = links;
    this.#cardOf = cardOf;
    this.#draw();
  }

  #draw() {
    this.#drawing.remove();
    const { scrollWidth, scrollHeight } = this.#graph;
    const frame = this.#graph.getBoundingClientRect();
    const origin = { x: frame.left - this.#graph.scrollLeft, y: frame.top - this.#graph.scrollTop };
    for (const [name, value] of [["width", scrollWidth], ["height", scrollHeight]]) this.#drawing.setAttribute(name, value);
    this.#keys.clear();
    for (const link of this.#links) this.#curve(link, origin);
    this.#drawing.replaceChildren(...this.#keys.keys());
    this.#graph.prepend(this.#drawing);
  }

  /** Pictures that stand in a box of many have one line for all. */
  #curve({ source, target }, origin) {
    const [from, to] = [source, target].map((key) => anchorOf(this.#cardOf(key)).getBoundingClientRect());
    const [x, y] = [from.right - origin.x, (from.top + from.bottom) / 2 - origin.y];
    const [endX, endY] = [to.left - origin.x, (to.top + to.bottom) / 2 - origin.y];
    const bend = Math.max(24, Math.abs(endX - x) / 2);
    this.#add(`M${x} ${y} C${x + bend} ${y} ${endX - bend} ${endY} ${endX} ${endY}`, [source, target]);
  }

  #add(shape, keys) {
    const same = [...this.#keys.keys()].find((line) => line.getAttribute("d") === shape);
    const line = same ?? svg("path", { d: shape });
    this.#keys.set(line, new Set([...(this.#keys.get(line) ?? []), ...keys]));
  }

  #light(key, isOn) {
    for (const [line, keys] of this.#keys) if (keys.has(key)) line.classList.toggle("lit", isOn);
  }
}

const anchorOf = (card) => card.closest("ol.many") ?? card;

function svg(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}
