"""Sentences to vectors, as sentence-transformers describes it in its files.

Source: Reimers and Gurevych, "Sentence-BERT" (2019).
"""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from minitx.autograd.graph import no_grad
from minitx.backend.threads import blas_threads, can_start_threads, cores
from minitx.models.encoder import Encoder, SentenceEmbedding
from minitx.models.pooling import first_token, max_pool, mean_pool
from minitx.pretrained.config import Config
from minitx.tokens import Tokenizer
from minitx.tokens.files import read_file

_POOLINGS = {
    "pooling_mode_cls_token": first_token,
    "pooling_mode_mean_tokens": mean_pool,
    "pooling_mode_max_tokens": max_pool,
}
_KNOWN_MODULES = ("Transformer", "Pooling", "Normalize")


class SentenceEncoder:
    """Text to unit vectors: ``embed(sentences)``. It works on batches side by side, on all cores.

    pooling: from the vectors of all tokens to one (mean); longer texts are cut to ``max_length``
    tokens; ``lowercase`` is what the text goes through before the tokenizer.
    """

    def __init__(
        self,
        encoder: Encoder,
        tokenizer: Tokenizer,
        pooling: Callable = mean_pool,
        max_length: int | None = None,
        lowercase: bool = False,
    ):
        places = encoder.position.weight.shape[0]
        self.model, self.tokenizer = SentenceEmbedding(encoder, pooling), tokenizer
        self.max_length = min(max_length or places, places)
        self.lowercase = lowercase

    def embed(self, sentences: Sequence[str], batch_size: int = 32) -> np.ndarray:
        """N sentences -> (N, D), each row of length 1, in the order of the sentences.

        Sentences of like length are worked on together, ``batch_size`` at a time. The empty
        sentence is one too. Raises TypeError for a single str or for what is no str.
        """
        if isinstance(sentences, str):
            raise TypeError("embed expected a list of sentences, got one str")
        if batch_size < 1:
            raise ValueError(f"embed expected a batch_size of at least 1, got {batch_size}")
        rows = [self._encode(text) for text in sentences]
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]), reverse=True)
        batches = [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
        weight = self.model.encoder.tokens.weight
        vectors = np.empty((len(rows), weight.shape[1]), weight.dtype)
        found = self._side_by_side([[rows[i] for i in batch] for batch in batches])
        for batch, part in zip(batches, found, strict=True):
            vectors[batch] = part
        return vectors

    def _encode(self, text: str) -> np.ndarray:
        if self.lowercase and isinstance(text, str):
            text = text.lower()
        return self.tokenizer.batch([text], self.max_length).ids[0]

    def _side_by_side(self, batches: list[list[np.ndarray]]) -> list[np.ndarray]:
        """The vectors of every batch; the longest come first, so that no thread ends late."""
        threads = min(cores(), len(batches))
        if threads < 2 or not can_start_threads():
            return [self._run(batch) for batch in batches]
        with blas_threads(1), ThreadPoolExecutor(threads) as pool:
            return list(pool.map(self._run, batches))

    def _run(self, rows: list[np.ndarray]) -> np.ndarray:
        width, pad = max(map(len, rows)), self.tokenizer.special.id_of("pad") or 0
        ids = np.full((len(rows), width), pad, np.int64)  # (B, T)
        valid = np.zeros((len(rows), width), bool)
        for i, row in enumerate(rows):
            ids[i, : len(row)], valid[i, : len(row)] = row, True
        with no_grad():
            return self.model(ids, valid).numpy()


def read_settings(folder: Path) -> tuple[Callable, int | None, bool]:
    """(pooling, longest length, whether to lower the case) from sentence-transformers' files.

    Raises ValueError for a pooling or a further module that is not implemented.
    """
    _check_modules(folder / "modules.json")
    pooling = Config.read(folder / "1_Pooling" / "config.json")
    chosen = [
        key for key in pooling.values if key.startswith("pooling_mode") and pooling.values[key]
    ]
    if len(chosen) != 1 or chosen[0] not in _POOLINGS:
        raise ValueError(
            f"{pooling.where} expected one of {', '.join(_POOLINGS)}, got {chosen or 'none'}"
        )
    if not (folder / "sentence_bert_config.json").is_file():
        return _POOLINGS[chosen[0]], None, False
    config = Config.read(folder / "sentence_bert_config.json")
    longest = None
    if config.values.get("max_seq_length") is not None:
        longest = config.whole("max_seq_length")
    return _POOLINGS[chosen[0]], longest, config.flag("do_lower_case", False)


def _check_modules(path: Path) -> None:
    if not path.is_file():
        return
    try:
        kinds = [str(module["type"]).rpartition(".")[2] for module in json.loads(read_file(path))]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(f"{path} expected a list of modules with types: {error}") from None
    unknown = [kind for kind in kinds if kind not in _KNOWN_MODULES]
    if unknown:
        raise ValueError(f"{path}: modules {unknown} are not implemented")
