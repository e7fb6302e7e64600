// Someone speaks: the microphone's samples go to a stream and are kept for a second hearing.

import { Microphone } from "./microphone.js";
import { Recording } from "./recording.js";
import { Stream } from "./stream.js";

/**
 * @typedef {import("./service.js").Ask} Ask
 * @typedef {import("./stream.js").Listener} Listener
 */

export class Speaking {
  /**
   * @param {Microphone} microphone
   * @param {Stream} stream
   * @param {Recording} recording
   */
  constructor(microphone, stream, recording) {
    this.microphone = microphone;
    this.stream = stream;
    this.recording = recording;
  }

  /**
   * Turns the microphone on and begins to listen.
   *
   * @param {Ask} ask
   * @param {Listener} listener
   * @param {(peak: number) => void} level is told how loud it is
   */
  static async begin(ask, listener, level) {
    /** @type {Speaking | undefined} */
    let speaking;
    const microphone = await Microphone.open(({ pcm, peak }) => {
      level(peak);
      speaking?.recording.keep(pcm);
      speaking?.stream.say(pcm);
    });
    speaking = new Speaking(microphone, new Stream(microphone.rate, ask, listener), new Recording(microphone.rate));
    return speaking;
  }

  /** Ends with the stream; fails where it broke off. */
  get ended() {
    return this.stream.ended;
  }

  /** Turns the microphone off and waits for the last words. */
  async finish() {
    await this.microphone.close();
    await this.stream.finish();
  }
}
