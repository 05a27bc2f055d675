"""Figures: one look, and the few kinds of picture that come back on many pages.

matplotlib is imported when a figure is made, not before. Every function returns its figure.
"""

from minitx.plot.attention import attention_maps
from minitx.plot.curves import cost_curves, exponent, loss_curves
from minitx.plot.style import COLOURS, DASHES, MARKERS, SEQUENTIAL, line_style, look, use

__all__ = [
    "use",
    "look",
    "line_style",
    "COLOURS",
    "DASHES",
    "MARKERS",
    "SEQUENTIAL",
    "loss_curves",
    "cost_curves",
    "exponent",
    "attention_maps",
]
