// The service as the page calls it: the tiers, and a recording's recognition. Paths are relative, so that the page works
// behind a proxy's prefix too.

/**
 * @typedef {{kind: string, version?: string, first?: string, second?: string, threshold?: number, choice?: string}} Policy
 * @typedef {{tolerance: number, objective: string, fallback: boolean, bound: number, degradation: number,
 *   response_seconds: number, cost_seconds: number, escalated: number, policy: Policy}} Rule
 * @typedef {{name: string, setting: string, wer_percent: number, response_seconds: number, arcs_per_frame: number}} Version
 * @typedef {{delta: number, requests: number, groups: number, date: string, reference: string,
 *   reference_error_rate: number}} Certificate
 * @typedef {{id: string, certificate: Certificate, tolerances: {step: number, steps: number}, tiers: Rule[],
 *   versions: Version[], measured_on: string}} Tiers
 * @typedef {{word: string, start: number, end: number, confidence: number | null}} Word
 * @typedef {{tier: string, policy: string, versions: string[], answered_by: string, escalated: boolean,
 *   confidence: number, server_ms: number, machine_ms: number, certificate: string}} Account
 * @typedef {{text: string, words: Word[], audio_seconds: number, account: Account}} Answer
 * @typedef {{tolerance: string, objective: string}} Ask what a request asks for, as its headers have it
 */

const TOKEN = "paretone-token";

/** A refusal (RFC 9457), with what the service says about it. */
export class Refusal extends Error {
  /**
   * @param {number} status
   * @param {string} detail
   */
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** The token that the user gave in this tab; empty where none. */
export function token() {
  return sessionStorage.getItem(TOKEN) ?? "";
}

/** @param {string} text */
export function keepToken(text) {
  sessionStorage.setItem(TOKEN, text);
}

/**
 * The rules in force, and the versions.
 *
 * @returns {Promise<Tiers>}
 */
export async function tiers() {
  return (await call("tiers", {})).json();
}

/**
 * Recognises a recording; aborting stops the search.
 *
 * @param {Blob} recording
 * @param {Ask} ask
 * @param {AbortSignal} signal
 * @returns {Promise<Answer>}
 */
export async function recognise(recording, ask, signal) {
  const headers = { Accept: "application/json", Tolerance: ask.tolerance, Objective: ask.objective };
  return (await call("compute", { method: "POST", headers, body: recording, signal })).json();
}

/**
 * The answer as the service writes it down in a format.
 *
 * @param {Blob} recording
 * @param {Ask} ask
 * @param {string} format as OpenAI's interface names it
 * @returns {Promise<Blob>}
 */
export async function written(recording, ask, format) {
  const body = new FormData();
  body.append("file", recording);
  body.append("response_format", format);
  if (format === "verbose_json") for (const kind of ["word", "segment"]) body.append("timestamp_granularities[]", kind);
  for (const [name, value] of Object.entries(ask)) body.append(name, value);
  return (await call("v1/audio/transcriptions", { method: "POST", body })).blob();
}

/** @returns {Promise<Blob>} */
export async function sample() {
  return (await call("page/sample.wav", {})).blob();
}

/** Opens a stream; a script cannot set its headers, so that the token goes as a subprotocol. */
export function openStream() {
  const bytes = new TextEncoder().encode(token());
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const address = new URL("v1/stream", document.baseURI);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return new WebSocket(address, digits ? ["paretone", `bearer.${digits}`] : []);
}

/**
 * @param {string} path
 * @param {RequestInit} request
 */
async function call(path, request) {
  const headers = new Headers(request.headers);
  if (token()) headers.set("Authorization", `Bearer ${token()}`);
  let reply;
  try {
    reply = await fetch(new URL(path, document.baseURI), { ...request, headers });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Refusal(0, "The service cannot be reached.");
  }
  if (!reply.ok) throw new Refusal(reply.status, await detail(reply));
  return reply;
}

/**
 * What a refusal says. One of a proxy before the service is not in the service's form.
 *
 * @param {Response} reply
 */
async function detail(reply) {
  const problem = await reply.json().catch(() => ({}));
  return `${problem.title ?? "Refused"} (${reply.status}): ${problem.detail ?? reply.statusText}`;
}
