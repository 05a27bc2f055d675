"""A text model on disk: a Decoder, its tokenizer, and the settings that it was built with.

The folder holds ``config.json``, the tokenizer's files and ``model.safetensors``; a checkpoint of
``minitx train`` has besides what training goes on from.
"""

import json
from pathlib import Path
from typing import Any

from minitx.errors import UserError

FORM = "minitx-decoder-1"


def build(settings: dict[str, Any], vocab_size: int, seed: int = 0) -> Any:
    """The Decoder that ``settings`` describe, with weights drawn from ``seed``."""
    from minitx.models import Decoder

    return Decoder.gpt(
        vocab_size,
        settings["d_model"],
        settings["num_heads"],
        settings["num_layers"],
        settings["length"],
        dropout=settings.get("dropout", 0.0),
        rng=seed,
    )


def write_config(folder: Path, settings: dict[str, Any]) -> None:
    """Write down how the model is built."""
    text = json.dumps({"form": FORM, **settings}, indent=1)
    (folder / "config.json").write_text(text + "\n", encoding="utf-8")


def load(folder: str | Path) -> tuple[Any, Any, dict[str, Any]]:
    """(model, tokenizer, settings) of a folder that ``minitx train`` wrote."""
    from minitx import tokens
    from minitx.training import load_weights

    folder = Path(folder)
    settings = read_config(folder)
    tokenizer = tokens.load(folder)
    model = build(settings, tokenizer.vocab_size)
    load_weights(model, folder)
    return model.eval(), tokenizer, settings


def read_config(folder: Path) -> dict[str, Any]:
    """The settings in ``folder``; a UserError says why it is not a model's folder."""
    path = folder / "config.json"
    if not path.is_file():
        raise UserError(f"{folder} is not a folder that `minitx train` wrote: no config.json in it")
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path} cannot be read: {error}") from None
    if not isinstance(settings, dict) or settings.get("form") != FORM:
        raise UserError(f"{path} expected the form {FORM!r}, got {settings!r:.60}")
    return settings
