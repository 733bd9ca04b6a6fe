// How large a picture is shown, and which part of it: one framing that several panes may share.

const LARGEST = 8; // device pixels for one of the picture
const ENLARGED_TO_FIT = 2; // a small picture is not blown up further than this to fit
const STOPS = [0.05, 0.1, 0.25, 0.33, 0.5, 0.67, 1, 1.5, 2, 3, 4, 6, 8];
const NEARLY_FITS = 0.02;
const MIDDLE = { x: 0.5, y: 0.5 };

/** CSS pixels for one pixel of a picture {width, height} that fits a room {width, height}. */
export function fitScale(picture, room) {
  return Math.min(room.width / picture.width, room.height / picture.height, ENLARGED_TO_FIT);
}

/** The nearest place of a view's middle (0 to 1, on one axis) at which nothing beside the picture shows needlessly. */
export function clampMiddle(middle, shown, room) {
  const half = room / 2 / shown;
  return half >= 0.5 ? 0.5 : Math.min(1 - half, Math.max(half, middle));
}

/** Where a picture stands in a pane: {left, top, width, height} in CSS pixels, on whole device pixels. */
export function place(picture, pane, scale, middle, ratio) {
  const width = picture.width * scale;
  const height = picture.height * scale;
  const snap = (value) => Math.round(value * ratio) / ratio;
  return {
    left: snap(pane.width / 2 - clampMiddle(middle.x, width, pane.width) * width),
    top: snap(pane.height / 2 - clampMiddle(middle.y, height, pane.height) * height),
    width,
    height,
  };
}

/** The middle of the view after a change of scale that leaves the picture's point under {x, y} where it is. */
export function middleAround(point, box, pane, growth) {
  const along = (at, start, size, room) => clampMiddle((room / 2 - at) / (size * growth) + (at - start) / size, size * growth, room);
  return { x: along(point.x, box.left, box.width, pane.width), y: along(point.y, box.top, box.height, pane.height) };
}

/** The next larger or smaller of the round levels, the fitting one among them. */
export function nextStop(level, step, fit) {
  const stops = [...STOPS, fit].sort((a, b) => a - b);
  const found = step > 0 ? stops.find((each) => each > level * 1.01) : stops.findLast((each) => each < level * 0.99);
  return found ?? level;
}

/** The level and the middle of the view; tells "changed". */
export class Zoom extends EventTarget {
  #level = null;
  #middle = MIDDLE;

  /** Device pixels for one pixel of the picture (1 is 100 %); null when the picture is to fit. */
  get level() {
    return this.#level;
  }

  get middle() {
    return this.#middle;
  }

  get fits() {
    return this.#level === null;
  }

  fit() {
    this.#set(null, MIDDLE);
  }

  /** `fit` is the level at which the picture fits: near it, it snaps there. */
  show(level, middle, fit) {
    const bounded = Math.min(Math.max(level, Math.min(fit, 1)), Math.max(fit, LARGEST));
    if (Math.abs(bounded / fit - 1) < NEARLY_FITS) this.fit();
    else this.#set(bounded, middle);
  }

  moveTo(middle) {
    this.#set(this.#level, middle);
  }

  #set(level, middle) {
    this.#level = level;
    this.#middle = middle;
    this.dispatchEvent(new CustomEvent("changed"));
  }
}
