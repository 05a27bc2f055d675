"""The rules: every primitive with its derivative, by kind. Importing this room fills the table."""

from minitx.autograd.rules import (
    convolution,
    elementwise,
    fourier,
    indexing,
    pooling,
    products,
    reductions,
    scans,
    shape,
    sorting,
)

__all__ = [
    "convolution",
    "elementwise",
    "fourier",
    "indexing",
    "pooling",
    "products",
    "reductions",
    "scans",
    "shape",
    "sorting",
]
