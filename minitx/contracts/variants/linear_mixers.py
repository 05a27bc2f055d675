"""Token mixers without a softmax that the battery walks, a line each."""

from collections.abc import Callable

from minitx import functional as F
from minitx.contracts.battery import SMALL
from minitx.contracts.variants.register import register
from minitx.positions.rotary import Rotary
from minitx.token_mixers.attention import MultiHeadAttention
from minitx.token_mixers.cross_covariance import CrossCovarianceAttention
from minitx.token_mixers.decays import FixedDecay, GatedDecay
from minitx.token_mixers.delta_rule import DeltaNet
from minitx.token_mixers.feature_maps import LearnedReLU
from minitx.token_mixers.galerkin import FourierAttention, GalerkinAttention
from minitx.token_mixers.linear_attention import LinearAttention
from minitx.token_mixers.local_patches import LocalPatchInteraction
from minitx.token_mixers.masks import Causal
from minitx.token_mixers.norm_attention import DiagAttention, NormAttention
from minitx.token_mixers.simplified_linear import SimplifiedLinearAttention
from minitx.token_mixers.supra import SUPRA

_RECURRENT = "causal recurrent"


def _mixer(name: str, code: str, traits: str, make: Callable, cost: float = 1.0) -> None:
    register("token_mixer", name, f"minitx.token_mixers.{code}", make, traits, cost)


def _linear(name: str, code: str, traits: str, **options: Callable) -> None:
    """LinearAttention with these options, each made from the generator and the size."""

    def make(rng, size=SMALL):
        made = {option: value(rng, size) for option, value in options.items()}
        return LinearAttention(size.d_model, size.num_heads, rng=rng, **made)

    _mixer(name, code, traits, make)


_linear("linear attention", "linear_attention:LinearAttention", "equivariant")
_linear(
    "causal linear attention",
    "linear_attention:LinearAttention",
    _RECURRENT,
    mask=lambda rng, size: Causal(),
)
_linear(
    "linear attention, relu",
    "feature_maps:LearnedReLU",
    _RECURRENT,
    mask=lambda rng, size: Causal(),
    feature_map=lambda rng, size: F.relu,
)
_linear(
    "linear attention, learned relu",
    "feature_maps:LearnedReLU",
    _RECURRENT,
    mask=lambda rng, size: Causal(),
    feature_map=lambda rng, size: LearnedReLU(size.num_heads, size.d_head),
)
_linear(
    "linear attention, fixed decay",
    "decays:FixedDecay",
    _RECURRENT,
    mask=lambda rng, size: Causal(),
    decay=lambda rng, size: FixedDecay(size.num_heads),
)
_linear(
    "linear attention, gated decay",
    "decays:GatedDecay",
    _RECURRENT,
    mask=lambda rng, size: Causal(),
    decay=lambda rng, size: GatedDecay(size.d_model, size.num_heads, temperature=2.0, rng=rng),
)
_mixer(
    "NormAttention",
    "norm_attention:NormAttention",
    "equivariant",
    lambda rng, size=SMALL: NormAttention(size.d_model, size.num_heads, rng=rng),
)
_mixer(
    "causal NormAttention",
    "norm_attention:NormAttention",
    _RECURRENT,
    lambda rng, size=SMALL: NormAttention(size.d_model, size.num_heads, mask=Causal(), rng=rng),
)
_mixer(
    "DiagAttention",
    "norm_attention:DiagAttention",
    "",
    lambda rng, size=SMALL: DiagAttention(
        MultiHeadAttention(size.d_model, size.num_heads, rng=rng), 4
    ),
)
_mixer(
    "causal DiagAttention",
    "norm_attention:DiagAttention",
    _RECURRENT,
    lambda rng, size=SMALL: DiagAttention(
        MultiHeadAttention(size.d_model, size.num_heads, mask=Causal(), rng=rng), 4
    ),
)
_mixer(
    "SUPRA",
    "supra:SUPRA",
    _RECURRENT,
    lambda rng, size=SMALL: SUPRA(
        size.d_model, size.num_heads, position=Rotary(size.d_head), rng=rng
    ),
)
_mixer(
    "Fourier attention",
    "galerkin:FourierAttention",
    "",
    lambda rng, size=SMALL: FourierAttention(size.d_model, size.num_heads, rng=rng),
    cost=2.0,
)
_mixer(
    "Galerkin attention",
    "galerkin:GalerkinAttention",
    "",
    lambda rng, size=SMALL: GalerkinAttention(size.d_model, size.num_heads, rng=rng),
)
_mixer(
    "Galerkin attention, no coordinates",
    "galerkin:GalerkinAttention",
    "equivariant",
    lambda rng, size=SMALL: GalerkinAttention(size.d_model, size.num_heads, axes=0, rng=rng),
)
_mixer(
    "DeltaNet",
    "delta_rule:DeltaNet",
    _RECURRENT,
    lambda rng, size=SMALL: DeltaNet(size.d_model, size.num_heads, rng=rng),
)
_mixer(
    "cross-covariance attention",
    "cross_covariance:CrossCovarianceAttention",
    "equivariant",
    lambda rng, size=SMALL: CrossCovarianceAttention(size.d_model, size.num_heads, rng=rng),
)
_mixer(
    "local patch interaction",
    "local_patches:LocalPatchInteraction",
    "",
    lambda rng, size=SMALL: LocalPatchInteraction(size.d_model, rng=rng),
)
_mixer(
    "simplified linear attention",
    "simplified_linear:SimplifiedLinearAttention",
    "",
    lambda rng, size=SMALL: SimplifiedLinearAttention(size.d_model, size.num_heads, rng=rng),
)
