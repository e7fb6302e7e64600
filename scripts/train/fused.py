"""The layers of `network.py` as single autograd functions on the CPU, with the element-wise work in `layer.c`.

Same mathematics as the plain modules (`python fused.py` compares values and gradients); about a third
less time a step.
"""

import ctypes
import functools

import torch
import torch.nn.functional as F

import native

_P, _L, _F = ctypes.c_void_p, ctypes.c_long, ctypes.c_float
_SIGNATURES = dict(
    relu_statistics=[_P, _L, _L, _F, _P, _P, _P],
    relu_norm=[_P, _P, _F, _P, _P, _P, _L, _L],
    relu_norm_backward=[_P, _P, _P, _P, _P, _P, _L, _L],
    shift_forward=[_P, _P, _L, _L, _L],
    shift_backward=[_P, _P, _L, _L, _L],
    add_bypass=[_P, _P, _F, _L],
)


@functools.cache
def kernel():
    """The compiled `layer.c`, built beside the training cache on first use."""
    return native.library("layer", flags=["-fopenmp"], signatures=_SIGNATURES)


def _normalise(y, norm, bypass, weight):
    """(relu(y) - mean) / deviation + weight * bypass, the batch's statistics, and the running ones updated."""
    rows, channels = y.numel() // y.shape[-1], y.shape[-1]
    mean, variance, scale = torch.empty(3, channels).unbind(0)
    k = kernel()
    k.relu_statistics(y.data_ptr(), rows, channels, norm.eps, mean.data_ptr(), variance.data_ptr(), scale.data_ptr())
    norm.running_mean.lerp_(mean, norm.momentum)
    norm.running_var.lerp_(variance * (rows / max(rows - 1, 1)), norm.momentum)
    out = torch.empty_like(y)
    k.relu_norm(y.data_ptr(), bypass.data_ptr() if bypass is not None else None, weight, mean.data_ptr(),
                scale.data_ptr(), out.data_ptr(), rows, channels)
    return out, mean, scale


def _normalise_backward(y, g, mean, scale):
    rows, channels = y.numel() // y.shape[-1], y.shape[-1]
    g = g.contiguous()
    dy, bias = torch.empty_like(y), torch.empty(channels)
    kernel().relu_norm_backward(y.data_ptr(), g.data_ptr(), mean.data_ptr(), scale.data_ptr(), dy.data_ptr(),
                                bias.data_ptr(), rows, channels)
    return dy, bias, g


class DenseFunction(torch.autograd.Function):
    """norm(relu(x W' + b))"""

    @staticmethod
    def forward(ctx, x, weight, bias, norm):
        w = weight.to(torch.bfloat16)
        y = F.linear(x, w, bias.to(torch.bfloat16))
        out, mean, scale = _normalise(y, norm, None, 0.0)
        ctx.save_for_backward(x, w, y, mean, scale)
        return out

    @staticmethod
    def backward(ctx, g):
        x, w, y, mean, scale = ctx.saved_tensors
        dy, bias, _ = _normalise_backward(y, g, mean, scale)
        flat = dy.view(-1, dy.shape[-1])
        dx = (flat @ w).view(x.shape) if ctx.needs_input_grad[0] else None
        return dx, (flat.T @ x.reshape(-1, x.shape[-1])).float(), bias, None


