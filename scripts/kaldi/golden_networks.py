#!/usr/bin/env python3
"""Writes two tiny Vosk folders without graphs and what their networks score, for the tests of src/kaldi: tests/golden/kaldi/{adapted,older}.

    python scripts/kaldi/golden_networks.py

`adapted` reads i-vectors: the extractor, when i-vectors are estimated, and the weights of silence are computed here anew, by whole matrices
and exact solutions, from the description in docs/kaldi.md. `older` has the nonlinearities of older recipes. Needs numpy.
"""
import json
import struct
from pathlib import Path

import numpy

OUT = Path(__file__).parent.parent.parent / "tests/golden/kaldi"
FEATURES, IVECTOR, WIDTH, PDFS, GAUSSIANS, MIXED = 6, 4, 10, 8, 7, 5
CHUNK, SILENCE_PHONES, LEAST_ENERGY = 24, (1, 2), 0.1
draw = numpy.random.default_rng(20)


class File:
    """Kaldi's binary form."""
    def __init__(self): self.bytes = b"\0B"
    def token(self, *tokens): self.bytes += b"".join(token.encode() + b" " for token in tokens); return self
    def int(self, *values): self.bytes += b"".join(struct.pack("<bi", 4, value) for value in values); return self
    def float(self, value): self.bytes += struct.pack("<bf", 4, value); return self
    def double(self, value): self.bytes += struct.pack("<bd", 8, value); return self
    def bool(self, value): self.bytes += b"T" if value else b"F"; return self
    def ints(self, values): self.bytes += struct.pack("<bi", 4, len(values)) + struct.pack(f"<{len(values)}i", *values); return self
    def vector(self, values, kind="F"):
        return self.token(kind + "V").int(len(values)).raw(values, kind)
    def matrix(self, values, kind="F"):
        return self.token(kind + "M").int(*numpy.shape(values)).raw(values, kind)
    def triangle(self, values):
        return self.token("DP").int(len(values)).raw(values[numpy.tril_indices(len(values))], "D")
    def raw(self, values, kind):
        self.bytes += numpy.asarray(values, {"F": "<f4", "D": "<f8"}[kind]).tobytes()
        return self


