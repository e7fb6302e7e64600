"""The acoustic network: convolutions over time and frequency, then TDNN-F (Povey et al., Interspeech 2018), with frame
subsampling by 3; time-major [time, sequence, channel].

Convolutions are valid in time: the caller repeats the first and last feature frame over the context, which is what the
recogniser does, so training and decoding see the same edges. In frequency they are padded with a zero row on either
side. A row of the plane holds its filters' channels next to each other: value (height, channel) of a frame lies at
height * channels + channel.
"""

import torch
import torch.nn.functional as F
from torch import nn

from fused import ConvolutionFunction, DenseFunction, FactoredFunction, patches_of

BYPASS = 0.66


class Norm(nn.Module):
    """Batch normalisation without learnt scale over [time, sequence], per channel."""

    def __init__(self, channels):
        super().__init__()
        self.norm = nn.BatchNorm1d(channels, affine=False, momentum=0.05)

    def forward(self, x):
        return self.norm(x.reshape(-1, x.shape[-1])).view(x.shape)


class Affine(nn.Module):
    """Linear map in the activations' precision with float32 master weights."""

    def __init__(self, inputs, outputs, bias=True, scale=1.0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) * scale * inputs**-0.5)
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None

    def forward(self, x):
        bias = None if self.bias is None else self.bias.to(x.dtype)
        return F.linear(x, self.weight.to(x.dtype), bias)


def dense(x, affine, norm, fused):
    """norm(relu(affine(x))); `fused` is for bfloat16 training on the CPU."""
    if fused:
        return DenseFunction.apply(x, affine.weight, affine.bias, norm.norm)
    return norm(F.relu(affine(x)))


class Factored(nn.Module):
    """One TDNN-F layer: width -> bottleneck over (-1, 0), bottleneck -> width over (0, +1), ReLU, norm, bypass."""

    def __init__(self, width, bottleneck):
        super().__init__()
        self.bottleneck = bottleneck
        self.linear = Affine(2 * width, bottleneck, bias=False)
        self.affine = Affine(2 * bottleneck, width)
        self.norm = Norm(width)

    def forward(self, x, fused=False):
        if fused:
            return FactoredFunction.apply(x, self.linear.weight, self.affine.weight, self.affine.bias, self.norm.norm, BYPASS)
        # One product with both taps' weights side by side, then a shifted sum of the narrow results.
        k = self.bottleneck
        width = x.shape[-1]
        taps = self.linear.weight.view(k, 2, width).transpose(0, 1).reshape(2 * k, width)
        both = F.linear(x, taps.to(x.dtype))
        z = both[:-1, :, :k] + both[1:, :, k:]
        y = self.affine(torch.cat([z[:-1], z[1:]], dim=-1))
        return torch.add(self.norm(F.relu(y)), x[1:-1], alpha=BYPASS)


class Convolution(nn.Module):
    """3 x 3 over time and frequency: [time, sequence, height * inputs] -> [time', sequence, height' * outputs]."""

    def __init__(self, inputs, outputs, height, time_stride, height_stride):
        super().__init__()
        self.height, self.time_stride, self.height_stride = height, time_stride, height_stride
        self.affine = Affine(9 * inputs, outputs)
        self.norm = Norm(outputs)

    def forward(self, x, fused=False):
        geometry = (self.height, self.time_stride, self.height_stride)
        if fused:
            y = ConvolutionFunction.apply(x, self.affine.weight, self.affine.bias, self.norm.norm, geometry)
        else:
            y = self.norm(F.relu(self.affine(patches_of(x, *geometry))))
        return y.flatten(2)


class Network(nn.Module):
    """[3 T + context, sequences, 40] log-mel -> [T, sequences, pdfs] pseudo-log-likelihoods and [T, sequences, classes]."""

    def __init__(self, pdfs, classes, width=640, bottleneck=128, layers=10, channels=(32, 64, 96), prefinal=256, inputs=40):
        super().__init__()
        self.shape = dict(pdfs=pdfs, classes=classes, width=width, bottleneck=bottleneck, layers=layers,
                          channels=list(channels), prefinal=prefinal, inputs=inputs)
        first, second, third = channels
        self.conv1 = Convolution(1, first, inputs, 1, 1)
        self.conv2 = Convolution(first, second, inputs, 3, 2)
        self.conv3 = Convolution(second, third, inputs // 2, 1, 2)
        self.stack = Affine(inputs // 4 * third, width)
        self.stack_norm = Norm(width)
        self.layers = nn.ModuleList(Factored(width, bottleneck) for _ in range(layers))
        self.prefinal = Affine(width, prefinal)
        self.prefinal_norm = Norm(prefinal)
        self.output = Affine(prefinal, pdfs, scale=0.0)
        self.classes = Affine(width, classes, scale=0.0)

    @property
    def context(self):
        """Feature frames needed on either side of the centre of an output."""
        return 3 * len(self.layers) + 5

    def trunk(self, x, fused):
        for convolution in (self.conv1, self.conv2, self.conv3):
            x = convolution(x, fused)
        x = dense(x, self.stack, self.stack_norm, fused)
        for layer in self.layers:
            x = layer(x, fused)
        return x

    def forward(self, x, fused=False):
        x = self.trunk(x, fused)
        y = dense(x, self.prefinal, self.prefinal_norm, fused)
        return self.output(y), self.classes(x)


class Optimiser:
    """Muon (orthogonalised momentum, Jordan 2024, with the update scale of Liu et al. 2025) for the inner matrices, AdamW for the rest."""

    INNER = ("conv2", "conv3", "stack", "layers", "prefinal")

    def __init__(self, network, decay=0.05, muon=True):
        hidden, self.rest = [], []
        for name, parameter in network.named_parameters():
            inner = parameter.ndim == 2 and name.startswith(self.INNER)
            (hidden if inner and muon else self.rest).append(parameter)
        self.hidden, self.decay = hidden, decay
        self.momentum = [torch.zeros_like(p) for p in hidden]
        self.adam = torch.optim.AdamW(self.rest, betas=(0.9, 0.98), weight_decay=decay, eps=1e-9)

    def state_dict(self):
        return dict(momentum=self.momentum, adam=self.adam.state_dict())

    def load_state_dict(self, state):
        for own, saved in zip(self.momentum, state["momentum"]):
            own.copy_(saved)
        self.adam.load_state_dict(state["adam"])

    @staticmethod
    def orthogonalise(matrix, steps=5):
        x = matrix.to(torch.bfloat16)
        tall = x.shape[0] > x.shape[1]
        if tall:
            x = x.T
        x = x / (x.norm() + 1e-7)
        for _ in range(steps):
            gram = x @ x.T
            x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
        return (x.T if tall else x).to(matrix.dtype)

    @torch.no_grad()
    def step(self, rate):
        for group in self.adam.param_groups:
            group["lr"] = rate
        self.adam.step()
        for parameter, momentum in zip(self.hidden, self.momentum):
            momentum.mul_(0.95).add_(parameter.grad)
            update = self.orthogonalise(parameter.grad + 0.95 * momentum)
            parameter.mul_(1 - rate * self.decay)
            parameter.add_(update, alpha=-rate * 0.2 * max(parameter.shape) ** 0.5)
        for parameter in self.hidden:
            parameter.grad = None
        self.adam.zero_grad(set_to_none=True)
