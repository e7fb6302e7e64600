"""The acoustic model's forward pass against onnxruntime and PyTorch: the same network, in floats and in 8-bit integers.

onnxruntime gets the network as convolutions and as matrix products, and in 8 bits quantised on the fly and ahead of time
(calibrated on the same utterances), PyTorch (with --torch) the same but for the last; of each the fastest form counts.
Streaming: all get the frames in chunks. We carry activations over from chunk to chunk; the peers' networks have none to
carry and get each chunk with its context again.
"""

import logging
import time

import numpy as np
import onnxruntime
from onnx_form import Form
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_dynamic, quantize_static
from ours import MODEL, Stage, peak_mb
from ratios import Times

SUBSAMPLING = 3
CALIBRATION_UTTERANCES = 5


class OnnxNetwork:
    """The network in onnxruntime, on one thread."""

    def __init__(self, path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def run(self, inputs):
        """Seconds and outputs."""
        begin = time.process_time()
        found = [self.session.run(None, {"x": x})[0] for x in inputs]
        return time.process_time() - begin, found


class Peer:
    """A network in some form."""

    def __init__(self, network, form):
        self.network, self.form = network, form

    def input(self, features, first=0, last=None):
        """Output frames `first` to `last` need these frames, edges repeated."""
        last = last or -(-len(features) // SUBSAMPLING)
        left, right = self.form.context()
        frames = np.arange(first * SUBSAMPLING - left, (last - 1) * SUBSAMPLING + right + 1)
        x = features[np.clip(frames, 0, len(features) - 1)]
        return np.ascontiguousarray(x.T[None]) if self.form.convolution else x

    def scores(self, features, chunk):
        """Seconds and scores; chunk 0: all frames at once."""
        outputs = -(-len(features) // SUBSAMPLING)
        step = chunk // SUBSAMPLING or outputs
        inputs = [self.input(features, u, min(u + step, outputs)) for u in range(0, outputs, step)]
        seconds, found = self.network.run(inputs)
        return seconds, np.concatenate([f[0].T if self.form.convolution else f for f in found])


class Calibration(CalibrationDataReader):
    """Some utterances, one after the other."""

    def __init__(self, form, files):
        left, right = form.context()
        pad = ((left, right), (0, 0))
        features = (np.pad(np.load(file), pad, mode="edge") for file in files[:CALIBRATION_UTTERANCES])
        self.rest = iter([{"x": f.T[None] if form.convolution else f} for f in features])

    def get_next(self):
        return next(self.rest, None)


def onnx_networks(forms, work):
    """onnxruntime's forms by name."""
    logging.getLogger().setLevel(logging.ERROR)  # Else quantisation recommends itself a pre-processing that changes nothing here.
    made = {}
    for name, form in forms.items():
        path = work.folder / f"{name}.onnx"
        form.save(path)
        made[f"onnxruntime fp32, {name}"] = OnnxNetwork(path)
        static = work.folder / f"{name}-static.onnx"
        calibration = Calibration(form, work.features)
        quantize_static(path, static, calibration, per_channel=not form.convolution, weight_type=QuantType.QInt8)
        made[f"onnxruntime int8, {name}, ahead of time"] = OnnxNetwork(static)
        if not form.convolution:
            dynamic = work.folder / f"{name}-dynamic.onnx"
            quantize_dynamic(path, dynamic, weight_type=QuantType.QInt8)
            made[f"onnxruntime int8, {name}, on the fly"] = OnnxNetwork(dynamic)
    return made


def peers(args, work):
    """All peers by name: program, precision and form."""
    forms = {"convolutions": Form(MODEL, True), "products": Form(MODEL, False)}
    networks = onnx_networks(forms, work)
    if args.torch:
        from torch_form import networks as torch_networks

        networks |= torch_networks(forms)
    return {name: Peer(network, forms[name.split(", ")[1]]) for name, network in networks.items()}


def compare(ours, theirs, work, chunk, rounds):
    """Everybody's times over all utterances, and the peers' greatest differences from our floats."""
    times, difference, out = Times(), {}, work.folder / "scores.npy"
    for _ in range(rounds):
        for file in work.features:
            features = np.load(file).astype(np.float32)
            for name, stage in ours.items():
                times.add(name, file.stem, stage.ask(file, chunk, out)[0])
                if name == "our fp32":
                    scores = np.load(out)
            for name, peer in theirs.items():
                seconds, found = peer.scores(features, chunk)
                times.add(name, file.stem, seconds)
                difference[name] = max(difference.get(name, 0), float(np.abs(found - scores).max()))
    return times, difference


def run(args, work):
    """The median ratios of whole utterances and of chunks, the smaller of both."""
    before, begin = peak_mb(), time.process_time()
    theirs = peers(args, work)
    print(f"peers: {time.process_time() - begin:.2f} s to convert, calibrate and load all forms")
    precisions = {"our fp32": "f32", "our int8": "int8"}
    ours = {name: Stage("network", "--model", MODEL, "--precision", p) for name, p in precisions.items()}
    medians = {"acoustic_fp32": [], "acoustic_int8_over_fp32": []}
    programs = sorted({name.split()[0] for name in theirs}, reverse=True)
    for chunk in 0, args.chunk:
        times, difference = compare(ours, theirs, work, chunk, args.rounds)
        print(f"chunks of {chunk} frames" if chunk else "whole utterances")
        for name in theirs:
            print(f"  {name}: {times.total(name):.3f} s, largest difference {difference[name]:.1e}")
        for program in programs:
            fp32, int8 = (times.fastest([n for n in theirs if n.startswith(f"{program} {p}")]) for p in ("fp32", "int8"))
            ratio = times.ratio(f"  fp32, {fp32}", "our fp32", fp32)
            if program == "onnxruntime":
                medians["acoustic_fp32"].append(ratio)
            times.ratio(f"  int8, {int8}", "our int8", int8)
        medians["acoustic_int8_over_fp32"].append(times.ratio("  int8, our fp32", "our int8", "our fp32"))
    for name, stage in ours.items():
        print(f"{name}: loading {stage.loading:.3f} s, memory {stage.close():.0f} MB in all")
    print(f"all forms of the peers and their making: {peak_mb() - before:.0f} MB")
    return {name: min(ratios) for name, ratios in medians.items()}
