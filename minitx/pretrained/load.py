"""From a folder of files to a model: read, compare, and only then build."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from minitx import tokens
from minitx.models.encoder import Encoder
from minitx.nn.module import Module
from minitx.nn.pack import pack
from minitx.pretrained import bert, gpt2, llama, vit
from minitx.pretrained.config import Config
from minitx.pretrained.find import find
from minitx.pretrained.sentences import SentenceEncoder, read_settings
from minitx.pretrained.table import Recipe
from minitx.pretrained.weights import read_weights

FAMILIES: dict[str, Callable[[Config], Recipe]] = {
    "bert": bert.recipe,
    "gpt2": gpt2.recipe,
    "llama": llama.recipe,
    "mistral": llama.recipe,
    "vit": vit.recipe,
}


class Pretrained:
    """A model from files: ``model`` in evaluation mode, ``config``, ``tokenizer``, ``unused``.

    unused: the names of tensors that the files hold and the model has no place for (the head of
    another task).
    """

    def __init__(self, folder: Path, model: Module, config: dict[str, Any], unused: list[str]):
        self.folder, self.model, self.config, self.unused = folder, model, config, unused

    @cached_property
    def tokenizer(self) -> tokens.Tokenizer:
        """The tokenizer in the same folder; raises FileNotFoundError if there is none."""
        tokenizer, rows = tokens.load(self.folder), self.config.get("vocab_size")
        if isinstance(rows, int) and tokenizer.vocab_size > rows:
            raise ValueError(
                f"{self.folder}: the tokenizer has ids up to {tokenizer.vocab_size - 1}, "
                f"the model knows {rows}"
            )
        return tokenizer

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.folder)!r}, {type(self.model).__name__})"


class PretrainedSentences(Pretrained):
    """A ``Pretrained`` whose ``embed`` makes one unit vector of each sentence."""

    def __init__(self, *args: Any):
        super().__init__(*args)
        self.sentences = SentenceEncoder(self.model, self.tokenizer, *read_settings(self.folder))

    def embed(self, sentences: list[str], batch_size: int = 32) -> np.ndarray:
        """N sentences -> (N, D), each row of length 1. See ``SentenceEncoder``."""
        return self.sentences.embed(sentences, batch_size)


def load(path_or_name: str | Path, dtype: Any = np.float32) -> Pretrained:
    """The model in a folder, or of a name that ``find`` knows, with its numbers in ``dtype``.

    The folder is in the Hugging Face layout: config.json, model.safetensors (or several with
    model.safetensors.index.json), the tokenizer's files. With the files of sentence-transformers
    the result has ``embed``.

    Raises FileNotFoundError for what is not there, ValueError that names what is wrong with a
    file, a setting or a tensor; nothing is built before all has been checked.
    """
    folder = find(path_or_name)
    config = Config.read(folder / "config.json")
    recipe = read_recipe(config)
    tensors, unused = recipe.sort(read_weights(folder), str(folder))
    state = recipe.table.convert(tensors, dtype)
    model = recipe.build().to(dtype).eval()
    model.load_state_dict(state)
    del tensors, state  # no third copy of the numbers while the second is laid out
    pack(model)
    kind = PretrainedSentences if _makes_sentences(folder, model) else Pretrained
    return kind(folder, model, dict(config.values), unused)


def read_recipe(config: Config) -> Recipe:
    """What is to be built for a config: the table of its tensors, and the model.

    Raises ValueError for a model of a type that is not known.
    """
    family = config.values.get("model_type")
    if not isinstance(family, str) or family not in FAMILIES:
        config.refuse("model_type", f"one of {', '.join(FAMILIES)}")
    return FAMILIES[family](config)


def _makes_sentences(folder: Path, model: Module) -> bool:
    return isinstance(model, Encoder) and (folder / "1_Pooling" / "config.json").is_file()
