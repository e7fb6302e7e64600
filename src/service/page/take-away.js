// What was heard is taken away: to the clipboard, or as a file that the service writes.

import * as service from "./service.js";
import { part } from "./write.js";

const bar = part("take-away", HTMLElement);

/**
 * @param {() => {recording: Blob | undefined, ask: service.Ask} | undefined} shown what the text is of
 * @param {(text: string) => void} say
 * @param {(error: unknown) => void} fail
 */
export function setUp(shown, say, fail) {
  part("copy", HTMLButtonElement).onclick = () => {
    const text = part("transcript", HTMLElement).innerText.trim();
    navigator.clipboard.writeText(text).then(() => say("Copied."), fail);
  };
  for (const button of bar.querySelectorAll("button")) {
    const [extension, format] = [button.dataset.extension, button.dataset.format];
    if (!extension || !format) continue;
    button.onclick = () => {
      const { recording, ask } = shown() ?? {};
      if (recording && ask) service.written(recording, ask, format).then((file) => save(file, `${stem(recording)}.${extension}`), fail);
    };
  }
}

/**
 * Shows what can be done.
 *
 * @param {boolean} words whether there are any
 * @param {boolean} recording whether there is a recording that the service can write down
 */
export function show(words, recording) {
  bar.hidden = !words;
  for (const button of bar.querySelectorAll("button")) button.hidden = !recording && button.dataset.format !== undefined;
}

/** The recording's name without its extension. @param {Blob} recording */
function stem(recording) {
  return recording instanceof File ? recording.name.replace(/\.[^.]*$/, "") : "speech";
}

/**
 * @param {Blob} file
 * @param {string} name
 */
function save(file, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
