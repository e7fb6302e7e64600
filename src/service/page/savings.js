// What each tolerance is expected to save against the strictest tier: response time and machine time, as steps.

import { Chart, ticks } from "./chart.js";
import { element, part, percent, saving } from "./write.js";

/**
 * @typedef {import("./service.js").Tiers} Tiers
 * @typedef {import("./service.js").Rule} Rule
 */

/**
 * @param {Tiers} tiers
 * @param {string} objective
 * @param {number} tolerance the one asked for
 */
export function show(tiers, objective, tolerance) {
  const rules = tiers.tiers.filter((rule) => rule.objective === objective);
  const strict = rules[0];
  if (!strict) return;
  const response = (/** @type {Rule} */ rule) => saving(rule.response_seconds, strict.response_seconds);
  const cost = (/** @type {Rule} */ rule) => saving(rule.cost_seconds, strict.cost_seconds);
  const end = tiers.tolerances.step * tiers.tolerances.steps;
  const chart = axes(tiers, [...rules.map(response), ...rules.map(cost)]);
  chart.draw("line", { x1: chart.x(0), x2: chart.x(end), y1: chart.y(0), y2: chart.y(0), class: "axis" });
  const now = Math.min(tolerance, end);
  chart.draw("line", { x1: chart.x(now), x2: chart.x(now), y1: chart.y(chart.up.from), y2: chart.y(chart.up.to), class: "now" });
  const chosen = rules.filter((rule) => rule.tolerance <= tolerance).at(-1) ?? strict;
  for (const [kind, value] of /** @type {const} */ ([["cost", cost], ["response", response]])) {
    chart.draw("path", { d: steps(chart, rules, value, end), class: `saved ${kind}` });
    chart.draw("circle", { cx: chart.x(now), cy: chart.y(value(chosen)), r: 5, class: `mark ${kind}` });
  }
  part("savings", HTMLElement).replaceChildren(legend(), chart.root);
  part("savings-note", HTMLElement).textContent =
    `At ${percent(now, 3)}: ${percent(response(chosen), 0)} of the time to the answer and ${percent(cost(chosen), 0)} of the machine time of ${tiers.certificate.reference} alone are saved, as the rules expect. Below zero, the tier spends more.`;
}

/**
 * @param {Tiers} tiers
 * @param {number[]} values
 */
function axes(tiers, values) {
  const end = tiers.tolerances.step * tiers.tolerances.steps;
  const from = Math.min(0, ...values) - 0.05;
  const to = Math.max(0.1, ...values) + 0.05;
  return new Chart(
    { from: 0, to: end, ticks: ticks(0, end), write: (share) => percent(share), title: "tolerance" },
    { from, to, ticks: ticks(from, to), write: (share) => percent(share, 0), title: `saved against ${tiers.certificate.reference}` },
    { label: "Expected savings by tolerance; the table of tiers has the numbers.", width: part("savings", HTMLElement).clientWidth },
  );
}

/**
 * @param {Chart} chart
 * @param {Rule[]} rules
 * @param {(rule: Rule) => number} value
 * @param {number} end
 */
function steps(chart, rules, value, end) {
  const drawn = rules.map((rule, place) => {
    const y = chart.y(value(rule)).toFixed(1);
    return `${place === 0 ? "M" : "L"}${chart.x(rule.tolerance).toFixed(1)},${y}H${chart.x(rules[place + 1]?.tolerance ?? end).toFixed(1)}`;
  });
  return drawn.join("");
}

function legend() {
  const made = element("p", "", "keys");
  made.append(element("span", "time to the answer", "key response"), element("span", "machine time", "key cost"));
  return made;
}
