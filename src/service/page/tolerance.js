// The slider and the objective: which tier serves, and what it promises.

import { inWords } from "./policy.js";
import { compared, part, percent, PERCENT, saving } from "./write.js";

/**
 * @typedef {import("./service.js").Tiers} Tiers
 * @typedef {import("./service.js").Rule} Rule
 * @typedef {import("./service.js").Ask} Ask
 */

/** Where the slider stands at first. */
const USUAL = 0.05;

const slider = part("tolerance", HTMLInputElement);
const shown = part("tolerance-shown", HTMLOutputElement);
const objectives = part("objective", HTMLFieldSetElement);

/**
 * Shows what is asked for, and hears of changes.
 *
 * @param {Tiers} tiers
 * @param {() => void} moved while the slider moves
 * @param {() => void} settled once it rests
 */
export function setUp(tiers, moved, settled) {
  const first = slider.max === "0";
  slider.max = String(tiers.tolerances.steps);
  if (first) moveTo(tiers, USUAL);
  part("loosest", HTMLElement).textContent = `${percentAt(tiers, tiers.tolerances.steps)}${PERCENT} more errors`;
  for (const button of objectives.querySelectorAll("input")) {
    button.disabled = !tiers.tiers.some((rule) => rule.objective === button.value);
    button.onchange = () => (moved(), settled());
  }
  const usable = [...objectives.querySelectorAll("input")].filter((button) => !button.disabled);
  if (usable[0] && !usable.some((button) => button.checked)) usable[0].checked = true;
  slider.oninput = moved;
  slider.onchange = settled;
}

/**
 * What is asked for, as headers have it.
 *
 * @param {Tiers} tiers
 * @returns {Ask}
 */
export function asked(tiers) {
  return { tolerance: `${percentAt(tiers, slider.valueAsNumber)}%`, objective: objective() };
}

/** The tolerance asked for, as a share. @param {Tiers} tiers */
export function share(tiers) {
  // The point is moved in the text, as the service does it: 0.7 / 100 is less than 0.007, a tier's edge.
  return Number(`${percentAt(tiers, slider.valueAsNumber)}e-2`);
}

/** What is to be saved. */
export function objective() {
  return objectives.querySelector("input:checked")?.getAttribute("value") ?? "response-time";
}

/**
 * The tier that serves what is asked for: the last whose tolerance is not above it.
 *
 * @param {Tiers} tiers
 * @returns {Rule | undefined}
 */
export function serving(tiers) {
  const asked = share(tiers);
  return tiers.tiers.filter((rule) => rule.objective === objective() && rule.tolerance <= asked).at(-1);
}

/**
 * The tier of the strictest tolerance: what others are compared with.
 *
 * @param {Tiers} tiers
 * @param {string} objective
 */
export function strictest(tiers, objective) {
  return tiers.tiers.find((rule) => rule.objective === objective);
}

/**
 * Moves the slider to a tolerance.
 *
 * @param {Tiers} tiers
 * @param {number} share
 */
export function moveTo(tiers, share) {
  slider.value = String(Math.round(share / tiers.tolerances.step));
}

/** Shows the tolerance and what its tier promises. @param {Tiers} tiers */
export function show(tiers) {
  const text = percentAt(tiers, slider.valueAsNumber) + PERCENT;
  shown.textContent = text;
  slider.setAttribute("aria-valuetext", `${text} more errors`);
  const rule = serving(tiers);
  part("promise", HTMLElement).textContent = rule ? promise(tiers, rule) : "There is no such tier.";
}

/**
 * @param {Tiers} tiers
 * @param {Rule} rule
 */
function promise(tiers, rule) {
  const { reference, delta, requests } = tiers.certificate;
  if (requests === 0) return `${reference} answers at every tolerance: there are no rules for this model, and nothing is certified.`;
  const certified =
    rule.bound === 0
      ? `No more word errors than ${reference} makes.`
      : `At most ${percent(rule.bound, 2)} more word errors than ${reference} makes, certified with ${percent(1 - delta, 3)} confidence.`;
  const alone = strictest(tiers, rule.objective);
  if (!alone || rule === alone) return `${certified} ${inWords(rule.policy)}`;
  const sooner = compared(saving(rule.response_seconds, alone.response_seconds), "sooner", "later");
  const less = compared(saving(rule.cost_seconds, alone.cost_seconds), "less", "more");
  return `${certified} Expected: answers ${sooner}, ${less} machine time. ${inWords(rule.policy)}`;
}

/**
 * A place of the slider in per cent, without more digits than it has.
 *
 * @param {Tiers} tiers
 * @param {number} place
 */
function percentAt(tiers, place) {
  // Steps are decimal fractions, and 0.1 · 3 is not 0.3: what rounding left over is cut off.
  return Number((place * tiers.tolerances.step * 100).toFixed(6));
}
