// A conversation over `v1/stream`, by vosk-server's protocol: every message of audio is answered, by a guess or by the
// final words of what ended in it.

import { openStream } from "./service.js";

/**
 * @typedef {import("./service.js").Account} Account
 * @typedef {import("./service.js").Ask} Ask
 * @typedef {import("./service.js").Word} Word
 * @typedef {{guess: (partial: string, agreed: number) => void, words: (words: Word[], accounts: Account[]) => void}} Listener
 */

/** More unsent bytes than that, five seconds of speech, are not caught up with. */
const MOST_UNSENT = 1 << 19;

export class Stream {
  /**
   * Opens a stream for audio of this rate.
   *
   * @param {number} rate
   * @param {Ask} ask
   * @param {Listener} listener
   */
  constructor(rate, ask, listener) {
    this.socket = openStream();
    this.socket.binaryType = "arraybuffer";
    this.listener = listener;
    this.tooSlow = false;
    /** @type {ArrayBuffer[]} what is said before the stream is open */
    this.waiting = [];
    /** Ends with the stream; fails with what the service said, where it refused. @type {Promise<void>} */
    this.ended = new Promise((resolve, reject) => {
      this.socket.onmessage = (message) => this.#hear(JSON.parse(message.data), reject);
      this.socket.onclose = (close) =>
        close.code === 1000 ? resolve() : reject(new Error(this.#broken(close.code)));
    });
    this.opened = new Promise((resolve) => {
      this.socket.onopen = () => {
        this.socket.send(JSON.stringify({ config: { sample_rate: rate, ...ask } }));
        this.waiting.splice(0).forEach((pcm) => this.socket.send(pcm));
        resolve(undefined);
      };
    });
  }

  /** @param {Int16Array<ArrayBuffer>} pcm */
  say(pcm) {
    if (this.socket.readyState === WebSocket.CONNECTING) this.waiting.push(pcm.buffer);
    else this.socket.send(pcm);
    if (this.socket.bufferedAmount <= MOST_UNSENT) return;
    this.tooSlow = true;
    this.socket.close();
  }

  /** Ends the speech and waits for the last words. */
  async finish() {
    await Promise.race([this.opened, this.ended]);
    this.socket.send(JSON.stringify({ eof: 1 }));
    await this.ended;
  }

  /** @param {number} code */
  #broken(code) {
    return this.tooSlow ? "The service does not keep up with the speech." : `The stream broke off (${code}).`;
  }

  /**
   * @param {any} said
   * @param {(error: Error) => void} fail
   */
  #hear(said, fail) {
    if (said.error) fail(new Error(`${said.error.title} (${said.error.status}): ${said.error.detail}`));
    else if (said.partial !== undefined) this.listener.guess(said.partial, said.agreed);
    else this.listener.words((said.result ?? []).map(wordOf), said.accounts ?? []);
  }
}

/**
 * @param {{word: string, start: number, end: number, conf: number}} word
 * @returns {Word}
 */
function wordOf({ word, start, end, conf }) {
  return { word, start, end, confidence: conf ?? null };
}
