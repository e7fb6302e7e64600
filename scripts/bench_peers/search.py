"""The search alone: the same scores, the same graph, the same beam and max-active as Kaldi's decoders.

FasterDecoder (PyPI kaldi-decoder) against our best path, LatticeFasterDecoder (PyPI kaldi-hmm-gmm, raw lattice and its
best path) against our lattice; both with the graph in OpenFst's constant form, their faster one. Unlike ours, they widen
the beam to keep min_active tokens a frame, 20 and 200 by default: that is other work with other words, so it is off here
unless --min-active asks for it.
"""

import time
from dataclasses import dataclass

import kaldi_hmm_gmm  # isort: skip (see requirements.txt)
import kaldifst  # isort: skip
import kaldi_decoder  # isort: skip
import numpy as np
from ours import Stage, peak_mb
from ratios import Times


@dataclass
class Pruning:
    """What both sides prune by."""

    beam: float
    max_active: int
    min_active: int
    lattice_beam: float


def faster(fst, scores, pruning):
    """FasterDecoder's seconds and words."""
    options = kaldi_decoder.FasterDecoderOptions(
        beam=pruning.beam, max_active=pruning.max_active, min_active=pruning.min_active
    )
    decodable = kaldi_decoder.DecodableCtc(scores)
    begin = time.process_time()
    decoder = kaldi_decoder.FasterDecoder(fst, options)
    decoder.decode(decodable)
    ok, path = decoder.get_best_path()
    seconds = time.process_time() - begin
    return seconds, list(kaldifst.get_linear_symbol_sequence(path)[2]) if ok else []


def lattice_faster(fst, scores, pruning):
    """LatticeFasterDecoder's seconds and words; the lattice is not determinised."""
    config = kaldi_hmm_gmm.LatticeFasterDecoderConfig(
        beam=pruning.beam,
        max_active=pruning.max_active,
        min_active=pruning.min_active,
        lattice_beam=pruning.lattice_beam,
        determinize_lattice=False,
    )
    decodable = kaldi_hmm_gmm.DecodableCtc(scores)
    decoder = kaldi_hmm_gmm.LatticeFasterDecoderStdConstFst(fst, config)
    begin = time.process_time()
    _, _, words, _ = kaldi_hmm_gmm.decode_utterance_lattice_faster(
        decoder, decodable, kaldi_hmm_gmm.TransitionModel(), "utterance", True
    )
    return time.process_time() - begin, list(words)


def compare(pruning, rounds, ours, fst, files):
    """All four decoders at one beam; the medians without and with lattices."""
    times, words = Times(), {}

    def keep(side, utterance, seconds, found):
        times.add(side, utterance, seconds)
        words[side, utterance] = found

    def ask(file, lattice):
        seconds, (_, found) = ours.ask(file, pruning.beam, pruning.max_active, lattice)
        return seconds, [int(word) for word in found.split()]

    for _ in range(rounds):
        for file in files:
            scores = np.load(file)
            keep("ours", file.stem, *ask(file, "-"))
            keep("FasterDecoder", file.stem, *faster(fst, scores, pruning))
            keep("ours, lattice", file.stem, *ask(file, pruning.lattice_beam))
            keep("LatticeFasterDecoder", file.stem, *lattice_faster(fst, scores, pruning))
    medians = []
    for mine, peer in ("ours", "FasterDecoder"), ("ours, lattice", "LatticeFasterDecoder"):
        same = sum(words[mine, file.stem] == words[peer, file.stem] for file in files)
        title = f"beam {pruning.beam:g}, {peer}, same words in {same} of {len(files)}"
        medians.append(times.ratio(title, mine, peer))
    return medians


def run(args, work):
    """The least over the beams of the median ratios."""
    before, begin = peak_mb(), time.process_time()
    fst = kaldifst.StdConstFst(kaldifst.StdVectorFst.read(str(work.fst)))
    loading = time.process_time() - begin
    ours = Stage("search", "--graph", work.graph)
    settings = [Pruning(beam, args.max_active, args.min_active, args.lattice_beam) for beam in args.beams]
    fast, lattice = zip(*(compare(pruning, args.rounds, ours, fst, work.scores) for pruning in settings))
    print(f"loading: {ours.loading:.3f} s against {loading:.3f} s; memory after all: "
          f"{ours.close():.0f} MB in all against {peak_mb() - before:.0f} MB more than before the graph")
    return {"search_lattice": min(lattice), "search_fast": min(fast)}
