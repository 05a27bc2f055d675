"""BERT and the encoders of its shape: their settings and their tensors.

With ``BertForMaskedLM`` or ``BertForPreTraining`` the model is a ``MaskedLM``, with
``BertForSequenceClassification`` a ``Classifier``, otherwise the ``Encoder`` alone.

Source: Devlin et al., "BERT" (2019).
"""

from minitx.models.encoder import Classifier, Encoder, MaskedLM
from minitx.nn.module import Module
from minitx.pretrained.config import Config
from minitx.pretrained.table import Recipe, Table, Undrawn

_HEADS = {
    "BertForMaskedLM": "masked",
    "BertForPreTraining": "masked",
    "BertForSequenceClassification": "classes",
}


def recipe(config: Config) -> Recipe:
    """What a BERT config asks for. Raises ValueError for what is not implemented."""
    config.only("position_embedding_type", "absolute", None)
    config.only("is_decoder", False, None)
    config.only("add_cross_attention", False, None)
    config.heads("hidden_size", "num_attention_heads")
    config.activation("hidden_act", "gelu")
    head = _HEADS.get(config.architecture, "none")
    return Recipe(
        _table(config, head),
        lambda: _build(config, head),
        prefix="bert.",
        renamed={r"LayerNorm\.gamma$": "LayerNorm.weight", r"LayerNorm\.beta$": "LayerNorm.bias"},
        aliases={
            "cls.predictions.decoder.weight": "embeddings.word_embeddings.weight",
            "cls.predictions.decoder.bias": "cls.predictions.bias",
        }
        if head == "masked"
        else {},
        unused=r"(pooler|cls|classifier|qa_outputs)\..*|embeddings\.position_ids",
    )


def _table(config: Config, head: str) -> Table:
    table, width = Table(), config.whole("hidden_size")
    vocabulary = config.whole("vocab_size")
    pre = "" if head == "none" else "encoder."
    _embeddings(table, config, pre)
    for i in range(config.whole("num_hidden_layers", most=1000)):
        _block(table, f"{pre}depth.blocks.{i}", f"encoder.layer.{i}", width, config)
    if head == "masked":
        theirs = "cls.predictions"
        table.linear("transform", f"{theirs}.transform.dense", width, width)
        table.norm("norm", f"{theirs}.transform.LayerNorm", width)
        table.add("bias", {f"{theirs}.bias": (vocabulary,)})
    elif head == "classes":
        table.linear("pooler", "pooler.dense", width, width)
        table.linear("head", "classifier", width, config.labels())
    return table


def _embeddings(table: Table, config: Config, pre: str) -> None:
    width = config.whole("hidden_size")
    tables = {
        "tokens": ("word_embeddings", config.whole("vocab_size")),
        "position": ("position_embeddings", config.whole("max_position_embeddings")),
        "segments": ("token_type_embeddings", config.whole("type_vocab_size", 2)),
    }
    for ours, (theirs, rows) in tables.items():
        table.add(f"{pre}{ours}.weight", {f"embeddings.{theirs}.weight": (rows, width)})
    table.norm(f"{pre}input_norm", "embeddings.LayerNorm", width)


def _block(table: Table, ours: str, theirs: str, width: int, config: Config) -> None:
    d_ff = config.whole("intermediate_size")
    heads = {f"{theirs}.attention.self.{part}": width for part in ("query", "key", "value")}
    table.joined(f"{ours}.sublayers.0.qkv", heads, width)
    table.linear(f"{ours}.sublayers.0.out", f"{theirs}.attention.output.dense", width, width)
    table.linear(f"{ours}.sublayers.1.up", f"{theirs}.intermediate.dense", width, d_ff)
    table.linear(f"{ours}.sublayers.1.down", f"{theirs}.output.dense", d_ff, width)
    table.norm(f"{ours}.norms.0", f"{theirs}.attention.output.LayerNorm", width)
    table.norm(f"{ours}.norms.1", f"{theirs}.output.LayerNorm", width)


def _build(config: Config, head: str) -> Module:
    rng, eps = Undrawn(), config.number("layer_norm_eps", 1e-12)
    activation = config.activation("hidden_act", "gelu")
    encoder = Encoder.bert(
        config.whole("vocab_size"),
        config.whole("hidden_size"),
        config.whole("num_attention_heads"),
        config.whole("num_hidden_layers"),
        config.whole("max_position_embeddings"),
        d_ff=config.whole("intermediate_size"),
        num_segments=config.whole("type_vocab_size", 2),
        activation=activation,
        eps=eps,
        rng=rng,
    )
    if head == "masked":
        model = MaskedLM(encoder, activation, rng=rng)
        model.norm.eps = eps
        return model
    return Classifier(encoder, config.labels(), rng=rng) if head == "classes" else encoder
