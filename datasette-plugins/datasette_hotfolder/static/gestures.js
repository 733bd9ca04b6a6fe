// What a mouse, fingers and a trackpad ask for over the pictures: zoom, pan, swipe, and a double click.

const WHEEL_SPEED = 0.0018;
const PINCH_SPEED = 0.01; // trackpads tell a pinch as a wheel with Ctrl
const LINE_PX = 16;
const SWIPE_PX = 56;
const SWIPE_DOWN_PX = 90;

/**
 * Follows pointers over an element. `does` has mayPan(), pan(dx, dy), zoom(factor, point), toggle(point),
 * nudge(dx, dy) while a finger swipes, and swipe("left" | "right" | "down") when it did.
 */
export class Gestures {
  #does;
  #area;
  #pointers = new Map(); // pointer id -> where it is
  #swiped = null; // how far a finger went since it touched

  constructor(area, does) {
    this.#area = area;
    this.#does = does;
    area.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    area.addEventListener("pointerdown", (event) => this.#down(event));
    area.addEventListener("pointermove", (event) => this.#move(event));
    for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) area.addEventListener(type, (event) => this.#up(event));
    area.addEventListener("dblclick", (event) => isControl(event.target) || does.toggle(pointOf(event)));
  }

  #wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PX : 1;
    const speed = event.ctrlKey ? PINCH_SPEED : WHEEL_SPEED;
    this.#does.zoom(Math.exp(-event.deltaY * lines * speed), pointOf(event));
  }

  #down(event) {
    if (event.button !== 0 || isControl(event.target)) return;
    this.#pointers.set(event.pointerId, pointOf(event));
    const mayDragOut = event.pointerType === "mouse" && !this.#does.mayPan();
    if (!mayDragOut) this.#area.setPointerCapture(event.pointerId);
    const isSwipe = event.pointerType !== "mouse" && this.#pointers.size === 1 && !this.#does.mayPan();
    if (!isSwipe) this.#endSwipe();
    this.#swiped = isSwipe ? { x: 0, y: 0 } : null;
  }

  #move(event) {
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    if (!event.buttons) return this.#up(event); // it was let go elsewhere
    const now = pointOf(event);
    if (this.#pointers.size === 2) this.#pinch(event.pointerId, before, now);
    else if (this.#swiped) this.#follow(now.x - before.x, now.y - before.y);
    else if (this.#does.mayPan()) this.#does.pan(now.x - before.x, now.y - before.y);
    this.#pointers.set(event.pointerId, now);
  }

  /** Two fingers pull the picture along as well as apart. */
  #pinch(pointerId, before, now) {
    const [, other] = [...this.#pointers].find(([each]) => each !== pointerId);
    const apart = Math.hypot(before.x - other.x, before.y - other.y);
    const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
    if (apart > 0) this.#does.zoom(Math.hypot(now.x - other.x, now.y - other.y) / apart, middle);
    if (this.#does.mayPan()) this.#does.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
  }

  #follow(dx, dy) {
    this.#swiped = { x: this.#swiped.x + dx, y: this.#swiped.y + dy };
    this.#does.nudge(this.#swiped.x, Math.max(0, this.#swiped.y));
  }

  #up(event) {
    if (!this.#pointers.delete(event.pointerId)) return;
    const swiped = this.#swiped;
    this.#endSwipe();
    const direction = swiped && event.type !== "pointercancel" && directionOf(swiped);
    if (direction) this.#does.swipe(direction);
  }

  #endSwipe() {
    if (this.#swiped) this.#does.nudge(0, 0);
    this.#swiped = null;
  }
}

const pointOf = ({ clientX, clientY }) => ({ x: clientX, y: clientY });
const isControl = (target) => Boolean(target.closest("button, [role=slider]"));

function directionOf({ x, y }) {
  if (Math.abs(x) > SWIPE_PX && Math.abs(x) > 1.5 * Math.abs(y)) return x < 0 ? "left" : "right";
  return y > SWIPE_DOWN_PX && y > 1.5 * Math.abs(x) ? "down" : null;
}
