// Policies in words: which versions a tier asks, in which order, and whose answer it gives. src/tiers/policy.rs says what
// they are.

import { percent } from "./write.js";

/** @typedef {import("./service.js").Policy} Policy */

/** A threshold above this: the first answer is never enough alone. */
const SURE = 1;

/**
 * The versions that a policy may ask.
 *
 * @param {Policy} policy
 */
export function versionsOf(policy) {
  const names = [policy.version, policy.first, policy.second];
  return names.filter((name) => name !== undefined);
}

/**
 * As the service writes it, only shorter.
 *
 * @param {Policy} policy
 */
export function inShort(policy) {
  const [first, second] = versionsOf(policy);
  if (second === undefined) return `${first} alone`;
  const link = policy.kind === "seq" ? "then" : "with";
  const threshold = policy.threshold ?? SURE;
  return `${first} ${link} ${second}${threshold > SURE ? "" : `, enough at ${percent(threshold, 2)}`}`;
}

/**
 * What it does.
 *
 * @param {Policy} policy
 */
export function inWords(policy) {
  const [first, second] = versionsOf(policy);
  if (second === undefined) return `${first} answers alone.`;
  const start = policy.kind === "seq" ? `${first} runs first.` : `${first} and ${second} start together.`;
  const answer = policy.choice === "second" ? `${second} answers` : "the more confident of both answers";
  const threshold = policy.threshold ?? SURE;
  if (threshold > SURE) return `${start} Once both have run, ${answer}.`;
  const stop = policy.kind === "seq" ? `${second} does not run` : `${second} is stopped`;
  return `${start} Where ${first} is at least ${percent(threshold, 2)} confident, it answers and ${stop}; otherwise ${answer}.`;
}
