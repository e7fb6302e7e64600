// The tiers as a table; a tolerance in it moves the slider there.

import { inShort, inWords } from "./policy.js";
import { element, fixed, number, part, percent, PERCENT, row, saving } from "./write.js";

/**
 * @typedef {import("./service.js").Tiers} Tiers
 * @typedef {import("./service.js").Rule} Rule
 */

const section = part("tiers", HTMLElement);

/**
 * Lists the tiers of an objective.
 *
 * @param {Tiers} tiers
 * @param {string} objective
 * @param {(tolerance: number) => void} choose
 */
export function list(tiers, objective, choose) {
  const rules = tiers.tiers.filter((rule) => rule.objective === objective);
  const rows = rules.map((rule) => tierRow(rule, rules[0] ?? rule, choose));
  section.querySelector("tbody")?.replaceChildren(...rows);
  const { reference, reference_error_rate, requests, groups, date } = tiers.certificate;
  if (requests === 0) {
    part("tiers-note", HTMLElement).textContent = "There are no rules for this model, and nothing is certified.";
    return;
  }
  part("tiers-note", HTMLElement).textContent =
    `Errors are counted relative to those of ${reference} (${percent(reference_error_rate, 2)} of the words of ${number(requests)} recorded requests of ${groups} speakers, ${date}). Certificate ${tiers.id}.`;
}

/**
 * Marks the tier that serves.
 *
 * @param {Rule | undefined} rule
 */
export function mark(rule) {
  const scroller = section.querySelector(".scroll");
  for (const line of section.querySelectorAll("tbody tr")) {
    const serves = rule !== undefined && line.getAttribute("data-tolerance") === String(rule.tolerance);
    line.toggleAttribute("data-serves", serves);
    if (serves) line.setAttribute("aria-current", "true");
    else line.removeAttribute("aria-current");
    // Only the table moves: the page stays where its reader is.
    if (serves && scroller instanceof HTMLElement && line instanceof HTMLElement) {
      scroller.scrollTop = line.offsetTop - scroller.clientHeight / 2;
    }
  }
}

/**
 * @param {Rule} rule
 * @param {Rule} strict
 * @param {(tolerance: number) => void} choose
 */
function tierRow(rule, strict, choose) {
  const button = element("button", percent(rule.tolerance, 3), "link");
  button.type = "button";
  button.onclick = () => choose(rule.tolerance);
  const policy = element("span", inShort(rule.policy), "words");
  policy.title = inWords(rule.policy);
  const made = row([
    button,
    fixed(rule.bound * 100, 2) + PERCENT,
    fixed(rule.degradation * 100, 2) + PERCENT,
    policy,
    fixed(rule.response_seconds * 1e3, 1),
    percent(saving(rule.response_seconds, strict.response_seconds), 0),
    fixed(rule.cost_seconds * 1e3, 1),
    percent(saving(rule.cost_seconds, strict.cost_seconds), 0),
    percent(rule.escalated, 0),
  ]);
  made.setAttribute("data-tolerance", String(rule.tolerance));
  return made;
}
