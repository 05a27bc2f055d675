"""GPT-2: its settings and its tensors. Its linear layers are stored as (d_in, d_out).

Source: Radford et al., "Language Models are Unsupervised Multitask Learners" (2019).
"""

from minitx import nn
from minitx.block import Block
from minitx.channel_mixers.mlp import MLP
from minitx.depth.stack import Stack
from minitx.models.decoder import Decoder
from minitx.positions.absolute import Learned
from minitx.pretrained.config import Config
from minitx.pretrained.table import Recipe, Table, Undrawn
from minitx.token_mixers.attention import MultiHeadAttention
from minitx.token_mixers.masks import Causal


def recipe(config: Config) -> Recipe:
    """What a GPT-2 config asks for. Raises ValueError for what is not implemented."""
    config.only("scale_attn_weights", True)
    config.only("scale_attn_by_inverse_layer_idx", False)
    config.only("add_cross_attention", False, None)
    config.heads("n_embd", "n_head")
    config.activation("activation_function", "gelu_new")
    return Recipe(
        _table(config),
        lambda: _build(config),
        prefix="transformer.",
        aliases={"lm_head.weight": "wte.weight"} if _tied(config) else {},
        unused=r"h\.\d+\.attn\.(bias|masked_bias)|(score|classifier|qa_outputs|multiple_choice_head)\..*",
    )


def _tied(config: Config) -> bool:
    return config.flag("tie_word_embeddings", True)


def _table(config: Config) -> Table:
    table, width, vocabulary = Table(), config.whole("n_embd"), config.whole("vocab_size")
    d_ff = config.whole("n_inner", 4 * width)
    head = "wte.weight" if _tied(config) else "lm_head.weight"
    table.add("tokens.weight", {"wte.weight": (vocabulary, width)})
    table.add("head.weight", {head: (vocabulary, width)})
    table.add("position.weight", {"wpe.weight": (config.whole("n_positions"), width)})
    table.norm("norm", "ln_f", width)
    for i in range(config.whole("n_layer", most=1000)):
        ours, theirs = f"depth.blocks.{i}", f"h.{i}"
        table.turned(f"{ours}.sublayers.0.qkv", f"{theirs}.attn.c_attn", width, 3 * width)
        table.turned(f"{ours}.sublayers.0.out", f"{theirs}.attn.c_proj", width, width)
        table.turned(f"{ours}.sublayers.1.up", f"{theirs}.mlp.c_fc", width, d_ff)
        table.turned(f"{ours}.sublayers.1.down", f"{theirs}.mlp.c_proj", d_ff, width)
        table.norm(f"{ours}.norms.0", f"{theirs}.ln_1", width)
        table.norm(f"{ours}.norms.1", f"{theirs}.ln_2", width)
    return table


def _build(config: Config) -> Decoder:
    rng, width = Undrawn(), config.whole("n_embd")
    eps = config.number("layer_norm_epsilon", 1e-5)
    activation = config.activation("activation_function", "gelu_new")

    def norm() -> nn.LayerNorm:
        return nn.LayerNorm(width, eps)

    def block() -> Block:
        attention = MultiHeadAttention(width, config.whole("n_head"), mask=Causal(), rng=rng)
        mlp = MLP(width, config.whole("n_inner", 4 * width), activation, rng=rng)
        return Block(attention, mlp, norm=norm)

    return Decoder(
        nn.Embedding(config.whole("vocab_size"), width, rng=rng),
        Stack([block() for _ in range(config.whole("n_layer"))]),
        norm(),
        position=Learned(config.whole("n_positions"), width, rng=rng),
        tied=_tied(config),
        rng=rng,
    )
