// The page: what its parts tell each other. A recording, or speech, goes to the service with the tolerance asked for;
// what comes back is shown as text, as an account, and on the drawings.

import * as account from "./account.js";
import * as front from "./front.js";
import * as player from "./player.js";
import { versionsOf } from "./policy.js";
import * as savings from "./savings.js";
import * as service from "./service.js";
import { Speaking } from "./speaking.js";
import * as takeAway from "./take-away.js";
import * as tierTable from "./tier-table.js";
import * as tolerance from "./tolerance.js";
import * as transcript from "./transcript.js";
import { number, part } from "./write.js";

/**
 * @typedef {import("./service.js").Account} Account
 * @typedef {import("./service.js").Answer} Answer
 * @typedef {import("./service.js").Tiers} Tiers
 */

/** @type {Tiers | undefined} */
let tiers;
/** @type {Blob | undefined} what was last recognised, or spoken */
let recording;
/** @type {Answer | undefined} the answer for that recording */
let answer;
/** @type {string[]} the versions that ran for the text that is shown */
let ran = [];
/** @type {Speaking | undefined} */
let speaking;
let running = new AbortController();

const access = part("access", HTMLFormElement);
const again = part("again", HTMLButtonElement);
const comparing = part("compare", HTMLButtonElement);
const drop = part("drop", HTMLElement);
const file = part("file", HTMLInputElement);
const level = part("level", HTMLMeterElement);
const problem = part("problem", HTMLElement);
const speak = part("speak", HTMLButtonElement);
const status = part("status", HTMLElement);

/** Asks the service for its tiers; without them, for the token first. */
async function start() {
  try {
    tiers = await service.tiers();
  } catch (error) {
    const refused = error instanceof service.Refusal && error.status === 401;
    access.hidden = !refused;
    if (!refused) fail(error);
    else if (service.token()) fail(new Error("The service does not take this token."));
    return;
  }
  access.hidden = true;
  document.querySelector("main")?.removeAttribute("data-locked");
  problem.hidden = true;
  const { reference } = tiers.certificate;
  document.querySelectorAll("[data-reference]").forEach((place) => (place.textContent = reference));
  tolerance.setUp(tiers, move, settle);
  front.list(tiers);
  move();
}

/** Shows the tolerance everywhere. */
function move() {
  if (!tiers) return;
  const rule = tolerance.serving(tiers);
  const objective = tolerance.objective();
  tolerance.show(tiers);
  front.show(tiers, rule ? versionsOf(rule.policy) : [], ran);
  savings.show(tiers, objective, tolerance.share(tiers));
  tierTable.list(tiers, objective, choose);
  tierTable.mark(rule);
}

/** The slider rests: what is there is heard again at its tolerance. */
function settle() {
  if (recording && !speaking) recognise();
}

/** @param {number} share */
function choose(share) {
  if (!tiers) return;
  tolerance.moveTo(tiers, share);
  move();
  settle();
}

/**
 * @param {Blob} blob
 * @param {string} name
 */
function take(blob, name) {
  clear();
  recording = blob;
  again.disabled = false;
  part("recording", HTMLElement).textContent = `${name}, ${number(Math.ceil(blob.size / 1024))} KiB`;
  recognise();
}

/** Recognises the recording; one that is under way is given up for it. */
async function recognise() {
  if (!tiers || !recording) return;
  running.abort();
  running = new AbortController();
  const { signal } = running;
  say("Listening …");
  try {
    const heard = await service.recognise(recording, tolerance.asked(tiers), signal);
    if (signal.aborted) return;
    // The rules were read again since.
    if (heard.account.certificate !== tiers.id) await start();
    clear();
    answer = heard;
    transcript.add(heard.words);
    took([heard.account], heard.audio_seconds, false);
    offer();
    say(heard.words.length === 0 ? "No words were heard." : "");
  } catch (error) {
    if (!signal.aborted) fail(error);
  }
}

/** Measures what the most accurate version takes for the same recording. */
async function compare() {
  if (!tiers || !recording || !answer) return;
  const [compared, { signal }] = [answer, running];
  comparing.disabled = true;
  try {
    const strictest = { tolerance: "0", objective: tolerance.objective() };
    const alone = await service.recognise(recording, strictest, signal);
    if (answer === compared) account.compare(tiers, compared, alone);
  } catch (error) {
    if (!signal.aborted) fail(error);
  } finally {
    comparing.disabled = false;
  }
}

