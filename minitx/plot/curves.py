"""Curves: a loss against the step, and a cost against the length beside what was predicted."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from minitx.plot.style import line_style, look

Curve = tuple[Sequence[float], Sequence[float]]


def loss_curves(
    curves: Mapping[str, Curve], ylabel: str = "loss (nats per token)", smooth: int = 1
) -> Any:
    """A figure of name -> (steps, losses). ``smooth`` > 1 shows the mean of so many neighbours."""
    if smooth < 1:
        raise ValueError(f"loss_curves expected smooth of 1 or more, got {smooth}")
    with look() as plt:
        figure, axes = plt.subplots()
        for i, (name, (steps, losses)) in enumerate(curves.items()):
            _expect_pairs(name, steps, losses)
            style = line_style(i) | {"marker": "" if len(steps) > 20 else line_style(i)["marker"]}
            axes.plot(*_smoothed(steps, losses, smooth), label=name, **style)
        axes.set_xlabel("step")
        axes.set_ylabel(ylabel)
        if len(curves) > 1:
            axes.legend()
    return figure


def cost_curves(
    curves: Mapping[str, Curve],
    exponents: Mapping[str, float] | None = None,
    xlabel: str = "length (tokens)",
    ylabel: str = "time (s)",
) -> Any:
    """A figure of name -> (lengths, costs), both axes logarithmic, so that a power is a line.

    The legend has the exponent that was measured (least squares). ``exponents`` names predicted
    ones: a thin line of that slope goes through the curve's last point.
    """
    with look() as plt:
        figure, axes = plt.subplots()
        for i, (name, (lengths, costs)) in enumerate(curves.items()):
            _expect_pairs(name, lengths, costs)
            axes.loglog(
                lengths, costs, label=f"{name}: $n^{{{exponent(lengths, costs):.2f}}}$",
                **line_style(i),
            )  # fmt: skip
            if exponents and name in exponents:
                predicted = [costs[-1] * (n / lengths[-1]) ** exponents[name] for n in lengths]
                label = f"{name}, predicted: $n^{{{exponents[name]:g}}}$"
                axes.loglog(
                    lengths, predicted, label=label,
                    color=line_style(i)["color"], linestyle=":", linewidth=0.8,
                )  # fmt: skip
        axes.set_xlabel(xlabel)
        axes.set_ylabel(ylabel)
        axes.legend()
        measured = sorted({n for lengths, _ in curves.values() for n in lengths})
        if len(measured) <= 8:  # few enough to stand at the axis in words that people use
            axes.set_xticks(measured, [f"{n:,g}" for n in measured])
            axes.minorticks_off()
    return figure


def exponent(lengths: Sequence[float], costs: Sequence[float]) -> float:
    """The p for which costs ~ lengths^p fits best: the slope of log cost over log length."""
    if len(set(lengths)) < 2 or min(*lengths, *costs) <= 0:
        raise ValueError("an exponent expected two lengths or more, and positive numbers")
    x, y = [math.log(n) for n in lengths], [math.log(c) for c in costs]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    slope = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
    return slope / sum((a - mean_x) ** 2 for a in x)


def _smoothed(steps: Sequence, losses: Sequence, width: int) -> tuple[list, list]:
    """The mean of each ``width`` neighbours, at the last of them."""
    width = min(width, max(len(losses), 1))
    means = [sum(losses[i : i + width]) / width for i in range(len(losses) - width + 1)]
    return list(steps[width - 1 :]), means


def _expect_pairs(name: str, xs: Sequence, ys: Sequence) -> None:
    if len(xs) != len(ys):
        raise ValueError(f"{name}: expected as many x as y, got {len(xs)} and {len(ys)}")
