// How an answer came about: the versions that ran, what it took, and what it saved against the most accurate version.
// Two savings are kept apart: what was measured on this recording, and what the rules expect on average.

import { inWords, versionsOf } from "./policy.js";
import { compared, element, milliseconds, number, part, percent, row, saving } from "./write.js";

/**
 * @typedef {import("./service.js").Account} Account
 * @typedef {import("./service.js").Answer} Answer
 * @typedef {import("./service.js").Rule} Rule
 * @typedef {import("./service.js").Tiers} Tiers
 * @typedef {{accounts: Account[], seconds: number, spoken: boolean}} Taken what an answer took: one account of a
 *   recording, or one of each utterance of speech
 */

/** How a saving is called, and a loss. @typedef {[string, string]} Words */

/** @type {Words} */
const SOONER = ["sooner", "later"];
/** @type {Words} */
const LESS = ["less", "more"];

/** Takes away the account of an answer before. */
export function clear() {
  part("account", HTMLElement).hidden = true;
  part("ran-for-it", HTMLElement).hidden = true;
}

/**
 * Shows an answer's account.
 *
 * @param {Tiers} tiers
 * @param {Taken} taken
 */
export function show(tiers, taken) {
  const last = taken.accounts.at(-1);
  part("account", HTMLElement).hidden = last === undefined;
  part("ran-for-it", HTMLElement).hidden = last === undefined;
  if (last === undefined) return;
  const rule = ruleOf(tiers, last);
  showVersions(taken.accounts, rule !== undefined && versionsOf(rule.policy).length === 1);
  const { response, machine } = times(taken.accounts);
  put("response", milliseconds(response), taken.spoken ? "after each utterance, on average" : `for ${number(taken.seconds, 1)} s of speech`);
  put("machine", milliseconds(machine), taken.spoken ? "for the final words" : `${number((taken.seconds * 1000) / machine, 0)} times faster than speech`);
  put("sure", percent(Math.min(...taken.accounts.map((account) => account.confidence))), "its own, calibrated estimate");
  part("routing", HTMLElement).textContent = `Tier ${last.tier}. ${rule ? inWords(rule.policy) : last.policy}`;
  part("compared", HTMLElement).textContent = "";
  part("compare", HTMLButtonElement).hidden = taken.spoken;
  part("account-note", HTMLElement).textContent = note(tiers, taken.spoken);
  showSaved(tiers, taken.accounts, undefined);
}

/**
 * Shows what the most accurate version took for the same recording.
 *
 * @param {Tiers} tiers
 * @param {Answer} answer
 * @param {Answer} alone
 */
export function compare(tiers, answer, alone) {
  showSaved(tiers, [answer.account], alone.account);
  const reference = alone.account.answered_by;
  part("compared", HTMLElement).textContent =
    answer.text === alone.text ? `${reference} hears the same words.` : `${reference} hears: ${alone.text}`;
}

/**
 * @param {Tiers} tiers
 * @param {Account[]} accounts
 * @param {Account | undefined} alone
 */
function showSaved(tiers, accounts, alone) {
  const { response, machine } = times(accounts);
  const last = accounts.at(-1);
  const rule = last && ruleOf(tiers, last);
  const strict = rule && tiers.tiers.find((other) => other.objective === rule.objective);
  const measured = (/** @type {number} */ now, /** @type {number | undefined} */ then, /** @type {Words} */ [less, more]) =>
    then === undefined ? "–" : judged(saving(now, then), less, more);
  const expected = (/** @type {"response_seconds" | "cost_seconds"} */ what, /** @type {Words} */ [less, more]) =>
    rule && strict ? judged(saving(rule[what], strict[what]), less, more) : "not known";
  const { reference } = tiers.certificate;
  const rows = [
    ["This answer, measured", milliseconds(response), milliseconds(machine)],
    [`${reference} alone, measured`, alone ? milliseconds(alone.server_ms) : "–", alone ? milliseconds(alone.machine_ms) : "–"],
    ["Compared on this recording", measured(response, alone?.server_ms, SOONER), measured(machine, alone?.machine_ms, LESS)],
    ["Expected on average", expected("response_seconds", SOONER), expected("cost_seconds", LESS)],
  ];
  part("saved", HTMLTableElement).tBodies[0]?.replaceChildren(...rows.map(row));
}

/**
 * @param {number} share
 * @param {string} less
 * @param {string} more
 */
function judged(share, less, more) {
  return element("strong", compared(share, less, more), share < 0 ? "lost" : "won");
}

/**
 * @param {Account[]} accounts
 * @param {boolean} alone whether the tier asks one version only
 */
function showVersions(accounts, alone) {
  const ran = new Set(accounts.flatMap((account) => account.versions));
  const answered = new Set(accounts.map((account) => account.answered_by));
  const marks = [...ran].map((name) => {
    const mark = element("span", name, answered.has(name) ? "version answered" : "version");
    mark.append(element("small", answered.has(name) ? "answered" : "ran"));
    return mark;
  });
  const escalated = accounts.filter((account) => account.escalated).length;
  const of = accounts.length === 1 ? "" : ` in ${escalated} of ${accounts.length} utterances`;
  const first = escalated > 0 ? `the first answer was not enough${of}` : "the first answer was enough";
  part("ran", HTMLElement).replaceChildren(...marks, element("small", alone ? "the tier asks no other" : first));
}

/**
 * The mean response of the answers, and all their machine time, in milliseconds.
 *
 * @param {Account[]} accounts
 */
function times(accounts) {
  const sum = (/** @type {"server_ms" | "machine_ms"} */ what) =>
    accounts.reduce((all, account) => all + account[what], 0);
  return { response: sum("server_ms") / Math.max(1, accounts.length), machine: sum("machine_ms") };
}

/**
 * The rule that an account names; none where the rules were read again since the page was opened.
 *
 * @param {Tiers} tiers
 * @param {Account} account
 * @returns {Rule | undefined}
 */
export function ruleOf(tiers, account) {
  return tiers.tiers.find((rule) => `${rule.objective}/${rule.tolerance}` === account.tier);
}

/**
 * @param {Tiers} tiers
 * @param {boolean} spoken
 */
function note(tiers, spoken) {
  const { reference, requests, groups, date } = tiers.certificate;
  const guesses = spoken
    ? `The guesses made while you spoke are not counted. “Recognise again” takes your speech as one recording, which can be compared with ${reference}. `
    : "";
  return `${guesses}Times are the service's own, without the network. Averages are those expected by the rules, from ${number(requests)} recorded requests of ${groups} speakers (${date}), on the machine where these were recorded; one recording may well save more, less or nothing.`;
}

/**
 * @param {string} id
 * @param {string} text
 * @param {string} detail
 */
function put(id, text, detail) {
  part(id, HTMLElement).replaceChildren(element("strong", text), element("small", detail));
}
