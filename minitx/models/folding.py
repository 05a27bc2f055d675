"""A trained model without its norms: batch norms are taken into the linear maps behind them."""

import copy

from minitx import nn
from minitx.autograd.tensor import Tensor
from minitx.block import Block
from minitx.connections.residual import PreNorm
from minitx.nn.progressive_norm import ProgressiveNorm, RepBatchNorm, fold

ENTRIES = ("qkv", "gate", "up")  # the names of the Linears that a sublayer's input enters


class NoNorm(nn.Module):
    """x: where a norm was."""

    def forward(self, x: Tensor) -> Tensor:
        return x


def folded(model: nn.Module) -> nn.Module:
    """A copy of ``model`` in evaluation mode in which no RepBatchNorm or ProgressiveNorm is left.

    Those of pre-norm Blocks go into the first Linears of the sublayer (``qkv``; ``up`` and
    ``gate``), a last ``norm`` of the model into its ``head``. Raises ValueError where one has
    another place.
    """
    model = copy.deepcopy(model).eval()
    for part in list(model.modules()):
        if isinstance(part, Block) and type(part.connection) is PreNorm:
            for i, (norm, sublayer) in enumerate(zip(part.norms, part.sublayers, strict=True)):
                entries = [getattr(sublayer, name, None) for name in ENTRIES]
                part.norms[i] = _without(norm, [x for x in entries if isinstance(x, nn.Linear)])
        elif isinstance(getattr(part, "head", None), nn.Linear):
            part.norm = _without(part.norm, [part.head])
    left = [name for name, part in model.named_modules() if _is_foldable(part)]
    if left:
        raise ValueError(f"folded expected a Linear behind each batch norm, found none for {left}")
    return model


def _is_foldable(norm: nn.Module) -> bool:
    return isinstance(norm, (RepBatchNorm, ProgressiveNorm))


def _without(norm: nn.Module, linears: list[nn.Linear]) -> nn.Module:
    """Nothing in the place of ``norm``, which the Linears take in; other norms stay."""
    if not (_is_foldable(norm) and linears):
        return norm
    fold(norm, *linears)
    return NoNorm()
