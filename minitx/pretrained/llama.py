"""Llama, and Mistral, which is of the same shape: their settings and their tensors.

Source: Touvron et al., "LLaMA: Open and Efficient Foundation Language Models" (2023); Jiang et al.,
"Mistral 7B" (2023).
"""

from minitx import nn
from minitx.block import Block
from minitx.channel_mixers.gated import GLU
from minitx.depth.stack import Stack
from minitx.models.decoder import Decoder
from minitx.positions.rotary import Rotary, Scaling, banded_scaling, linear_scaling
from minitx.pretrained.config import Config
from minitx.pretrained.table import Recipe, Table, Undrawn
from minitx.token_mixers.attention import MultiHeadAttention
from minitx.token_mixers.masks import Causal, Mask, Window


def recipe(config: Config) -> Recipe:
    """What a Llama or Mistral config asks for. Raises ValueError for what is not implemented."""
    config.only("partial_rotary_factor", 1, None)
    config.only("pretraining_tp", 1, None)
    config.activation("hidden_act", "silu")
    if _heads(config) % _kv_heads(config):
        config.refuse("num_key_value_heads", f"a divisor of {_heads(config)}")
    _rotary(config)
    return Recipe(
        _table(config),
        lambda: _build(config),
        prefix="model.",
        aliases={"lm_head.weight": "embed_tokens.weight"} if _tied(config) else {},
        unused=r"(layers\.\d+\.self_attn\.)?rotary_emb\.inv_freq|(score|classifier|qa_outputs)\..*",
    )


def _tied(config: Config) -> bool:
    return config.flag("tie_word_embeddings", False)


def _heads(config: Config) -> int:
    return config.whole("num_attention_heads")


def _kv_heads(config: Config) -> int:
    return config.whole("num_key_value_heads", _heads(config))


def _d_head(config: Config) -> int:
    if config.values.get("head_dim") is None:
        config.heads("hidden_size", "num_attention_heads")
    return config.whole("head_dim", config.whole("hidden_size") // _heads(config))


def _rotary(config: Config) -> Rotary:
    """The rotary position; the new spelling has all of it in ``rope_parameters``."""
    new = config.part("rope_parameters")
    base = (new or config).number("rope_theta", 10000.0)
    scaling = new or config.part("rope_scaling")
    return Rotary(_d_head(config), base, scaling=None if scaling is None else _scaling(scaling))


def _scaling(config: Config) -> Scaling | None:
    name = "rope_type" if "rope_type" in config.values else "type"
    config.only(name, "default", "linear", "llama3")
    kind = config.values.get(name, "default")
    if kind == "linear":
        return linear_scaling(config.number("factor"))
    if kind == "llama3":
        low, high = config.number("low_freq_factor"), config.number("high_freq_factor")
        if low >= high:
            config.refuse("low_freq_factor", f"less than high_freq_factor = {high}")
        length = config.whole("original_max_position_embeddings")
        return banded_scaling(config.number("factor"), length, low, high)
    return None


def _table(config: Config) -> Table:
    table, width, vocabulary = Table(), config.whole("hidden_size"), config.whole("vocab_size")
    head = "embed_tokens.weight" if _tied(config) else "lm_head.weight"
    table.add("tokens.weight", {"embed_tokens.weight": (vocabulary, width)})
    table.add("head.weight", {head: (vocabulary, width)})
    table.norm("norm", "norm", width, bias=False)
    for i in range(config.whole("num_hidden_layers", most=1000)):
        _block(table, f"depth.blocks.{i}", f"layers.{i}", config)
    return table


def _block(table: Table, ours: str, theirs: str, config: Config) -> None:
    width, d_ff = config.whole("hidden_size"), config.whole("intermediate_size")
    queries, keys = _heads(config) * _d_head(config), _kv_heads(config) * _d_head(config)
    bias, mlp_bias = config.flag("attention_bias", False), config.flag("mlp_bias", False)
    attention, mlp = f"{theirs}.self_attn", f"{theirs}.mlp"
    rows = {
        f"{attention}.q_proj": queries,
        f"{attention}.k_proj": keys,
        f"{attention}.v_proj": keys,
    }
    table.joined(f"{ours}.sublayers.0.qkv", rows, width, bias)
    table.linear(f"{ours}.sublayers.0.out", f"{attention}.o_proj", queries, width, bias)
    table.linear(f"{ours}.sublayers.1.gate", f"{mlp}.gate_proj", width, d_ff, mlp_bias)
    table.linear(f"{ours}.sublayers.1.up", f"{mlp}.up_proj", width, d_ff, mlp_bias)
    table.linear(f"{ours}.sublayers.1.down", f"{mlp}.down_proj", d_ff, width, mlp_bias)
    table.norm(f"{ours}.norms.0", f"{theirs}.input_layernorm", width, bias=False)
    table.norm(f"{ours}.norms.1", f"{theirs}.post_attention_layernorm", width, bias=False)


def _build(config: Config) -> Decoder:
    rng, width, rotary = Undrawn(), config.whole("hidden_size"), _rotary(config)
    eps, activation = config.number("rms_norm_eps", 1e-6), config.activation("hidden_act", "silu")

    def norm() -> nn.RMSNorm:
        return nn.RMSNorm(width, eps)

    def block() -> Block:
        attention = MultiHeadAttention(
            width, _heads(config), _kv_heads(config), _d_head(config),
            position=rotary, mask=_mask(config), bias=config.flag("attention_bias", False), rng=rng,
        )  # fmt: skip
        bias = config.flag("mlp_bias", False)
        glu = GLU(width, config.whole("intermediate_size"), activation, bias=bias, rng=rng)
        return Block(attention, glu, norm=norm)

    return Decoder(
        nn.Embedding(config.whole("vocab_size"), width, rng=rng),
        Stack([block() for _ in range(config.whole("num_hidden_layers"))]),
        norm(),
        tied=_tied(config),
        rng=rng,
    )


def _mask(config: Config) -> Mask:
    """Causal; Mistral's may hear only the last tokens."""
    if config.values.get("sliding_window") is None:
        return Causal()
    return Causal() & Window(config.whole("sliding_window"))