def patches_of(x, height, time_stride, height_stride):
    """[time', sequence, height', 9 * inputs]: the 3 x 3 neighbourhoods of a plane, time outermost, channels innermost."""
    time, sequences, width = x.shape
    inputs = width // height
    padded = F.pad(x.view(time, sequences, height, inputs), (0, 0, 1, 1)).contiguous()
    row = (height + 2) * inputs
    shape = ((time - 3) // time_stride + 1, sequences, height // height_stride, 3, 3 * inputs)
    strides = (time_stride * sequences * row, row, height_stride * inputs, sequences * row, 1)
    return padded.as_strided(shape, strides).reshape(*shape[:3], 9 * inputs)


class ConvolutionFunction(torch.autograd.Function):
    """norm(relu(patches W' + b)), statistics by channel over time, sequences and heights."""

    @staticmethod
    def forward(ctx, x, weight, bias, norm, geometry):
        patches = patches_of(x, *geometry)
        w = weight.to(torch.bfloat16)
        y = F.linear(patches, w, bias.to(torch.bfloat16))
        out, mean, scale = _normalise(y, norm, None, 0.0)
        ctx.save_for_backward(patches, w, y, mean, scale)
        ctx.shape, ctx.geometry = x.shape, geometry
        return out

    @staticmethod
    def backward(ctx, g):
        patches, w, y, mean, scale = ctx.saved_tensors
        dy, bias, _ = _normalise_backward(y, g, mean, scale)
        flat = dy.view(-1, dy.shape[-1])
        dw = (flat.T @ patches.view(-1, patches.shape[-1])).float()
        if not ctx.needs_input_grad[0]:
            return None, dw, bias, None, None
        time, sequences, width = ctx.shape
        height, time_stride, height_stride = ctx.geometry
        inputs = width // height
        steps, _, heights, _ = patches.shape
        dpatches = (flat @ w).view(steps, sequences, heights, 3, 3, inputs)
        dx = torch.zeros(time, sequences, height + 2, inputs, dtype=torch.bfloat16)
        for k in range(3):
            rows = dx[k : k + time_stride * (steps - 1) + 1 : time_stride]
            for j in range(3):
                rows[:, :, j : j + height_stride * (heights - 1) + 1 : height_stride] += dpatches[:, :, :, k, j]
        return dx[:, :, 1:-1].reshape(ctx.shape), dw, bias, None, None


class FactoredFunction(torch.autograd.Function):
    """A whole TDNN-F layer: two products, the shifts, ReLU, norm and bypass."""

    @staticmethod
    def forward(ctx, x, linear, affine, bias, norm, weight):
        time, sequences, width = x.shape
        k = linear.shape[0]
        x = x.contiguous()
        taps = linear.view(k, 2, width).transpose(0, 1).reshape(2 * k, width).to(torch.bfloat16)
        w = affine.to(torch.bfloat16)
        both = F.linear(x, taps)
        z = torch.empty(time - 2, sequences, 2 * k, dtype=torch.bfloat16)
        kernel().shift_forward(both.data_ptr(), z.data_ptr(), time, sequences, k)
        y = F.linear(z, w, bias.to(torch.bfloat16))
        out, mean, scale = _normalise(y, norm, x[1:-1], weight)
        ctx.save_for_backward(x, taps, w, z, y, mean, scale)
        ctx.weight = weight
        return out

    @staticmethod
    def backward(ctx, g):
        x, taps, w, z, y, mean, scale = ctx.saved_tensors
        time, sequences, width = x.shape
        k = taps.shape[0] // 2
        dy, bias, g = _normalise_backward(y, g, mean, scale)
        flat = dy.view(-1, width)
        daffine = (flat.T @ z.view(-1, 2 * k)).float()
        dz = flat @ w
        dboth = torch.empty(time * sequences, 2 * k, dtype=torch.bfloat16)
        kernel().shift_backward(dz.data_ptr(), dboth.data_ptr(), time, sequences, k)
        dtaps = dboth.T @ x.view(-1, width)
        dlinear = dtaps.view(2, k, width).transpose(0, 1).reshape(k, 2 * width).float()
        dx = (dboth @ taps).view(x.shape)
        kernel().add_bypass(dx[1:].data_ptr(), g.data_ptr(), ctx.weight, g.numel())
        return dx, dlinear, daffine, bias, None, None


def compare():
    """Value and gradient: the fused network is as near to float32 as the plain one in bfloat16."""
    from network import Network

    torch.manual_seed(0)
    plain = Network(pdfs=50, classes=10, width=64, bottleneck=16, layers=3, channels=(4, 8, 8), prefinal=24)
    torch.nn.init.normal_(plain.output.weight)
    x = torch.randn(3 * 20 + 2 * plain.context - 2, 4, 40)
    results = []
    for fused, half in ((False, False), (False, True), (True, True)):
        plain.zero_grad()
        for module in plain.modules():
            if isinstance(module, torch.nn.BatchNorm1d):
                module.reset_running_stats()
        logits, classes = plain(x.to(torch.bfloat16) if half else x, fused=fused)
        (logits.float().pow(2).mean() + logits.float()[3].sum() * 1e-2).backward()
        gradients = [p.grad.clone() for p in plain.parameters() if p.grad is not None]
        running = [m.running_var.clone() for m in plain.modules() if isinstance(m, torch.nn.BatchNorm1d)]
        results.append([logits.float().detach(), *gradients, *running])
    for exact, plain_half, fused_half in zip(*results):
        error = [float((value - exact).norm() / exact.norm()) for value in (plain_half, fused_half)]
        print(f"{tuple(exact.shape)!s:12} error of plain bfloat16 {error[0]:.4f}, of fused {error[1]:.4f}")


if __name__ == "__main__":
    compare()
