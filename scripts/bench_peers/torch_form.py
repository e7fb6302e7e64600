"""Our network in PyTorch, on one thread: the same two forms as in ONNX, and products in 8 bits quantised on the fly."""

import time
import warnings

import torch
from torch import nn

torch.set_num_threads(1)


class Layer(nn.Module):
    """One layer of a form: product, ReLU, normalisation, bypass."""

    def __init__(self, form, index):
        super().__init__()
        layer = form.layers[index]
        self.form, self.index, self.layer = form, index, layer
        weight = self.values("weight")
        outputs, taps = layer["output_dim"], len(layer["offsets"])
        if form.convolution:
            self.product = nn.Conv1d(weight.shape[1] // taps, outputs, taps, layer["stride"], dilation=self.dilation())
            weight = weight.reshape(outputs, taps, -1).permute(0, 2, 1)
        else:
            self.product = nn.Linear(weight.shape[1], outputs)
        self.product.weight.data = weight.contiguous()
        self.product.bias.data = self.values("bias") if layer["bias"] else torch.zeros(outputs)
        if layer["norm"]:
            shape = (1, -1, 1) if form.convolution else (1, -1)
            self.scale, self.shift = (self.values(kind).reshape(shape) for kind in ("scale", "shift"))

    def values(self, kind):
        return torch.from_numpy(self.form.values(self.layer, kind))

    def dilation(self):
        offsets = self.layer["offsets"]
        return offsets[1] - offsets[0] if len(offsets) > 1 else 1

    def cut(self, x, first, last, step=1):
        """Without `first` frames at the start and `last` at the end, and every `step`-th of the rest."""
        last = x.shape[self.form.time_axis] - last
        return x[:, :, first:last:step] if self.form.convolution else x[first:last:step]

    def forward(self, held):
        """The output, given those of all layers below."""
        form, index, layer = self.form, self.index, self.layer
        x = held[index]
        if form.convolution:
            x = self.cut(x, *form.unread(index))
        else:
            taps = [self.cut(x, *ends, layer["stride"]) for ends in form.taps(index)]
            x = torch.cat(taps, 1) if len(taps) > 1 else taps[0]
        x = self.product(x)
        if layer["relu"]:
            x = torch.relu_(x)
        if layer["norm"]:
            x = torch.addcmul(self.shift, x, self.scale)
        if "bypass" in layer:
            source, *ends = form.around(index)
            x = x.add_(self.cut(held[source], *ends), alpha=layer["bypass"]["scale"])
        return x


class TorchNetwork(nn.Module):
    """All layers of a form; `input` and `scores` as onnxruntime's side has them."""

    def __init__(self, form):
        super().__init__()
        self.form = form
        self.layers = nn.ModuleList(Layer(form, index) for index in range(len(form.layers)))
        self.eval()

    def forward(self, x):
        held = [x]
        for layer in self.layers:
            held.append(layer(held))
        return held[-1]

    def run(self, inputs):
        """Seconds and outputs."""
        inputs = [torch.from_numpy(x) for x in inputs]
        with torch.inference_mode():
            begin = time.process_time()
            found = [self(x) for x in inputs]
            seconds = time.process_time() - begin
        return seconds, [f.numpy() for f in found]


def networks(forms):
    """PyTorch's forms by name, given both forms of the network."""
    made = {}
    for name, form in forms.items():
        made[f"PyTorch fp32, {name}"] = TorchNetwork(form)
        if not form.convolution:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                made[f"PyTorch int8, {name}, on the fly"] = torch.ao.quantization.quantize_dynamic(
                    TorchNetwork(form), {nn.Linear}, dtype=torch.qint8
                )
    return made
