"""Convolutions of sequences (B, T, C) and images (B, H, W, C), and pooling over their windows.

Channels come last; weights are laid out as PyTorch's: (out, in / groups, *kernel) for a
convolution, (in, out / groups, *kernel) for a transposed one. As everywhere in this field,
"convolution" means correlation: the kernel is not turned round.
"""

from collections.abc import Sequence
from typing import Any

from minitx.autograd.functions.shape import reshape
from minitx.autograd.rules import convolution as rules
from minitx.autograd.rules.unfolding import unfold_
from minitx.autograd.tensor import Tensor, wrap_constant

Like = Any
Lengths = int | Sequence[int]  # one number for all axes, or one per axis
Padding = str | int | Sequence[int] | Sequence[tuple[int, int]]


def conv1d(x: Like, weight: Like, bias: Like | None = None, stride: Lengths = 1,
           padding: Padding = 0, dilation: Lengths = 1, groups: int = 1) -> Tensor:  # fmt: skip
    """y[t, o] = bias[o] + sum_{k, c} weight[o, c, k] x[t stride + k dilation - padding, c].

    x (B, T, C), weight (O, C / groups, K) -> (B, T', O). ``padding`` is a number of zeros for both
    ends, a pair ((before, after),), "same" (T' = T, the odd zero after), "causal" (T' = T, all
    zeros before) or "valid". Each of the ``groups`` equal parts of the outputs hears its own part
    of the inputs only. Raises ValueError when shapes or lengths do not fit.
    """
    return _conv("conv1d", 1, x, weight, bias, (stride, padding, dilation, groups))


def conv2d(x: Like, weight: Like, bias: Like | None = None, stride: Lengths = 1,
           padding: Padding = 0, dilation: Lengths = 1, groups: int = 1) -> Tensor:  # fmt: skip
    """The same over images: x (B, H, W, C), weight (O, C / groups, K, K') -> (B, H', W', O).

    ``stride``, ``padding`` and ``dilation`` are one number, or one per axis, as in ``conv1d``.
    """
    return _conv("conv2d", 2, x, weight, bias, (stride, padding, dilation, groups))


def conv_transpose1d(x: Like, weight: Like, bias: Like | None = None, stride: Lengths = 1,
                     padding: Padding = 0, output_padding: Lengths = 0, groups: int = 1,
                     dilation: Lengths = 1) -> Tensor:  # fmt: skip
    """The transpose of ``conv1d`` in x: every input writes a kernel, ``stride`` apart, into y.

    x (B, T, C), weight (C, O / groups, K) -> (B, T', O) with
    T' = (T - 1) stride - 2 padding + dilation (K - 1) + output_padding + 1.
    """
    how = (stride, padding, dilation, groups)
    return _conv_transpose("conv_transpose1d", 1, x, weight, bias, how, output_padding)


def conv_transpose2d(x: Like, weight: Like, bias: Like | None = None, stride: Lengths = 1,
                     padding: Padding = 0, output_padding: Lengths = 0, groups: int = 1,
                     dilation: Lengths = 1) -> Tensor:  # fmt: skip
    """The same over images: x (B, H, W, C), weight (C, O / groups, K, K') -> (B, H', W', O)."""
    how = (stride, padding, dilation, groups)
    return _conv_transpose("conv_transpose2d", 2, x, weight, bias, how, output_padding)


def unfold(x: Like, kernel: Lengths, stride: Lengths = 1, padding: Padding = 0,
           dilation: Lengths = 1) -> Tensor:  # fmt: skip
    """Every window of a sequence or an image: y[t, k, c] = x[t stride + k dilation - padding, c].

    x (B, T, C) -> (B, T', K, C); x (B, H, W, C) -> (B, H', W', K, K', C). ``padding`` as in
    ``conv1d``. Raises ValueError when axes or lengths do not fit.
    """
    x = wrap_constant(x)
    if x.ndim not in (3, 4):
        raise ValueError(f"unfold expected (B, T, C) or (B, H, W, C), got shape {x.shape}")
    kernel = per_axis("unfold", "kernel", kernel, x.ndim - 2)
    stride = per_axis("unfold", "stride", stride, x.ndim - 2)
    dilation = per_axis("unfold", "dilation", dilation, x.ndim - 2)
    padding = _around("unfold", padding, kernel, stride, dilation)
    out = rules.lengths_after(x.shape[1:-1], kernel, stride, padding, dilation)
    _positive("unfold", x, kernel, out)
    return unfold_(x, kernel=kernel, stride=stride, padding=padding, dilation=dilation)


