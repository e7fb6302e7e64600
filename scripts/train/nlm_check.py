#!/usr/bin/env python3
"""Checks the kernels of `nlm.c`, and what stands for them in `nlm_gpu.py`, against plain tensor operations: values and gradients.

    python nlm_check.py
"""

import torch

import nlm_gpu
from nlm_network import Lstm, Network, SampledLoss, Shape


def plain_lstm(x, keep, h, c, w_x, w_h, bias, w_p):
    out = []
    for t in range(len(x)):
        kept = keep[t].unsqueeze(1).float()
        gates = x[t] @ w_x.t() + (h * kept) @ w_h.t() + bias
        i, f, u, o = gates.chunk(4, 1)
        c = f.sigmoid() * c * kept + i.sigmoid() * u.tanh()
        h = (o.sigmoid() * c.tanh()) @ w_p.t()
        out.append(h)
    return torch.stack(out)


def compare(name, ours, plain, tolerance):
    """Prints and bounds the relative error."""
    error = ((ours.float() - plain).norm() / plain.norm()).item()
    print(f"{name}: relative error {error:.4f}")
    assert error < tolerance, name


def check_lstm():
    torch.manual_seed(1)
    steps, batch, width, cell = 7, 16, 32, 48
    x = torch.randn(steps, batch, width)
    keep = (torch.rand(steps, batch) > 0.3).to(torch.uint8)
    h, c = torch.randn(batch, width) * 0.3, torch.randn(batch, cell) * 0.3
    weights = [torch.randn(4 * cell, width) * 0.2, torch.randn(4 * cell, width) * 0.2, torch.randn(4 * cell) * 0.1,
               torch.randn(width, cell) * 0.2]
    x, h, *weights = [t.bfloat16().float() for t in (x, h, *weights)]
    inputs = [t.clone().requires_grad_() for t in (x, *weights)]
    plain = plain_lstm(inputs[0], keep, h, c, *inputs[1:])
    seed = torch.randn_like(plain)
    gradients = torch.autograd.grad(plain, inputs, seed)
    ours_in = [x.bfloat16().requires_grad_(), *[t.clone().requires_grad_() for t in weights]]
    ours, _, _ = Lstm.apply(ours_in[0], keep, h.bfloat16(), c, *ours_in[1:])
    compare("outputs", ours, plain, 0.02)
    found = torch.autograd.grad(ours, ours_in, seed.bfloat16())
    for name, a, b in zip(["x", "w_x", "w_h", "bias", "w_p"], found, gradients):
        compare(f"gradient of {name}", a, b, 0.03)


def check_loss():
    torch.manual_seed(2)
    rows, words, width, alpha = 300, 64, 32, 0.1
    h, table, bias = torch.randn(rows, width), torch.randn(words, width) * 0.3, torch.randn(words)
    h, table = h.bfloat16().float(), table.bfloat16().float()
    own = torch.randint(0, words, (rows,))
    weight = (torch.rand(rows) > 0.2).float() / rows
    # All words once are the candidates: the sum is exact.
    inputs = [t.clone().requires_grad_() for t in (h, table, bias)]
    scores = inputs[0] @ inputs[1].t() + inputs[2]
    log_z = scores.logsumexp(1)
    loss = (weight * (log_z - scores.gather(1, own.unsqueeze(1)).squeeze(1) + alpha * log_z**2)).sum()
    gradients = torch.autograd.grad(loss, inputs)
    mine = [h.bfloat16().requires_grad_(), table.bfloat16().requires_grad_(), bias.clone().requires_grad_()]
    everything = torch.arange(words)
    ours, found_z = SampledLoss.apply(mine[0], mine[1], mine[2], mine[1][own], mine[2][own], everything.int(), own.int(),
                                      weight, alpha)
    compare("ln Z", found_z, log_z.detach(), 0.01)
    plain = (weight * (log_z - scores.gather(1, own.unsqueeze(1)).squeeze(1))).sum().detach()
    compare("loss", ours.detach(), plain, 0.01)
    for name, a, b in zip(["h", "table", "bias"], torch.autograd.grad(ours, mine), gradients):
        compare(f"gradient of {name}", a, b, 0.03)
    mine = [t.clone().requires_grad_() for t in (h, table, bias)]
    ours, found_z = nlm_gpu.Softmax.apply(*mine, mine[1][own], mine[2][own], everything, own, weight, alpha)
    compare("ln Z on a GPU", found_z, log_z.detach(), 0.01)
    compare("loss on a GPU", ours.detach(), plain, 0.01)
    for name, a, b in zip(["h", "table", "bias"], torch.autograd.grad(ours, mine), gradients):
        compare(f"gradient of {name} on a GPU", a, b, 0.03)


@torch.no_grad()
def check_sentences():
    torch.manual_seed(3)
    net = Network(Shape(words=64, frequent=32, width=32, narrow=8, cell=48), torch.ones(64).numpy())
    x = torch.randn(7, 16, 32).bfloat16()
    keep = torch.ones(7, 16, dtype=torch.uint8)
    plain, _ = net.lstm(x, keep, net.state(16))
    compare("the library's LSTM", nlm_gpu.lstm(net, x.float()), plain.float(), 0.02)


if __name__ == "__main__":
    check_lstm()
    check_loss()
    check_sentences()