def transitions(out):
    """A phone of one state for each two pdfs: on the way in, and in its loop."""
    phones = range(1, PDFS // 2 + 1)
    out.token("<TransitionModel>", "<Topology>").ints(phones).ints([-1] + [0] * len(phones))
    out.int(-1, 1, 2, 0, 1, 2, 0).float(0.5).int(1).float(0.5).int(-1, -1, 0).token("</Topology>", "<Tuples>").int(len(phones))
    for phone in phones:
        out.int(phone, 0, 2 * phone - 2, 2 * phone - 1)
    out.token("</Tuples>", "<LogProbs>").vector([-0.7] * (PDFS + 1)).token("</LogProbs>", "</TransitionModel>")


def normal(*shape): return draw.normal(0, 1, shape).astype("f4")


class Network:
    """Nodes in order, each reading others by a descriptor; written, and computed frame by frame."""
    def __init__(self, inputs): self.lines, self.components, self.nodes = list(inputs), [], {}

    def add(self, name, descriptor, read, kind, fields, compute):
        """`read(node, t)` gives the values of the descriptor, where `node(name, t)` are those of a node."""
        self.lines.append(f"component-node name={name} component={name} input={descriptor}")
        self.components.append((name, kind, fields))
        self.nodes[name] = lambda node, t: compute(lambda at=0: read(node, t + at))
        return name

    def affine(self, name, source, rows, columns, descriptor=None, read=None):
        weights, bias = normal(rows, columns) / columns ** 0.5, normal(rows)
        fields = lambda out: (out.token("<LinearParams>").matrix(weights).token("<BiasParams>").vector(bias))
        read = read or (lambda node, t: node(source, t))
        return self.add(name, descriptor or source, read, "FixedAffine", fields, lambda read: weights @ read() + bias)

    def tdnn(self, name, source, rows, columns, offsets):
        weights, bias = normal(rows, columns * len(offsets)) / columns ** 0.5, normal(rows)
        def fields(out):
            out.token("<MaxChange>").float(0.75).token("<LearningRate>").float(0.001).token("<TimeOffsets>").ints(offsets)
            out.token("<LinearParams>").matrix(weights).token("<BiasParams>").vector(bias).token("<OrthonormalConstraint>").float(0)
            out.token("<UseNaturalGradient>").bool(True).token("<NumSamplesHistory>").float(2000).token("<AlphaInOut>").float(4).float(4)
            out.token("<RankInOut>").int(20, 80)
        compute = lambda read: weights @ numpy.concatenate([read(at) for at in offsets]) + bias
        return self.add(name, source, lambda node, t: node(source, t), "Tdnn", fields, compute)

    def simple(self, name, source, kind, fields, compute):
        return self.add(name, source, lambda node, t: node(source, t), kind, fields, lambda read: compute(read()))

    def nonlinearity(self, name, source, kind, compute):
        def fields(out):
            out.token("<Dim>").int(WIDTH).token("<ValueAvg>").vector([]).token("<DerivAvg>").vector([]).token("<Count>").float(0)
        return self.simple(name, source, kind, fields, compute)

    def normalise(self, name, source, rms, block=None):
        def fields(out):
            out.token("<InputDim>").int(WIDTH)
            if block:
                out.token("<BlockDim>").int(block)
            out.token("<TargetRms>").float(rms).token("<AddLogStddev>").bool(False)
        def compute(x):
            parts = x.reshape(-1, block or WIDTH)
            return (parts * rms / numpy.sqrt((parts ** 2).mean(1, keepdims=True))).ravel()
        return self.simple(name, source, "Normalize", fields, compute)

    def batch_norm(self, name, source):
        mean, variance = normal(WIDTH), numpy.abs(normal(WIDTH)) + 0.3
        def fields(out):
            out.token("<Dim>").int(WIDTH).token("<BlockDim>").int(WIDTH).token("<Epsilon>").float(0.001).token("<TargetRms>").float(1)
            out.token("<TestMode>").bool(False).token("<Count>").float(1e5).token("<StatsMean>").vector(mean).token("<StatsVar>").vector(variance)
        return self.simple(name, source, "BatchNorm", fields, lambda x: (x - mean) / numpy.sqrt(variance + 0.001))

    def model(self, source):
        out = File()
        transitions(out)
        out.token("<Nnet3>").bytes += b"\n"
        lines = self.lines + [f"output-node name=output input={source} objective=linear"]
        out.bytes += ("\n".join(lines) + "\n\n").encode()
        out.token("<NumComponents>").int(len(self.components))
        for name, kind, fields in self.components:
            out.token("<ComponentName>", name, f"<{kind}Component>")
            fields(out)
            out.token(f"</{kind}Component>")
        out.token("</Nnet3>", "<LeftContext>").int(0).token("<RightContext>").int(0).token("<Priors>").vector([])
        return out.bytes

    def run(self, source, features, time, ivector_of, known):
        """Scores of a frame; `known` remembers what was computed."""
        def node(name, t):
            if name == "input":
                return features[min(max(t, 0), len(features) - 1)]
            if name == "ivector":
                return ivector_of(t)
            if (name, t) not in known:
                known[name, t] = self.nodes[name](node, t)
            return known[name, t]
        return node(source, time)


class Extractor:
    """Statistics of all frames with their weights, and the i-vector of them."""
    def __init__(self):
        self.lda = normal(MIXED, 3 * FEATURES + 1) / 2
        self.mean, self.frames = normal(FEATURES), 1000.0
        self.weights = (lambda w: w / w.sum())(numpy.abs(normal(GAUSSIANS)) + 0.1)
        self.means, self.variances = 1.5 * normal(GAUSSIANS, MIXED), numpy.abs(normal(GAUSSIANS, MIXED)) + 0.5
        self.factors = draw.normal(0, 1, (GAUSSIANS, MIXED, IVECTOR))
        half = draw.normal(0, 0.4, (GAUSSIANS, MIXED, MIXED))
        self.inverse = half @ half.transpose(0, 2, 1) + numpy.eye(MIXED)
        self.offset = 3.25

    def write(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        out = File().token("<IvectorExtractor>", "<w>").matrix(numpy.zeros((0, 0)), "D").token("<w_vec>").vector(self.weights, "D")
        out.token("<M>").int(GAUSSIANS)
        for factors in self.factors:
            out.matrix(factors, "D")
        out.token("<SigmaInv>")
        for inverse in self.inverse:
            out.triangle(inverse)
        out.token("<IvectorOffset>").double(self.offset).token("</IvectorExtractor>")
        (folder / "final.ie").write_bytes(out.bytes)
        out = File().token("<DiagGMM>", "<GCONSTS>").vector([0.0] * GAUSSIANS).token("<WEIGHTS>").vector(self.weights)
        out.token("<MEANS_INVVARS>").matrix(self.means / self.variances).token("<INV_VARS>").matrix(1 / self.variances).token("</DiagGMM>")
        (folder / "final.dubm").write_bytes(out.bytes)
        (folder / "final.mat").write_bytes(File().matrix(self.lda).bytes)
        numbers = " ".join(f"{value:.9g}" for value in [*(self.mean * self.frames), self.frames])
        (folder / "global_cmvn.stats").write_text(f" [\n  {numbers}\n  {'0 ' * FEATURES}0 ]\n")
        (folder / "splice.conf").write_text("--left-context=1\n--right-context=1\n")
        (folder / "online_cmvn.conf").write_text(f"--cmn-min-energy={LEAST_ENERGY}\n")

    def spliced(self, frames):
        at = numpy.arange(len(frames))
        rows = [frames[numpy.clip(at + offset, 0, len(frames) - 1)] for offset in (-1, 0, 1)]
        return numpy.concatenate(rows, 1) @ self.lda[:, :-1].T + self.lda[:, -1]

    def hear(self, features):
        # As libvosk asks for them: three means a splice, in order; a quiet frame gets the mean last given, mixed with the prior once more.
        sums, last, taken, frames = numpy.cumsum(features, 0), len(features) - 1, (numpy.zeros(FEATURES), 0), []
        for at in range(len(features)):
            less_mean = []
            for t in (max(at - 1, 0), at, min(at + 1, last)):
                if features[t, 0] > LEAST_ENERGY:
                    count = min(t + 1, 600)
                    taken = (sums[t] - (sums[t - count] if t >= count else 0), count)
                prior = min(600 - taken[1], 200)
                taken = (taken[0] + prior * self.mean, taken[1] + prior)
                less_mean.append(features[t] - taken[0] / taken[1])
            frames.append(numpy.concatenate(less_mean) @ self.lda[:, :-1].T + self.lda[:, -1])
        self.plain, frames = self.spliced(features), numpy.array(frames)
        squares = ((frames[:, None] - self.means) ** 2 / self.variances + numpy.log(2 * numpy.pi * self.variances)).sum(2)
        self.likelihoods = numpy.log(self.weights) - 0.5 * squares
        self.linear, self.quadratic, self.count = numpy.zeros(IVECTOR), numpy.zeros((IVECTOR, IVECTOR)), 0.0

    def add(self, t, weight):
        """A frame counts by so much more."""
        least = min(0.025 / abs(weight), 0.99)
        relative = numpy.exp(self.likelihoods[t] - self.likelihoods[t].max())
        best = [g for g in numpy.argsort(-relative, kind="stable")[:5] if relative[g] > least]
        while len(best) > 1 and relative[best[-1]] < least * relative[best].sum():
            best.pop()
        for g in best:
            posterior = 0.1 * weight * relative[g] / relative[best].sum()
            product = self.factors[g].T @ self.inverse[g]
            self.linear += posterior * product @ self.plain[t]
            self.quadratic += posterior * product @ self.factors[g]
            self.count += posterior

    def ivector(self):
        prior = max(self.count, 100.0) / 100.0
        first = numpy.eye(IVECTOR)[0] * self.offset
        return numpy.linalg.solve(self.quadratic + prior * numpy.eye(IVECTOR), self.linear + prior * first) - first


def adapted_scores(network, source, extractor, features, right):
    """As docs/kaldi.md says: chunks of 24 frames, steps of 0.2 s, weights of silence by the scores so far."""
    total = len(features)
    extractor.hear(features)
    weights, due, silent, scores, ivectors, known = [], {}, [], [], [], {}
    lag = -(-right // CHUNK)

    def ivector_of(t):
        return ivectors[min(max(t // CHUNK - lag, 0), len(ivectors) - 1)]

    def weigh(ready):
        count = max(-(-ready // 3), len(weights))
        begin = max(0, len(weights) - 100)
        weight = weights[begin - 1] if begin else 0.001
        for frame in range(begin, count):
            if frame < len(silent):
                weight = 0.001 if silent[frame] else 1.0
            if frame == len(weights):
                weights.append(0.0)
            for t in range(3 * frame, 3 * frame + 3):
                due[t] = due.get(t, 0.0) + weight - weights[frame]
            weights[frame] = weight

    def estimate(ready):
        for t in sorted(t for t in due if t < ready):
            change = due.pop(t)
            if abs(change) > 1e-9:
                extractor.add(t, change)
        ivectors.append(extractor.ivector())

    def score(end):
        while len(scores) < min(end, -(-total // 3)):
            scores.append(network.run(source, features, 3 * len(scores), ivector_of, known))
            silent.append(int(numpy.argmax(scores[-1])) // 2 + 1 in SILENCE_PHONES)

    boundaries = sorted({1 + (3200 * n - 400) // 160 for n in range(1, 1000) if 1 + (3200 * n - 400) // 160 < total} | {total})
    for heard in boundaries:
        weigh(max(heard - 1, 0))
        while heard >= (len(ivectors) + 1) * CHUNK + right:
            estimate(heard - 1)
            score(len(ivectors) * CHUNK // 3)
    weigh(total)
    estimate(total)
    score(total)
    return scores


def write(folder, network, source, cases, settings=""):
    (folder / "am").mkdir(parents=True, exist_ok=True)
    (folder / "conf").mkdir(exist_ok=True)
    (folder / "am/final.mdl").write_bytes(network.model(source))
    (folder / "conf/mfcc.conf").write_text(f"--use-energy=false\n--num-mel-bins=23\n--num-ceps={FEATURES}\n")
    (folder / "conf/model.conf").write_text("--acoustic-scale=1.0\n--frame-subsampling-factor=3\n" + settings)
    rounded = lambda rows: [[float(f"{value:.7g}") for value in row] for row in rows]
    cases = [{"features": rounded(features), "scores": rounded(scores)} for features, scores in cases]
    (folder / "cases.json").write_text(json.dumps(cases).replace("}, {", "},\n{") + "\n")


def relu(x): return numpy.maximum(x, 0)


def adapted():
    network = Network([f"input-node name=input dim={FEATURES}", f"input-node name=ivector dim={IVECTOR}"])
    read = lambda node, t: numpy.concatenate([node("input", t - 1), node("input", t), node("input", t + 1), node("ivector", t)])
    descriptor = "Append(Offset(input, -1), input, Offset(input, 1), ReplaceIndex(ivector, t, 0))"
    columns = 3 * FEATURES + IVECTOR
    last = network.affine("lda", None, columns, columns, descriptor, read)
    last = network.affine("tdnn1.affine", last, WIDTH, columns)
    last = network.batch_norm("tdnn1.batchnorm", network.nonlinearity("tdnn1.relu", last, "RectifiedLinear", relu))
    for at, step in ((2, 3), (3, 9), (4, 18)):
        last = network.tdnn(f"tdnn{at}.affine", last, WIDTH, WIDTH, [-step, 0, step])
        last = network.batch_norm(f"tdnn{at}.batchnorm", network.nonlinearity(f"tdnn{at}.relu", last, "RectifiedLinear", relu))
    last = network.affine("output.affine", last, PDFS, WIDTH)
    extractor = Extractor()
    extractor.write(OUT / "adapted/ivector")
    right, cases = 1 + 3 + 9 + 18, []
    for count in (1, 2, 40, 60, 98, 400):
        # Two loudnesses take turns, so that pdfs of silence do too.
        features = draw.normal(0, 1, (count, FEATURES)) * (0.3 + (numpy.arange(count) // 37 % 2))[:, None]
        features = features.astype("f4")
        cases.append((features, adapted_scores(network, last, extractor, features.astype("f8"), right)))
    settings = "--endpoint.silence-phones=" + ":".join(map(str, SILENCE_PHONES)) + "\n"
    write(OUT / "adapted", network, last, cases, settings)


def older():
    network = Network([f"input-node name=input dim={FEATURES}"])
    last = network.affine("lda", "input", FEATURES, FEATURES)
    last = network.affine("tdnn1.affine", last, WIDTH, FEATURES)
    last = network.nonlinearity("tdnn1.sigmoid", last, "Sigmoid", lambda x: 1 / (1 + numpy.exp(-x)))
    last = network.normalise("tdnn1.renorm", last, 0.5)
    last = network.tdnn("tdnn2.affine", last, WIDTH, WIDTH, [-1, 2])
    last = network.nonlinearity("tdnn2.tanh", last, "Tanh", numpy.tanh)
    last = network.batch_norm("tdnn2.batchnorm", last)
    last = network.tdnn("tdnn3.affine", last, WIDTH, WIDTH, [-3, 3])
    last = network.normalise("tdnn3.renorm", network.nonlinearity("tdnn3.relu", last, "RectifiedLinear", relu), 1.0, 5)
    last = network.normalise("tdnn3.again", network.batch_norm("tdnn3.batchnorm", last), 2.0)
    last = network.affine("output.affine", last, PDFS, WIDTH)
    cases = []
    for count in (1, 7, 50):
        features = draw.normal(0, 1, (count, FEATURES)).astype("f4")
        known = {}
        scores = [network.run(last, features.astype("f8"), t, None, known) for t in range(0, count, 3)]
        cases.append((features, scores))
    write(OUT / "older", network, last, cases)


if __name__ == "__main__":
    adapted()
    older()
