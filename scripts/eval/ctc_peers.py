#!/usr/bin/env python3
"""Search the scores of a real CTC network with Paretone, kaldi-decoder and flashlight-text: equal words, word errors, and time.

The network is that of PyPI's `hama`, a small English phone recogniser (191 IPA tokens, a frame every 20 ms). The graph is made of the model's lexicon, whose ARPAbet
phones are written as IPA, and of a bigram of the manifest's train transcripts.

kaldi-decoder searches the very graph, with the same beam and the same bound on active tokens. flashlight-text has no graph: it takes the lexicon as a tree, the
bigram as KenLM reads it, and weighs both as the graph does (best path, ln of the n-gram's probability); it keeps so many of the best hypotheses of each frame (`--beam-sizes`) that
are within the beam, where a hypothesis is a place in the tree and all the words before it. pyctcdecode and fast-ctc-decode are not here: the first spells words with the
network's tokens, which are letters there and phones here, and the second knows no words.

    pip install ./bindings/python hama==1.7.0 kaldi-decoder==0.2.11 kaldifst==1.7.17 flashlight-text==0.0.7
    scripts/eval/ctc_peers.py --manifest ../shared/speech/manifest.tsv --limit 300 --out record.json
"""

from __future__ import annotations

import argparse
import collections
import csv
import json
import math
import pathlib
import subprocess
import tempfile
import time

import numpy

import paretone

ROOT = pathlib.Path(__file__).resolve().parents[2]
IPA = dict(
    pair.split("=")
    for pair in "AA=ɑ AE=æ AH=ə AO=ɔ AW=aʊ AY=aɪ B=b CH=t͡ʃ D=d DH=ð EH=ɛ ER=ɝ EY=eɪ F=f G=ɡ HH=h IH=ɪ IY=i JH=d͡ʒ K=k L=l M=m N=n NG=ŋ "
    "OW=oʊ OY=ɔɪ P=p R=ɹ S=s SH=ʃ T=t TH=θ UH=ʊ UW=u V=v W=w Y=j Z=z ZH=ʒ".split()
)
# What the network may say for the same phone.
OTHERS = {"ə": ["ʌ"], "ɝ": ["ɚ"], "ɡ": ["g"]}


def rows(manifest, split):
    with open(manifest) as file:
        return [row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE) if row["split"] == split]


def pronunciations(path, tokens, known):
    """Each word's ways to say it, with and without the boundary that the network may put after it."""
    lexicon = collections.defaultdict(list)
    for line in open(path):
        word, phones = line.rstrip("\n").split("\t")[0], line.rstrip("\n").split("\t")[-1].split()
        if word not in known:
            continue
        said = [IPA[phone] for phone in phones]
        forms = [said] + [[other if token == first else token for token in said] for first, all in OTHERS.items() for other in all if first in said]
        for form in forms:
            if all(token in tokens for token in form):
                lexicon[word] += [form, [*form, "<wb>"]]
    return dict(lexicon)


def bigram(texts, words, path):
    """Write a bigram with absolute discounting as ARPA."""
    unigrams, pairs = collections.Counter(), collections.Counter()
    for text in texts:
        said = [word for word in text.split() if word in words]
        unigrams.update([*said, "</s>"])
        pairs.update(zip(["<s>", *said], [*said, "</s>"]))
    total = sum(unigrams.values()) + len(words)
    uni = {word: (unigrams[word] + 1) / total for word in [*words, "</s>"]}
    after, kinds = collections.Counter(), collections.Counter()
    for (first, _), count in pairs.items():
        after[first] += count
        kinds[first] += 1
    discount = 0.7
    kept = {pair: count for pair, count in pairs.items() if count > 1}
    mass, seen = collections.Counter(), collections.Counter()
    for (first, second), count in kept.items():
        mass[first] += (count - discount) / after[first]
        seen[first] += uni[second]
    backoff = {first: (1 - mass[first]) / (1 - seen[first]) for first in after}
    with open(path, "w") as out:
        print(f"\\data\\\nngram 1={len(uni) + 1}\nngram 2={len(kept)}\n\n\\1-grams:", file=out)
        print(f"-99\t<s>\t{math.log10(backoff.get('<s>', 1)):.5f}", file=out)
        for word, probability in uni.items():
            back = f"\t{math.log10(backoff[word]):.5f}" if word in backoff else ""
            print(f"{math.log10(probability):.5f}\t{word}{back}", file=out)
        print("\n\\2-grams:", file=out)
        for (first, second), count in kept.items():
            print(f"{math.log10((count - discount) / after[first]):.5f}\t{first} {second}", file=out)
        print("\n\\end\\", file=out)


def samples_of(path):
    raw = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-ar", "16000", "-ac", "1", "-f", "f32le", "-"], capture_output=True, check=True)
    return numpy.frombuffer(raw.stdout, numpy.float32)


def log_probs_of(model, samples):
    names = [model._log_probs_output_name, model._out_lengths_output_name]
    feeds = {model._waveform_input_name: samples.reshape(1, -1), model._waveform_lengths_input_name: numpy.array([len(samples)], numpy.int64)}
    scores, lengths = model.session.run(names, feeds)
    return numpy.ascontiguousarray(scores[0][: int(numpy.asarray(lengths).reshape(-1)[0])], numpy.float32)


