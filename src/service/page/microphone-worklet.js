// Runs on the audio thread: the microphone's samples as 16-bit PCM, a tenth of a second at a time.

const SECONDS = 0.1;

class Pcm extends AudioWorkletProcessor {
  constructor() {
    super();
    this.samples = new Int16Array(Math.round(sampleRate * SECONDS));
    this.filled = 0;
    this.peak = 0;
    // Asked for the rest, it says it and then that there is no more.
    this.port.onmessage = () => {
      this.send();
      this.port.postMessage(null);
    };
  }

  /** @param {Float32Array[][]} inputs */
  process(inputs) {
    for (const sample of inputs[0]?.[0] ?? []) {
      const held = Math.max(-1, Math.min(1, sample));
      this.peak = Math.max(this.peak, Math.abs(held));
      this.samples[this.filled] = Math.round(held * 32767);
      this.filled += 1;
      if (this.filled === this.samples.length) this.send();
    }
    return true;
  }

  send() {
    const pcm = this.samples.slice(0, this.filled);
    this.port.postMessage({ pcm, peak: this.peak }, [pcm.buffer]);
    this.filled = 0;
    this.peak = 0;
  }
}

registerProcessor("pcm", Pcm);
