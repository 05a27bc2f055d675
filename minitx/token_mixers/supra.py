"""From a trained softmax decoder to a recurrent one: every weight is kept, the score is replaced.

phi(q) . phi(k) with a learned map phi and a fixed decay takes the place of exp(q . k); a norm for
each head takes the place of the softmax's denominator, whose division made further training
unstable. What comes out is the same model with a state instead of a cache; it needs more training.
"""

import copy
from typing import Any

from minitx import nn
from minitx.positions.hooks import Hooks
from minitx.token_mixers.attention import MultiHeadAttention
from minitx.token_mixers.decays import FixedDecay
from minitx.token_mixers.feature_maps import LearnedReLU
from minitx.token_mixers.linear_attention import LinearAttention
from minitx.token_mixers.masks import Causal
from minitx.token_mixers.norm_attention import Normed


class SUPRA(LinearAttention):
    """GroupNorm_h( sum over j <= t of gamma_h^(t - j) (phi(q_t) . phi(k_j)) v_j ), projected.

    phi(x) = position(relu(W_h x + b_h)), from ``LearnedReLU``; gamma from ``FixedDecay``.

    Source: Mercat et al., "Linearizing Large Language Models" (2024).
    """

    def __init__(
        self,
        d_model: int,
        num_heads: int,
        d_head: int | None = None,
        *,
        position: Hooks | None = None,
        bias: bool = True,
        rng: Any = None,
    ):
        super().__init__(
            d_model, num_heads, d_head,
            decay=FixedDecay(num_heads), position=position, mask=Causal(), bias=bias, rng=rng,
        )  # fmt: skip
        self.feature_map = LearnedReLU(num_heads, self.d_head)
        self.readout = Normed(nn.GroupNorm(num_heads, num_heads * self.d_head))


def linearised(model: nn.Module) -> nn.Module:
    """A copy of ``model`` in which every MultiHeadAttention is a SUPRA with the same weights.

    Raises ValueError for attention that is not causal, has fewer heads of keys than of queries,
    or hooks that a linear form has no place for (all but those that turn queries and keys).
    """
    model = copy.deepcopy(model)
    _replace_in(vars(model))
    return model


def _replace_in(held: Any) -> None:
    """Put a SUPRA in the place of every MultiHeadAttention within a dictionary or list."""
    for key, value in held.items() if isinstance(held, dict) else enumerate(held):
        if isinstance(value, MultiHeadAttention):
            held[key] = _supra(value)
        elif isinstance(value, nn.Module):
            _replace_in(vars(value))
        elif isinstance(value, (dict, list)):
            _replace_in(value)


def _supra(attention: MultiHeadAttention) -> SUPRA:
    hooks = attention.hooks
    turning = all(hook.keeps_softmax() and type(hook).bias is Hooks.bias for hook in hooks)
    causal = attention.mask is not None and type(attention.mask) is Causal
    plain = turning and len(hooks) <= 1 and attention.normalise is attention.inner_norm is None
    if not (plain and causal) or attention.num_kv_heads != attention.num_heads:
        raise ValueError(
            "linearised expected causal softmax attention with as many heads of keys as of "
            "queries and nothing but a position that turns them, got "
            f"{attention.num_kv_heads} of {attention.num_heads} heads, "
            f"mask {type(attention.mask).__name__}, hooks {[type(h).__name__ for h in hooks]}"
        )
    d_model, position = attention.out.weight.shape[0], hooks[0] if hooks else None
    supra = SUPRA(d_model, attention.num_heads, attention.d_head, position=position, rng=0)
    supra.qkv, supra.out = attention.qkv, attention.out
    dtype = attention.out.weight.dtype
    supra.to(dtype)
    return supra
