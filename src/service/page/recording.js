// What is recognised: a file, or speech that was kept so that it can be recognised again at another tolerance.

/** Seconds of speech that are kept at most; what is longer can be read, but not recognised again. */
const LONGEST = 300;
const HEADER = 44;

/** Speech as a WAV file in the making. */
export class Recording {
  /** @param {number} rate samples a second */
  constructor(rate) {
    this.rate = rate;
    this.samples = 0;
    /** @type {Int16Array<ArrayBuffer>[]} */
    this.chunks = [];
  }

  /** @param {Int16Array<ArrayBuffer>} pcm */
  keep(pcm) {
    this.samples += pcm.length;
    if (this.seconds <= LONGEST) this.chunks.push(pcm);
  }

  get seconds() {
    return this.samples / this.rate;
  }

  /**
   * The file; none where nothing or too much was said.
   *
   * @returns {Blob | undefined}
   */
  file() {
    if (this.samples === 0 || this.seconds > LONGEST) return undefined;
    return new Blob([this.#header(), ...this.chunks], { type: "audio/wav" });
  }

  /** RIFF's header of 16-bit mono PCM; both it and its samples are little-endian. */
  #header() {
    const view = new DataView(new ArrayBuffer(HEADER));
    const tag = (/** @type {number} */ at, /** @type {string} */ text) =>
      [...text].forEach((letter, place) => view.setUint8(at + place, letter.charCodeAt(0)));
    tag(0, "RIFF");
    view.setUint32(4, HEADER - 8 + 2 * this.samples, true);
    tag(8, "WAVEfmt ");
    view.setUint32(16, 16, true);
    view.setUint16(20, 1, true);
    view.setUint16(22, 1, true);
    view.setUint32(24, this.rate, true);
    view.setUint32(28, 2 * this.rate, true);
    view.setUint16(32, 2, true);
    view.setUint16(34, 16, true);
    tag(36, "data");
    view.setUint32(40, 2 * this.samples, true);
    return view;
  }
}
