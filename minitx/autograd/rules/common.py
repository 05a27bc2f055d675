"""What several files of rules share."""

from typing import Any

from minitx import backend


def library(F: Any, x: Any) -> Any:
    """The array library of ``x``, which a rule needs to make a constant of its own."""
    return backend.namespace(x.data) if F.traced else F.xp


def adjoint(F: Any, x: Any) -> Any:
    """The conjugate transpose of the last two axes."""
    return F.conj(F.swapaxes(x, first=-2, second=-1))
