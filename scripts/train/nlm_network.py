"""The neural language model: one LSTM with a projection between tied tables of word vectors.

The frequent words have vectors of full width, the others short ones that a matrix widens. Training
normalises over the frequent words and a sample of the others, each weighted by one over its expected
count in the sample, so that the normaliser is unbiased [Bengio and Senécal 2003]; a penalty on ln² Z
keeps it near one, so that it need not be computed at use [Devlin et al. 2014].
"""

import ctypes
import dataclasses
import functools
import math

import numpy as np
import torch
import torch.nn.functional as F

import native

_P, _L, _F = ctypes.c_void_p, ctypes.c_long, ctypes.c_float
_SIGNATURES = dict(
    cell_forward=[_P] * 5 + [_L] * 2,
    cell_backward=[_P] * 6 + [_L] * 2,
    sampled_softmax=[_P] * 6 + [_F] + [_P] * 3 + [_L] * 2,
)
ROWS = 256  # rows of scores at a time, so that they stay in the processor's cache


@functools.cache
def kernel():
    """The compiled `nlm.c`, built beside the training cache on first use."""
    return native.library("nlm", flags=["-mprefer-vector-width=512"], signatures=_SIGNATURES)


@dataclasses.dataclass
class Shape:
    """Sizes of the network."""

    words: int = 65_536
    frequent: int = 8_192  # words with vectors of full width
    width: int = 256  # of word vectors and of the projected state
    narrow: int = 64  # of the other words' vectors
    cell: int = 768


class Lstm(torch.autograd.Function):
    """A layer over (time, batch, width) inputs; returns its outputs and last state."""

    @staticmethod
    def forward(ctx, x, keep, h, c, w_x, w_h, bias, w_p):
        k = kernel()
        steps, batch, width = x.shape
        cell = w_p.shape[1]
        gates = torch.addmm(bias.bfloat16(), x.reshape(-1, width), w_x.bfloat16().t()).view(steps, batch, 4 * cell)
        wh, wp = w_h.bfloat16().t().contiguous(), w_p.bfloat16().t().contiguous()
        cells = torch.empty(steps + 1, batch, cell)
        cells[0] = c
        middle = torch.empty(steps, batch, cell, dtype=torch.bfloat16)
        entering = torch.empty(steps, batch, width, dtype=torch.bfloat16)
        out = torch.empty(steps, batch, width, dtype=torch.bfloat16)
        kept = keep.to(torch.bfloat16).unsqueeze(2)
        for t in range(steps):
            torch.mul(h if t == 0 else out[t - 1], kept[t], out=entering[t])
            gates[t].addmm_(entering[t], wh)
            k.cell_forward(gates[t].data_ptr(), cells[t].data_ptr(), keep[t].data_ptr(), cells[t + 1].data_ptr(),
                           middle[t].data_ptr(), batch, cell)
            torch.mm(middle[t], wp, out=out[t])
        ctx.save_for_backward(x, keep, w_x, w_h, w_p, gates, cells, middle, entering, kept)
        return out, out[-1].clone(), cells[-1].clone()

    @staticmethod
    def backward(ctx, d_out, _h, _c):
        x, keep, w_x, w_h, w_p, gates, cells, middle, entering, kept = ctx.saved_tensors
        k = kernel()
        steps, batch, width = x.shape
        cell = w_p.shape[1]
        wx, wh, wp = w_x.bfloat16(), w_h.bfloat16(), w_p.bfloat16()
        d_out = d_out.contiguous().clone()
        d_middle = torch.empty(batch, cell, dtype=torch.bfloat16)
        carry = torch.zeros(batch, cell)
        for t in reversed(range(steps)):
            torch.mm(d_out[t], wp, out=d_middle)
            k.cell_backward(gates[t].data_ptr(), cells[t].data_ptr(), keep[t].data_ptr(), cells[t + 1].data_ptr(),
                            d_middle.data_ptr(), carry.data_ptr(), batch, cell)
            if t > 0:
                d_out[t - 1].addcmul_(torch.mm(gates[t], wh), kept[t])
        flat = gates.view(-1, 4 * cell)
        d_x = torch.mm(flat, wx).view(steps, batch, width)
        d_wx = torch.mm(flat.t(), x.reshape(-1, width)).float()
        d_wh = torch.mm(flat.t(), entering.view(-1, width)).float()
        d_wp = torch.mm(d_out.view(-1, width).t(), middle.view(-1, cell)).float()
        return d_x, None, None, None, d_wx, d_wh, flat.sum(0, dtype=torch.float32), d_wp


