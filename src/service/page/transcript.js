// What was heard: words shaded by confidence, a guess while it is spoken, and the words as a table.

import { element, fixed, number, part, percent, PERCENT, row } from "./write.js";

/** @typedef {import("./service.js").Word} Word */

/** Words below this are marked by a line too, for who cannot tell the shades. */
const DOUBTFUL = 0.5;

const text = part("transcript", HTMLElement);
const guess = part("guess", HTMLElement);
const table = part("words", HTMLDetailsElement);

/** Takes away what was heard before. */
export function clear() {
  text.replaceChildren();
  guess.replaceChildren();
  table.querySelector("tbody")?.replaceChildren();
  table.hidden = true;
}

/**
 * Adds an utterance.
 *
 * @param {Word[]} words
 */
export function add(words) {
  for (const word of words) {
    text.append(shaded(word), " ");
    const cells = [word.word, fixed(word.start, 2), fixed(word.end, 2), word.confidence === null ? "" : fixed(word.confidence * 100, 1) + PERCENT];
    table.querySelector("tbody")?.append(row(cells));
  }
  table.hidden = !any();
  guess.replaceChildren();
}

/** Whether any words were heard. */
export function any() {
  return text.childElementCount > 0;
}

/**
 * Shows what the utterance under way seems to say; of the first words the search is certain.
 *
 * @param {string} partial
 * @param {number} agreed how many
 */
export function suppose(partial, agreed) {
  const words = partial.split(" ").filter(Boolean);
  guess.replaceChildren(
    element("span", words.slice(0, agreed).join(" "), "agreed"),
    ` ${words.slice(agreed).join(" ")}`,
  );
}

/** @param {Word} word */
function shaded(word) {
  const sure = word.confidence ?? 1;
  const made = element("span", word.word, sure < DOUBTFUL ? "word doubtful" : "word");
  made.style.setProperty("--doubt", String(1 - sure));
  made.dataset.start = String(word.start);
  made.title = `${word.confidence === null ? "" : `${percent(sure)} sure, `}${number(word.start, 2)} to ${number(word.end, 2)} s`;
  return made;
}
