// The recording is played: the word that is said lights up, and a click on a word plays from there.

import { part } from "./write.js";

const player = part("player", HTMLAudioElement);
const text = part("transcript", HTMLElement);
/** @type {Element | undefined} */
let lit;

/**
 * Offers a recording; what the browser cannot play is not offered.
 *
 * @param {Blob | undefined} recording
 */
export function offer(recording) {
  if (player.src) URL.revokeObjectURL(player.src);
  light(undefined);
  player.hidden = recording === undefined;
  if (recording) player.src = URL.createObjectURL(recording);
  else player.removeAttribute("src");
}

/** When a word begins, in seconds. @param {Element | undefined} word */
function start(word) {
  return word instanceof HTMLElement ? Number(word.dataset.start) : NaN;
}

/** The last word that has begun: words stand in the order of time. */
function said() {
  let [first, end] = [0, text.children.length];
  while (first < end) {
    const middle = (first + end) >> 1;
    if (start(text.children[middle]) <= player.currentTime) first = middle + 1;
    else end = middle;
  }
  return text.children[first - 1];
}

/** @param {Element | undefined} word */
function light(word) {
  if (word === lit) return;
  lit?.removeAttribute("aria-current");
  word?.setAttribute("aria-current", "true");
  lit = word;
}

function follow() {
  light(player.hidden || player.ended ? undefined : said());
  if (!player.paused) requestAnimationFrame(follow);
}

player.onplay = follow;
player.onseeked = follow;
player.onended = follow;
player.onerror = () => (player.hidden = true);
text.onclick = ({ target }) => {
  const word = target instanceof Element ? target.closest(".word") : null;
  if (!word || player.hidden) return;
  player.currentTime = start(word);
  player.play().catch(() => {});
};