class SampledLoss(torch.autograd.Function):
    """Sum over rows of weight * (ln Z - score of the target + alpha ln² Z), Z from the candidates."""

    @staticmethod
    def forward(ctx, h, table, bias, own_vectors, own_bias, word, own_word, weight, alpha):
        k = kernel()
        rows, candidates = len(h), len(table)
        target = (h.float() * own_vectors.float()).sum(1) + own_bias
        t = table.t()
        d_h, d_table = torch.empty_like(h), torch.zeros(table.shape, dtype=torch.float32)
        d_bias = torch.zeros(candidates)
        d_target, log_z = torch.empty(rows), torch.empty(rows)
        scores = torch.empty(ROWS, candidates, dtype=torch.bfloat16)
        for at in range(0, rows, ROWS):
            part = slice(at, min(at + ROWS, rows))
            n = part.stop - at
            s = scores[:n]
            torch.mm(h[part], t, out=s)
            k.sampled_softmax(s.data_ptr(), bias.data_ptr(), word.data_ptr(), own_word[part].data_ptr(),
                              target[part].data_ptr(), weight[part].data_ptr(), alpha, d_target[part].data_ptr(),
                              d_bias.data_ptr(), log_z[part].data_ptr(), n, candidates)
            torch.mm(s, table, out=d_h[part])
            d_table += torch.mm(s.t(), h[part])
        d = d_target.unsqueeze(1)
        ctx.save_for_backward(d_h.float() + d * own_vectors.float(), d_table, d_bias, d * h.float(), d_target)
        loss = (weight * (log_z - target)).sum()
        return loss, log_z

    @staticmethod
    def backward(ctx, g, _):
        d_h, d_table, d_bias, d_own, d_target = ctx.saved_tensors
        return ((g * d_h).bfloat16(), (g * d_table).bfloat16(), g * d_bias, (g * d_own).bfloat16(), g * d_target,
                None, None, None, None)


class Network(torch.nn.Module):
    """Parameters, and what is computed from them."""

    def __init__(self, shape: Shape, counts):
        super().__init__()
        self.shape = shape
        s = shape
        rate = torch.from_numpy(np.log(np.maximum(counts, 0.3) / counts.sum())).float()
        self.bias = torch.nn.Parameter(rate)
        self.full = torch.nn.Parameter(torch.randn(s.frequent, s.width) * 0.1)
        self.short = torch.nn.Parameter(torch.randn(s.words - s.frequent, s.narrow) * 0.1)
        self.widen = torch.nn.Parameter(torch.randn(s.width, s.narrow) / math.sqrt(s.narrow))
        uniform = lambda *size: torch.nn.Parameter((torch.rand(*size) * 2 - 1) / math.sqrt(size[-1]))
        self.w_x = uniform(4 * s.cell, s.width)
        self.w_h = uniform(4 * s.cell, s.width)
        self.w_p = uniform(s.width, s.cell)
        bias = torch.zeros(4, s.cell)
        bias[1] = 1.0  # remember at first
        self.gate_bias = torch.nn.Parameter(bias.flatten())

    def vectors(self, words, kind=torch.bfloat16):
        """(n, width) vectors of words by rank, in numbers of a kind."""
        s = self.shape
        rare = words >= s.frequent
        out = F.embedding(torch.where(rare, 0, words), self.full).to(kind)
        at = rare.nonzero().squeeze(1)
        short = F.embedding(words[at] - s.frequent, self.short).to(kind)
        return out.index_copy(0, at, F.linear(short, self.widen.to(kind)))

    def table(self):
        """(words, width): all vectors."""
        return torch.cat([self.full, F.linear(self.short, self.widen)])

    def state(self, batch):
        return torch.zeros(batch, self.shape.width, dtype=torch.bfloat16), torch.zeros(batch, self.shape.cell)

    def lstm(self, x, keep, state):
        out, h, c = Lstm.apply(x, keep, *state, self.w_x, self.w_h, self.gate_bias, self.w_p)
        return out, (h.detach(), c.detach())


class Sampler:
    """Draws the words that stand for the rare ones in the normaliser."""

    def __init__(self, counts, always: int, drawn: int, power=0.6):
        q = np.maximum(counts[always:], 0.0) ** power
        q[counts[always:] == 0] = 0.0
        self.q = q / q.sum()
        self.cumulative = np.cumsum(self.q)
        self.always, self.drawn = always, drawn

    def draw(self, rng):
        """Ranks of the candidates, and the logarithm of each one's expected count."""
        at = np.searchsorted(self.cumulative, rng.random(self.drawn))
        at = np.minimum(at, len(self.q) - 1)
        words = np.concatenate([np.arange(self.always), at + self.always])
        log_count = np.concatenate([np.zeros(self.always), np.log(self.drawn * self.q[at])])
        return torch.from_numpy(words), torch.from_numpy(log_count).float()


class Tally:
    """What perplexity comes from, summed over parts of a text."""

    def __init__(self):
        self.cost, self.words, self.square = 0.0, 0, 0.0

    def add(self, scores, own, known):
        """Counts the rows that `known` has, by exact normalisation."""
        log_z = scores.logsumexp(1)
        cost = log_z - scores.gather(1, own.unsqueeze(1)).squeeze(1)
        self.cost += cost[known].sum().item()
        self.words += int(known.sum())
        self.square += (log_z[known] ** 2).sum().item()

    def result(self):
        """Perplexity, and the root mean square of ln Z."""
        return math.exp(self.cost / self.words), (self.square / self.words) ** 0.5
