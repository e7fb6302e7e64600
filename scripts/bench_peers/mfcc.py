"""MFCC against kaldi-native-fbank with the same configuration.

Its Python binding turns the samples into a list of doubles one by one. That is not its features' time: it is measured
with a window that never shifts a second time, and taken off.
"""

import json
import time

import kaldi_native_fbank as knf
import numpy as np
from ours import MODEL, Stage, peak_mb
from ratios import Times
from wav import samples


def options(frame_shift_ms=None):
    """The model's features in kaldi-native-fbank's terms."""
    feature = json.loads((MODEL / "model.json").read_text())["feature"]
    made = knf.MfccOptions()
    made.frame_opts.samp_freq = feature["sample_rate"]
    made.frame_opts.frame_length_ms = feature["frame_length_ms"]
    made.frame_opts.frame_shift_ms = frame_shift_ms or feature["frame_shift_ms"]
    made.frame_opts.dither = 0.0
    made.frame_opts.snip_edges = feature["snip_edges"]
    made.frame_opts.preemph_coeff = feature["preemphasis"]
    made.frame_opts.window_type = feature["window"]
    made.mel_opts.num_bins = feature["num_bins"]
    made.mel_opts.low_freq = feature["low_hz"]
    made.mel_opts.high_freq = feature["high_hz"]
    made.num_ceps = feature["num_ceps"]
    made.cepstral_lifter = feature["cepstral_lifter"]
    made.use_energy = False
    return made


def accept(options, signal):
    """Seconds that the frames of a signal take, and the stream that holds them."""
    stream = knf.OnlineMfcc(options)
    begin = time.process_time()
    stream.accept_waveform(16000, signal)
    return time.process_time() - begin, stream


def run(args, work):
    """The median ratio."""
    before, begin = peak_mb(), time.process_time()
    knf.OnlineMfcc(options())
    loading = time.process_time() - begin
    ours, times, differences = Stage("features", "--model", MODEL), Times(), []
    out = work.folder / "features.npy"
    one_frame = 1e6
    for _ in range(args.rounds):
        for file in work.wavs:
            signal = samples(file).astype(np.float32)
            seconds, _ = ours.ask(file, out)
            times.add("ours", file.stem, seconds)
            seconds, stream = accept(options(), signal)
            times.add("with conversion", file.stem, seconds)
            times.add("conversion", file.stem, accept(options(one_frame), signal)[0])
            theirs = np.stack([stream.get_frame(i) for i in range(stream.num_frames_ready)])
            differences.append(np.abs(np.load(out) - theirs).max())
    for file in work.wavs:
        both = times.least["with conversion"][file.stem] - times.least["conversion"][file.stem]
        times.add("kaldi-native-fbank", file.stem, both)
    ratio = times.ratio(f"MFCC, largest difference {max(differences):.1e}", "ours", "kaldi-native-fbank")
    print(f"loading: {ours.loading:.4f} s against {loading:.4f} s; memory: {ours.close():.0f} MB in all "
          f"against {peak_mb() - before:.0f} MB more than before")
    return {"mfcc": ratio}
