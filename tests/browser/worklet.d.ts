// What an audio worklet's global scope has, of which TypeScript's own descriptions say nothing. Reference: Web Audio API,
// section 1.32.

declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare const sampleRate: number;
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;
