"""ViT: its settings and its tensors. Images are (B, H, W, C); theirs are (B, C, H, W).

Their patch embedding is a convolution (D, C, p, p) of stride p, ours a Linear of the patch's pixels
in the order rows, columns, channels.

Source: Dosovitskiy et al., "An Image is Worth 16x16 Words" (2021).
"""

from minitx.models.vision import ViT
from minitx.pretrained.config import Config
from minitx.pretrained.table import Recipe, Table, Undrawn


def recipe(config: Config) -> Recipe:
    """What a ViT config asks for. Raises ValueError for what is not implemented."""
    config.heads("hidden_size", "num_attention_heads")
    config.activation("hidden_act", "gelu")
    if config.whole("image_size") % config.whole("patch_size"):
        config.refuse("patch_size", f"a divisor of image_size = {config.whole('image_size')}")
    return Recipe(
        _table(config),
        lambda: _build(config),
        prefix="vit.",
        unused=r"(pooler|decoder|classifier)\..*|embeddings\.mask_token",
    )


def _classes(config: Config) -> int | None:
    return config.labels() if config.architecture == "ViTForImageClassification" else None


def _table(config: Config) -> Table:
    table, width = Table(), config.whole("hidden_size")
    channels, side = config.whole("num_channels", 3), config.whole("patch_size")
    tokens = (config.whole("image_size") // side) ** 2 + 1
    theirs = "embeddings.patch_embeddings.projection"
    table.add(
        "patches.weight",
        {f"{theirs}.weight": (width, channels, side, side)},
        lambda x: x.transpose(0, 2, 3, 1).reshape(width, -1),
    )
    table.add("patches.bias", {f"{theirs}.bias": (width,)})
    table.add("first", {"embeddings.cls_token": (1, 1, width)}, lambda x: x[0])
    places = {"embeddings.position_embeddings": (1, tokens, width)}
    table.add("position.weight", places, lambda x: x[0])
    for i in range(config.whole("num_hidden_layers", most=1000)):
        _block(table, f"depth.blocks.{i}", f"encoder.layer.{i}", config)
    table.norm("norm", "layernorm", width)
    if _classes(config) is not None:
        table.linear("head", "classifier", width, _classes(config))
    return table


def _block(table: Table, ours: str, theirs: str, config: Config) -> None:
    width, d_ff = config.whole("hidden_size"), config.whole("intermediate_size")
    heads = {f"{theirs}.attention.attention.{part}": width for part in ("query", "key", "value")}
    table.joined(f"{ours}.sublayers.0.qkv", heads, width, config.flag("qkv_bias", True))
    table.linear(f"{ours}.sublayers.0.out", f"{theirs}.attention.output.dense", width, width)
    table.linear(f"{ours}.sublayers.1.up", f"{theirs}.intermediate.dense", width, d_ff)
    table.linear(f"{ours}.sublayers.1.down", f"{theirs}.output.dense", d_ff, width)
    table.norm(f"{ours}.norms.0", f"{theirs}.layernorm_before", width)
    table.norm(f"{ours}.norms.1", f"{theirs}.layernorm_after", width)


def _build(config: Config) -> ViT:
    model = ViT.plain(
        config.whole("image_size"),
        config.whole("patch_size"),
        config.whole("hidden_size"),
        config.whole("num_attention_heads"),
        config.whole("num_hidden_layers"),
        _classes(config),
        channels=config.whole("num_channels", 3),
        d_ff=config.whole("intermediate_size"),
        activation=config.activation("hidden_act", "gelu"),
        eps=config.number("layer_norm_eps", 1e-12),
        rng=Undrawn(),
    )
    if not config.flag("qkv_bias", True):
        for block in model.depth.blocks:
            block.sublayers[0].qkv.bias = None
    return model
