"""What libvosk hears in recordings: one line a recording, `path<TAB>words`, and its processor time.

usage: vosk_words.py FOLDER RECORDING... [--step SAMPLES] [--likelihood]

Recordings are decoded by soundfile to 16-bit mono at their own rate and given to libvosk whole, or in
steps. Whole, a recording is one utterance: where libvosk's endpointer finds its end, Result() would leave
out the frames that still wait for the network's look-ahead, so FinalResult() alone is asked. With
--likelihood the words are those of the best path, and its likelihood follows. Needs the packages of
requirements.txt.
"""
import json
import sys
import time

import numpy
import soundfile
import vosk


def hear(model, path, step, likelihood):
    samples, rate = soundfile.read(path, dtype="int16", always_2d=True)
    samples = samples[:, 0]
    recogniser = vosk.KaldiRecognizer(model, rate)
    recogniser.SetWords(True)
    if likelihood:
        recogniser.SetMaxAlternatives(1)
    texts = []
    for start in range(0, len(samples), step or max(len(samples), 1)):
        piece = samples[start:start + (step or len(samples))]
        if recogniser.AcceptWaveform(piece.astype("<i2").tobytes()) and step:
            texts.append(json.loads(recogniser.Result()))
    texts.append(json.loads(recogniser.FinalResult()))
    if likelihood:
        texts = [text["alternatives"][0] for text in texts]
    words = " ".join(text["text"].strip() for text in texts if text["text"])
    return words, sum(text.get("confidence", 0.0) for text in texts)


def main():
    arguments = sys.argv[1:]
    step, likelihood = 0, False
    if "--step" in arguments:
        at = arguments.index("--step")
        step = int(arguments[at + 1])
        del arguments[at:at + 2]
    if "--likelihood" in arguments:
        arguments.remove("--likelihood")
        likelihood = True
    vosk.SetLogLevel(-1)
    model = vosk.Model(arguments[0])
    begin, seconds = time.process_time(), 0.0
    for path in arguments[1:]:
        words, value = hear(model, path, step, likelihood)
        print(path, words, *([value] if likelihood else []), sep="\t", flush=True)
        seconds += soundfile.info(path).duration
    spent = time.process_time() - begin
    print(f"# {spent:.2f} s of processor time for {seconds:.1f} s of audio", file=sys.stderr)


if __name__ == "__main__":
    main()