def errors(reference, hypothesis):
    row = list(range(len(hypothesis) + 1))
    for at, word in enumerate(reference, 1):
        previous, row[0] = row[0], at
        for place, other in enumerate(hypothesis, 1):
            previous, row[place] = row[place], min(previous + (word != other), row[place] + 1, row[place - 1] + 1)
    return row[-1]


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest", required=True, help="the corpus: train rows make the bigram, dev rows are heard")
    parser.add_argument("--limit", type=int, default=300, help="how many dev rows, evenly spread")
    parser.add_argument("--beam", type=float, default=14.0)
    parser.add_argument("--max-active", type=int, default=7000)
    parser.add_argument("--beam-sizes", default="50,500", help="hypotheses that flashlight-text keeps: each is a search of its own")
    parser.add_argument("--acoustic-scale", type=float, default=1.0)
    parser.add_argument("--out", help="where to write the totals, as JSON")
    return parser.parse_args()


def lexicon_of(model, texts):
    """The network's tokens by name, and the ways to say the words of the texts in them."""
    plain = lambda token: token.strip() and not any(map(str.isspace, token))
    tokens = [token if plain(token) else f"<{column}>" for column, token in enumerate(model.decoder_tokens)]
    return tokens, pronunciations(ROOT / "models/en/lexicon.txt", set(tokens), set(" ".join(texts).split()))


def timed(work):
    began = time.process_time()
    made = work()
    return made, time.process_time() - began


def kaldi(graph, folder, args):
    """kaldi-decoder over the same graph, as a function of scores."""
    import kaldi_decoder
    import kaldifst

    graph.save_openfst(folder / "TLG.fst")
    fst, words = kaldifst.StdVectorFst.read(str(folder / "TLG.fst")), graph.words
    knobs = kaldi_decoder.FasterDecoderOptions(beam=args.beam, max_active=args.max_active)

    def heard(scores):
        decoder = kaldi_decoder.FasterDecoder(fst, knobs)
        decoder.decode(kaldi_decoder.DecodableCtc(scores))
        _, path = decoder.get_best_path()
        return " ".join(words[word] for word in kaldifst.get_linear_symbol_sequence(path)[2])

    return heard


def flashlight(tokens, lexicon, blank, folder, beam, size):
    """flashlight-text with the same lexicon and n-gram, as a function of scores."""
    from flashlight.lib.text import decoder as fl
    from flashlight.lib.text.decoder.kenlm import KenLM
    from flashlight.lib.text.dictionary import Dictionary

    words = [*lexicon, "<unk>"]
    place, column = {word: at for at, word in enumerate(words)}, {token: at for at, token in enumerate(tokens)}
    model = KenLM(str(folder / "lm.arpa"), Dictionary(words))
    tree, start = fl.Trie(len(tokens), blank), model.start(False)
    for word, ways in lexicon.items():
        _, alone = model.score(start, place[word])
        for way in ways:
            tree.insert([column[token] for token in way], place[word], alone)
    tree.smear(fl.SmearingMode.MAX)
    # KenLM's logarithms are decimal, the network's natural. No token of its own stands between words: the lexicon has the boundary.
    knobs = fl.LexiconDecoderOptions(
        beam_size=size,
        beam_size_token=len(tokens),
        beam_threshold=beam,
        lm_weight=math.log(10),
        word_score=0.0,
        unk_score=-math.inf,
        sil_score=0.0,
        log_add=False,
        criterion_type=fl.CriterionType.CTC,
    )
    search = fl.LexiconDecoder(knobs, tree, model, blank, blank, place["<unk>"], [], False)

    def heard(scores):
        best = search.decode(scores.ctypes.data, *scores.shape)[0]
        return " ".join(words[word] for word in best.words if word >= 0)

    return heard


def main():
    args = options()
    import hama

    model, folder = hama.ASRModel(), pathlib.Path(tempfile.mkdtemp())
    texts = [row["text"] for row in rows(args.manifest, "train")]
    tokens, lexicon = lexicon_of(model, texts)
    bigram(texts, lexicon, folder / "lm.arpa")
    graph, compiling = timed(lambda: paretone.ctc.Graph.compile(tokens, lexicon, folder / "lm.arpa", blank=model.blank_id))
    decoder = paretone.Decoder(graph, network_beam=args.beam, network_top_n=args.max_active, lattice_beam=1.0)
    ours = lambda scores: decoder.decode(scores).text
    searches = {"paretone": ours, "kaldi": kaldi(graph, folder, args)}
    for size in args.beam_sizes.split(","):
        searches[f"flashlight_{size}"] = flashlight(tokens, lexicon, model.blank_id, folder, args.beam, int(size))
    dev, totals = rows(args.manifest, "dev"), collections.Counter()
    for row in dev[:: max(len(dev) // args.limit, 1)][: args.limit]:
        samples, said = samples_of(pathlib.Path(args.manifest).parent / row["path"]), row["text"].split()
        scores, network = timed(lambda: log_probs_of(model, samples) * numpy.float32(args.acoustic_scale))
        totals.update(utterances=1, audio_seconds=len(samples) / 16000, words=len(said), network_seconds=network)
        heard = {}
        for name, search in searches.items():
            heard[name], seconds = timed(lambda: search(scores))
            wrong, same = errors(said, heard[name].split()), heard[name] == heard["paretone"]
            totals.update({f"{name}_seconds": seconds, f"{name}_errors": wrong, f"{name}_equal": int(same)})
        if heard["kaldi"] != heard["paretone"]:
            print(f"{row['id']} differs:\n  Paretone {heard['paretone']}\n  Kaldi    {heard['kaldi']}")
    totals = {**totals, **vars(args), "graph": repr(graph), "compile_seconds": compiling}
    totals |= {f"{name}_times_slower": totals[f"{name}_seconds"] / totals["paretone_seconds"] for name in searches}
    print(json.dumps(totals, indent=1))
    if args.out:
        pathlib.Path(args.out).write_text(json.dumps(totals, indent=1) + "\n")


if __name__ == "__main__":
    main()
