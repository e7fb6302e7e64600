"""Samples to text, against PocketSphinx with the English model that it brings."""

import csv
import json
import subprocess
import time

import pocketsphinx
from ours import MODEL, PARETONE, Stage, peak_mb
from ratios import Times
from wav import samples

PEER = "PocketSphinx"
VERSIONS = ("v1", "v7")


def pocketsphinx_text(decoder, file):
    """Seconds and text of a recording."""
    signal = samples(file).tobytes()
    begin = time.process_time()
    decoder.start_utt()
    decoder.process_raw(signal, full_utt=True)
    decoder.end_utt()
    found = decoder.hyp()
    return time.process_time() - begin, found.hypstr if found else ""


def word_error_rate(args, work, side, texts):
    """Percent, by our scorer."""
    hypotheses, out = work.folder / "hypotheses.tsv", work.folder / "score"
    with hypotheses.open("w", newline="") as file:
        writer = csv.writer(file, delimiter="\t")
        writer.writerow(["id", "text"])
        writer.writerows(texts.items())
    command = [PARETONE, "score", "--ref", args.speech, "--hyp", hypotheses, "--only-given", "--out", out]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    total = json.loads((out / "report.json").read_text())["total"]
    print(f"{side}: WER {100 * total['micro']:.2f} % of {total['counts']['reference']} words")


def run(args, work):
    """The median ratio of v7, the slowest of our versions."""
    before, begin = peak_mb(), time.process_time()
    decoder = pocketsphinx.Decoder(loglevel="FATAL")
    loading = time.process_time() - begin
    ours, times = Stage("pipeline", "--model", MODEL), Times()
    texts = {side: {} for side in (*VERSIONS, PEER)}
    for round_ in range(args.rounds):
        for file in work.wavs:
            for version in VERSIONS:
                seconds, (text,) = ours.ask(file, version)
                times.add(version, file.stem, seconds)
                texts[version][file.stem] = text
            if round_ == 0:  # It is slow enough to be measured well at once.
                seconds, text = pocketsphinx_text(decoder, file)
                times.add(PEER, file.stem, seconds)
                texts[PEER][file.stem] = text
    audio = sum(len(samples(file)) for file in work.wavs) / 16000
    for side in texts:
        word_error_rate(args, work, f"{side}, real-time factor {times.total(side) / audio:.4f}", texts[side])
    ratios = [times.ratio(f"{version}, {PEER}", version, PEER) for version in VERSIONS]
    print(f"loading: {ours.loading:.3f} s against {loading:.3f} s; memory: {ours.close():.0f} MB in all "
          f"against {peak_mb() - before:.0f} MB more than before")
    return {"pipeline_pocketsphinx": min(ratios)}
