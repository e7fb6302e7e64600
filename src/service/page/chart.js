// Axes of a drawing: what scales, ticks and labels both drawings of the page share.

/** @typedef {{from: number, to: number, ticks: number[], write: (value: number) => string, title: string}} Axis */

/** Narrower, labels would meet. */
const LEAST_WIDTH = 300;
const HEIGHT = 320;
const LEFT = 62;
const RIGHT = 18;
const TOP = 16;
const BOTTOM = 52;

/**
 * A new SVG element.
 *
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 * @param {string} [text]
 */
export function svg(name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, String(value));
  if (text !== undefined) made.textContent = text;
  return made;
}

/**
 * Round numbers in a range, some five of them.
 *
 * @param {number} from
 * @param {number} to
 */
export function ticks(from, to) {
  const rough = (to - from) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const found = [];
  for (let place = Math.ceil(from / step - 1e-9); place * step <= to + step * 1e-9; place += 1) found.push(place * step);
  return found;
}

/** Axes, and where a value lies on them. */
export class Chart {
  /**
   * @param {Axis} across
   * @param {Axis} up
   * @param {{label: string, width: number}} drawing what it shows, for who cannot see it, and its place's width in pixels
   */
  constructor(across, up, { label, width }) {
    this.width = Math.max(LEAST_WIDTH, width);
    this.across = across;
    this.up = up;
    this.root = svg("svg", { viewBox: `0 0 ${this.width} ${HEIGHT}`, role: "img", "aria-label": label });
    this.#drawAcross();
    this.#drawUp();
  }

  /** @param {number} value */
  x(value) {
    return LEFT + ((value - this.across.from) / (this.across.to - this.across.from)) * (this.width - LEFT - RIGHT);
  }

  /** @param {number} value */
  y(value) {
    return HEIGHT - BOTTOM - ((value - this.up.from) / (this.up.to - this.up.from)) * (HEIGHT - TOP - BOTTOM);
  }

  /**
   * Draws on top of what is there.
   *
   * @param {string} name
   * @param {Record<string, string | number>} attributes
   * @param {string} [text]
   */
  draw(name, attributes, text) {
    const made = svg(name, attributes, text);
    this.root.append(made);
    return made;
  }

  #drawAcross() {
    const foot = HEIGHT - BOTTOM;
    for (const tick of this.across.ticks) {
      const x = this.x(tick);
      this.draw("line", { x1: x, x2: x, y1: TOP, y2: foot, class: "grid" });
      this.draw("text", { x, y: foot + 18, class: "tick middle" }, this.across.write(tick));
    }
    this.draw("line", { x1: LEFT, x2: this.width - RIGHT, y1: foot, y2: foot, class: "axis" });
    this.draw("text", { x: (LEFT + this.width - RIGHT) / 2, y: HEIGHT - 10, class: "title middle" }, this.across.title);
  }

  #drawUp() {
    for (const tick of this.up.ticks) {
      const y = this.y(tick);
      this.draw("line", { x1: LEFT, x2: this.width - RIGHT, y1: y, y2: y, class: "grid" });
      this.draw("text", { x: LEFT - 8, y: y + 4, class: "tick end" }, this.up.write(tick));
    }
    const middle = (TOP + HEIGHT - BOTTOM) / 2;
    this.draw("text", { x: 16, y: middle, transform: `rotate(-90 16 ${middle})`, class: "title middle" }, this.up.title);
  }
}
