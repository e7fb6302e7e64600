// The microphone as 16-bit PCM. The browser's own rate is kept, as not every browser resamples; the service does.

/** Streams take no higher rate. */
const HIGHEST_RATE = 48_000;

/** @typedef {{pcm: Int16Array<ArrayBuffer>, peak: number}} Chunk samples, and the largest of them, up to 1 */

/** A microphone that is on. */
export class Microphone {
  /**
   * @param {AudioContext} context
   * @param {MediaStream} media
   * @param {AudioWorkletNode} node
   */
  constructor(context, media, node) {
    this.context = context;
    this.media = media;
    this.node = node;
  }

  /**
   * Asks the user for the microphone.
   *
   * @param {(chunk: Chunk) => void} hear is told of every tenth of a second
   */
  static async open(hear) {
    if (!navigator.mediaDevices) {
      throw new Error("Browsers give the microphone only to pages of localhost or over HTTPS.");
    }
    const media = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } }).catch(refused);
    let context = new AudioContext();
    if (context.sampleRate > HIGHEST_RATE) {
      await context.close();
      context = new AudioContext({ sampleRate: HIGHEST_RATE });
    }
    await context.audioWorklet.addModule(new URL("microphone-worklet.js", import.meta.url));
    const options = { numberOfOutputs: 0, channelCount: 1, channelCountMode: /** @type {const} */ ("explicit") };
    const node = new AudioWorkletNode(context, "pcm", options);
    node.port.onmessage = (message) => message.data && hear(message.data);
    context.createMediaStreamSource(media).connect(node);
    await context.resume();
    return new Microphone(context, media, node);
  }

  get rate() {
    return this.context.sampleRate;
  }

  /** Turns it off; what it heard last is told before. */
  async close() {
    if (this.context.state === "closed") return;
    const { port } = this.node;
    const rest = new Promise((resolve) => {
      port.addEventListener("message", (message) => message.data === null && resolve(null));
    });
    port.postMessage(null);
    await rest;
    this.media.getTracks().forEach((track) => track.stop());
    await this.context.close();
  }
}

/**
 * @param {unknown} error
 * @returns {never}
 */
function refused(error) {
  const reason = error instanceof DOMException && error.name === "NotFoundError" ? "there is none" : "it was not allowed";
  throw new Error(`The microphone cannot be used: ${reason}.`);
}
