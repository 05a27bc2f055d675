"""Derivatives: the Tensor, the graph, the table of primitives, and what is built on them.

``rules`` holds the primitives by kind, ``fused`` those that exist for speed with their naive
twins, ``functions`` what people call, ``transforms`` grad and its family, ``check`` the proof.
"""

from minitx.autograd import methods as _methods  # noqa: F401 (gives the Tensor its operators)
from minitx.autograd.graph import enable_grad, naive_twins, no_grad
from minitx.autograd.primitive import primitive
from minitx.autograd.tensor import Tensor

__all__ = ["Tensor", "enable_grad", "naive_twins", "no_grad", "primitive"]
