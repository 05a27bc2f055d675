"""Forward only: 64 sentences of 32 tokens through an encoder of MiniLM's shape."""

import tempfile
from collections.abc import Callable, Iterator

import numpy as np

from tests.benchmarks.work import Programs, Work, lazily

VOCABULARY, BATCH, LENGTH = 30522, 64, 32
SHAPE = dict(
    hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536,
    max_position_embeddings=512,
)  # fmt: skip


def make(threads: int) -> Programs:
    """minitx, PyTorch and compiled PyTorch, from the same random weights."""
    ids = np.random.default_rng(0).integers(0, VOCABULARY, (BATCH, LENGTH))

    def minitx() -> Callable[[], np.ndarray]:
        from minitx import pretrained
        from minitx.inference import on_rows

        with tempfile.TemporaryDirectory() as folder:
            referee().save_pretrained(folder)
            run = on_rows(pretrained.load(folder).model, threads)
        return lambda: run(ids).numpy()

    def torch(compiled: bool) -> Callable[[], np.ndarray]:
        import torch

        inputs, theirs = torch.from_numpy(ids), referee()
        model = torch.compile(theirs) if compiled else theirs

        def program() -> np.ndarray:
            with torch.no_grad():
                return model(inputs).last_hidden_state.numpy()

        if np.abs(minitx()() - program()).max() > 1e-4:
            raise AssertionError("minitx and PyTorch computed different vectors")
        return program

    return {
        "minitx": lazily(minitx),
        "torch": lazily(lambda: torch(compiled=False)),
        "torch compiled": lazily(lambda: torch(compiled=True)),
    }


def referee():
    """The model of `transformers`, its weights random."""
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    return BertModel(BertConfig(vocab_size=VOCABULARY, **SHAPE), add_pooling_layer=False).eval()


def works(threads: int) -> Iterator[Work]:
    name, who = "forward, MiniLM's shape, 64 sentences", ("minitx", "torch", "torch compiled")
    yield Work(name, lambda: make(threads), who, {1: 0.95, 2: 1.05})
