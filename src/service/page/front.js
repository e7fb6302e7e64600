// The Pareto front of the versions: errors by time. Marked are those that the tier may ask, and those that ran.

import { Chart, ticks } from "./chart.js";
import { fixed, number, part, row } from "./write.js";

/**
 * @typedef {import("./service.js").Tiers} Tiers
 * @typedef {import("./service.js").Version} Version
 */

/** Room around the front, as a share of its extent. */
const MARGIN = 0.12;

/**
 * @param {Tiers} tiers
 * @param {string[]} mayRun the versions that the tier may ask
 * @param {string[]} ran those that ran for the last answer
 */
export function show(tiers, mayRun, ran) {
  const versions = tiers.versions;
  if (versions.length === 0) {
    part("front", HTMLElement).textContent = "The model has no measured versions.";
    return;
  }
  const place = part("front", HTMLElement);
  const chart = axes(versions, place.clientWidth);
  const points = versions.map((version) => `${chart.x(version.response_seconds * 1e3)},${chart.y(version.wer_percent)}`);
  chart.draw("polyline", { points: points.join(" "), class: "front" });
  for (const version of versions) {
    const x = chart.x(version.response_seconds * 1e3);
    const y = chart.y(version.wer_percent);
    const kind = `point${mayRun.includes(version.name) ? " may" : ""}${ran.includes(version.name) ? " ran" : ""}`;
    const point = chart.draw("circle", { cx: x, cy: y, r: 6, class: kind });
    point.append(described(version));
    chart.draw("text", { x: x + 9, y: y - 8, class: "name" }, version.name);
  }
  place.replaceChildren(chart.root);
}

/** Lists the versions, and says on what they were measured. @param {Tiers} tiers */
export function list(tiers) {
  const rows = tiers.versions.map((version) =>
    row([
      version.name,
      fixed(version.wer_percent, 2),
      fixed(version.response_seconds * 1e3, 1),
      fixed(version.arcs_per_frame, 0),
      version.setting,
    ]),
  );
  part("versions", HTMLTableElement).tBodies[0]?.replaceChildren(...rows);
  const measured = tiers.measured_on ? `Measured on ${tiers.measured_on}. ` : "";
  part("front-note", HTMLElement).textContent = `${measured}Ringed: what the tier may ask. Filled: what ran for the text above.`;
}

/**
 * @param {Version[]} versions
 * @param {number} width
 */
function axes(versions, width) {
  const times = versions.map((version) => version.response_seconds * 1e3);
  const errors = versions.map((version) => version.wer_percent);
  const [least, most] = widened(Math.min(...errors), Math.max(...errors));
  const longest = Math.max(...times) * (1 + MARGIN);
  const label = `Word errors by mean time of ${versions.length} versions, from ${versions[0]?.name} to ${versions.at(-1)?.name}; the table below has the numbers.`;
  return new Chart(
    { from: 0, to: longest, ticks: ticks(0, longest), write: (ms) => number(ms), title: "mean time of an utterance, ms" },
    { from: least, to: most, ticks: ticks(least, most), write: (wer) => number(wer), title: "word errors, %" },
    { label, width },
  );
}

/**
 * @param {number} from
 * @param {number} to
 * @returns {[number, number]}
 */
function widened(from, to) {
  const room = (to - from || 1) * MARGIN;
  return [from - room, to + room];
}

/** @param {Version} version */
function described(version) {
  const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
  title.textContent = `${version.name}: ${number(version.wer_percent, 2)} % word errors, ${number(version.response_seconds * 1e3, 1)} ms`;
  return title;
}
