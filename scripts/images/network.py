"""The seven versions: convolutional networks of rising width and depth, v1 the fastest, v7 the most accurate.

All have one plan (He et al., 2016, at the size of the images): a 3×3 convolution of stride 2 to `width` channels at 14×14;
`blocks` residual blocks; where `deep`, a convolution of stride 2 to twice the channels at 7×7 and as many blocks again;
the average over each quarter of the plane; a linear layer to ten classes. Batch normalisation follows every convolution.
"""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

MEAN, DEVIATION = 0.286, 0.353
"""Of the training part's pixels, as fractions of white."""


@dataclass(frozen=True)
class Version:
    """One operating point: the network's size, and how long it is trained."""

    width: int
    blocks: int
    deep: bool
    epochs: int


VERSIONS = {
    "v1": Version(8, 0, True, 8),
    "v2": Version(8, 1, False, 8),
    "v3": Version(8, 1, True, 8),
    "v4": Version(16, 1, True, 8),
    "v5": Version(24, 2, True, 8),
    "v6": Version(32, 2, True, 8),
    "v7": Version(48, 2, True, 8),
}


class Unit(nn.Module):
    """Convolution and batch normalisation: (batch, taken, h, w) → (batch, given, h / stride, w / stride)."""

    def __init__(self, taken, given, stride=1):
        super().__init__()
        self.convolution = nn.Conv2d(taken, given, 3, stride, 1, bias=False)
        self.norm = nn.BatchNorm2d(given)

    def forward(self, planes):
        return self.norm(self.convolution(planes))

    def fuse(self):
        """Puts the normalisation into the convolution's weights: the same function in fewer steps."""
        self.convolution, self.norm = fuse_conv_bn_eval(self.convolution, self.norm), nn.Identity()


class Block(nn.Module):
    """Two units with a shortcut round them; the shape stays."""

    def __init__(self, width):
        super().__init__()
        self.first, self.second = Unit(width, width), Unit(width, width)

    def forward(self, planes):
        return torch.relu(planes + self.second(torch.relu(self.first(planes))))


def build(version):
    """The network of a version: images (batch, 1, 28, 28), normalised, → logits (batch, 10)."""
    width = version.width
    layers = [Unit(1, width, 2), nn.ReLU()] + [Block(width) for _ in range(version.blocks)]
    if version.deep:
        layers += [Unit(width, 2 * width, 2), nn.ReLU()] + [Block(2 * width) for _ in range(version.blocks)]
        width *= 2
    layers += [nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * width, 10)]
    return nn.Sequential(*layers).to(memory_format=torch.channels_last)


def fused(network):
    """The network ready for use: in evaluation mode, its normalisations fused."""
    network.eval()
    for module in network.modules():
        if isinstance(module, Unit):
            module.fuse()
    return network


def normalised(images):
    """uint8 (batch, 28, 28) → float (batch, 1, 28, 28) of mean 0 and deviation 1."""
    return images.unsqueeze(1).float().div_(255 * DEVIATION).sub_(MEAN / DEVIATION)
