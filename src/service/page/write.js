// Numbers as people read them, and elements that hold text. Text goes in as text alone: words that were heard, and names
// in rules, may be anything.

/** The sign of per cent, which stays with its number. */
export const PERCENT = "\u00a0%";

/**
 * A share in per cent, such as 4.98 %.
 *
 * @param {number} share
 * @param {number} [digits] after the point, at most
 */
export function percent(share, digits = 1) {
  return number(share * 100, digits) + PERCENT;
}

/**
 * @param {number} value
 * @param {number} [digits] after the point, at most
 */
export function number(value, digits = 1) {
  // Without -0, which a share just below 0 rounds to.
  const rounded = Number(value.toFixed(digits)) + 0;
  return rounded.toLocaleString("en", { maximumFractionDigits: digits }).replace("-", "−");
}

/**
 * A number with as many digits after the point as its neighbours in a column.
 *
 * @param {number} value
 * @param {number} digits
 */
export function fixed(value, digits) {
  const rounded = Number(value.toFixed(digits)) + 0;
  const form = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return rounded.toLocaleString("en", form).replace("-", "−");
}

/** @param {number} ms */
export function milliseconds(ms) {
  return ms < 1000 ? `${number(ms, ms < 10 ? 2 : 1)} ms` : `${number(ms / 1000, 2)} s`;
}

/**
 * How much less than the whole a part is, as a share; below 0 where it is more.
 *
 * @param {number} part
 * @param {number} whole
 */
export function saving(part, whole) {
  return whole > 0 ? 1 - part / whole : 0;
}

/**
 * A saving in words.
 *
 * @param {number} share
 * @param {string} less such as "sooner"
 * @param {string} more such as "later"
 */
export function compared(share, less, more) {
  if (Math.abs(share) < 0.005) return `as ${less === "sooner" ? "soon" : "much"}`;
  return `${percent(Math.abs(share), 0)} ${share > 0 ? less : more}`;
}

/**
 * The element with this id, of the kind that the page's HTML says it is.
 *
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
export function part(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${kind.name} called ${id}`);
  return found;
}

/**
 * A new element with text.
 *
 * @template {keyof HTMLElementTagNameMap} N
 * @param {N} name
 * @param {string} [text]
 * @param {string} [className]
 * @returns {HTMLElementTagNameMap[N]}
 */
export function element(name, text = "", className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

/**
 * A row of a table; the first cell heads it.
 *
 * @param {(string | Node)[]} cells
 */
export function row(cells) {
  const made = element("tr");
  cells.forEach((content, place) => {
    const cell = element(place === 0 ? "th" : "td");
    if (place === 0) cell.setAttribute("scope", "row");
    cell.append(content);
    made.append(cell);
  });
  return made;
}
