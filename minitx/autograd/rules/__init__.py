"""The rules: every primitive with its derivative, by kind. Importing this room fills the table."""

from minitx.autograd.rules import (
    convolution,
    elementwise,
    fourier,
    indexing,
    linalg,
    pooling,
    products,
    reductions,
    scans,
    shape,
    sorting,
    unfolding,
)

__all__ = [
    "convolution",
    "elementwise",
    "fourier",
    "indexing",
    "linalg",
    "pooling",
    "products",
    "reductions",
    "scans",
    "shape",
    "sorting",
    "unfolding",
]
