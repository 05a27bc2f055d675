"""The rules: every primitive with its derivative, by kind. Importing this room fills the table."""

from minitx.autograd.rules import (
    elementwise,
    indexing,
    products,
    reductions,
    scans,
    shape,
)

__all__ = ["elementwise", "indexing", "products", "reductions", "scans", "shape"]