/**
 * Shows what an answer took.
 *
 * @param {Account[]} accounts
 * @param {number} seconds
 * @param {boolean} spoken
 */
function took(accounts, seconds, spoken) {
  if (!tiers) return;
  ran = [...new Set(accounts.flatMap((one) => one.versions))];
  account.show(tiers, { accounts, seconds, spoken });
  move();
}

async function beginToSpeak() {
  if (!tiers) return;
  running.abort();
  clear();
  speak.disabled = true;
  /** @type {Account[]} */
  const accounts = [];
  const listener = {
    guess: transcript.suppose,
    words: (/** @type {service.Word[]} */ words, /** @type {Account[]} */ of) => {
      transcript.add(words);
      accounts.push(...of);
      took(accounts, 0, true);
    },
  };
  try {
    speaking = await Speaking.begin(tolerance.asked(tiers), listener, (peak) => (level.value = peak));
    recording = undefined;
    showSpeaking(true);
    part("recording", HTMLElement).textContent = "Your speech";
    say("Speak; press Stop when you are done.");
    await speaking.ended;
  } catch (error) {
    fail(error);
  } finally {
    endOfSpeech();
  }
}

async function stopSpeaking() {
  speak.disabled = true;
  say("The last words …");
  // Where the stream breaks off, whoever waits for its end is told.
  await speaking?.finish().catch(() => {});
}

function endOfSpeech() {
  const spoken = speaking?.recording;
  speaking?.microphone.close();
  speaking = undefined;
  showSpeaking(false);
  const kept = spoken?.file();
  if (!spoken || !kept) return;
  recording = kept;
  again.disabled = false;
  part("recording", HTMLElement).textContent = `Your speech, ${number(spoken.seconds)} s`;
  if (problem.hidden) say("");
  offer();
}

/** Offers to play, copy and download what is shown. */
function offer() {
  player.offer(recording);
  takeAway.show(transcript.any(), recording !== undefined);
}

/** @param {boolean} on */
function showSpeaking(on) {
  speak.disabled = false;
  speak.setAttribute("aria-pressed", String(on));
  part("speak-label", HTMLElement).textContent = on ? "Stop" : "Speak";
  level.hidden = !on;
  for (const button of [again, part("sample", HTMLButtonElement)]) button.disabled = on || (button === again && !recording);
  file.disabled = on;
}

function clear() {
  answer = undefined;
  problem.hidden = true;
  transcript.clear();
  account.clear();
  player.offer(undefined);
  takeAway.show(false, false);
}

/** @param {string} text */
function say(text) {
  problem.hidden = true;
  status.textContent = text;
}

/** @param {unknown} error */
function fail(error) {
  if (error instanceof service.Refusal && error.status === 401) access.hidden = false;
  problem.textContent = error instanceof Error ? error.message : String(error);
  problem.hidden = false;
  status.textContent = "";
}

access.onsubmit = (event) => {
  event.preventDefault();
  service.keepToken(part("token", HTMLInputElement).value);
  start();
};
file.onchange = () => {
  const chosen = file.files?.[0];
  if (chosen) take(chosen, chosen.name);
  // So that the same file, changed, can be chosen again.
  file.value = "";
};
part("sample", HTMLButtonElement).onclick = () =>
  service.sample().then((blob) => take(blob, "Sample: a synthetic voice"), fail);
again.onclick = recognise;
comparing.onclick = compare;
speak.onclick = () => (speaking ? stopSpeaking() : beginToSpeak());
takeAway.setUp(() => tiers && { recording, ask: tolerance.asked(tiers) }, say, fail);

// A file may be dropped anywhere: one that misses would replace the page.
document.ondragover = (event) => {
  event.preventDefault();
  drop.classList.add("over");
};
window.onresize = move;
document.ondragleave = () => drop.classList.remove("over");
document.ondrop = (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  const dropped = event.dataTransfer?.files[0];
  if (dropped && !speaking) take(dropped, dropped.name);
};

start();