def _conv(name, ndim, x, weight, bias, how):
    x, weight, how = _read(name, ndim, x, weight, how)
    groups, width = how["groups"], weight.shape[1]
    if x.shape[-1] != width * groups or weight.shape[0] % groups:
        raise ValueError(
            f"{name} expected {width * groups} channels and outputs in {groups} groups "
            f"for a weight of shape {weight.shape}, got an input of shape {x.shape}"
        )
    out = rules.lengths_after(
        x.shape[1:-1], weight.shape[2:], how["stride"], how["padding"], how["dilation"]
    )
    _positive(name, x, weight.shape[2:], out)
    return _with_bias(name, rules.conv_(x, weight, **how), bias)


def _conv_transpose(name, ndim, x, weight, bias, how, output_padding):
    x, weight, how = _read(name, ndim, x, weight, how)
    extra = per_axis(name, "output_padding", output_padding, ndim, least=0)
    if x.shape[-1] != weight.shape[0] or weight.shape[0] % how["groups"]:
        raise ValueError(
            f"{name} expected {weight.shape[0]} channels in {how['groups']} groups "
            f"for a weight of shape {weight.shape}, got an input of shape {x.shape}"
        )
    if any(more >= s for more, s in zip(extra, how["stride"])):
        raise ValueError(f"{name} expected output_padding below {how['stride']}, got {extra}")
    geometry = (x.shape[1:-1], weight.shape[2:], how["stride"], how["padding"], how["dilation"])
    out = tuple(
        (n - 1) * s - sum(p) + d * (k - 1) + 1 + more
        for n, k, s, p, d, more in zip(*geometry, extra)
    )
    _positive(name, x, weight.shape[2:], out)
    return _with_bias(name, rules.conv_input_(x, weight, lengths=out, **how), bias)


def _read(name, ndim, x, weight, how) -> tuple[Tensor, Tensor, dict]:
    """Check the axes, and bring stride, padding and dilation to one entry per axis."""
    x, weight = wrap_constant(x), wrap_constant(weight)
    axes = ("(B, T, C)", "(B, H, W, C)")[ndim - 1]
    if x.ndim != ndim + 2 or weight.ndim != ndim + 2:
        raise ValueError(
            f"{name} expected {axes} and a weight of {ndim + 2} axes, "
            f"got shapes {x.shape} and {weight.shape}"
        )
    stride, padding, dilation, groups = how
    if not isinstance(groups, int) or groups < 1:
        raise ValueError(f"{name} expected groups of at least 1, got {groups}")
    stride = per_axis(name, "stride", stride, ndim)
    dilation = per_axis(name, "dilation", dilation, ndim)
    padding = _around(name, padding, weight.shape[2:], stride, dilation)
    return x, weight, dict(stride=stride, padding=padding, dilation=dilation, groups=groups)


def per_axis(name: str, what: str, value: Lengths, ndim: int, least: int = 1) -> tuple[int, ...]:
    """``value`` as ``ndim`` integers, none below ``least``."""
    found = (value,) * ndim if hasattr(value, "__index__") else tuple(value)
    if len(found) != ndim or not all(hasattr(n, "__index__") and n >= least for n in found):
        raise ValueError(f"{name} expected {what} of at least {least} per axis, got {value}")
    return tuple(map(int, found))


def _around(name, padding, kernel, stride, dilation) -> tuple[tuple[int, int], ...]:
    """``padding`` as a pair (before, after) per axis."""
    spans = [d * (k - 1) for d, k in zip(dilation, kernel)]
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding in ("same", "causal"):
        if any(s != 1 for s in stride):
            raise ValueError(f"{name} expected stride 1 with padding {padding!r}, got {stride}")
        if padding == "causal":
            return tuple((span, 0) for span in spans)
        return tuple((span // 2, span - span // 2) for span in spans)
    if not isinstance(padding, str):
        pairs = [padding] * len(kernel) if hasattr(padding, "__index__") else list(padding)
        pairs = [(p, p) if hasattr(p, "__index__") else tuple(p) for p in pairs]
        if len(pairs) == len(kernel) and all(len(p) == 2 and min(p) >= 0 for p in pairs):
            return tuple(pairs)
    raise ValueError(
        f"{name} expected padding as a number or a pair per axis, "
        f'"same", "causal" or "valid", got {padding!r}'
    )


def _positive(name, x, kernel, out):
    if min(out) < 1:
        raise ValueError(f"{name} with a kernel {kernel} does not fit an input of shape {x.shape}")


def _with_bias(name, y, bias):
    if bias is None:
        return y
    bias = wrap_constant(bias)
    if bias.shape != y.shape[-1:]:
        raise ValueError(f"{name} expected a bias of shape {y.shape[-1:]}, got {bias.shape}")
    return y + reshape(bias, (1,) * (y.ndim - 1) + bias.shape)


__all__ = ["conv1d", "conv2d", "conv_transpose1d", "conv_transpose2d", "unfold"]
