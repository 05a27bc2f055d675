"""Forward only: 64 sentences of 32 tokens through an encoder of MiniLM's shape."""

from collections.abc import Iterator

import numpy as np

from tests.benchmarks.work import Programs, Work

VOCABULARY, BATCH, LENGTH = 30522, 64, 32
SHAPE = dict(
    hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536,
    max_position_embeddings=512,
)  # fmt: skip


def make(threads: int) -> Programs:
    """minitx, PyTorch and compiled PyTorch, from the same random weights."""
    import tempfile

    import torch
    from transformers import BertConfig, BertModel

    from minitx import pretrained
    from minitx.inference import on_rows

    torch.manual_seed(0)
    theirs = BertModel(BertConfig(vocab_size=VOCABULARY, **SHAPE), add_pooling_layer=False).eval()
    with tempfile.TemporaryDirectory() as folder:
        theirs.save_pretrained(folder)
        ours = pretrained.load(folder).model
    ids = np.random.default_rng(0).integers(0, VOCABULARY, (BATCH, LENGTH))
    inputs = torch.from_numpy(ids)
    compiled = torch.compile(theirs)

    run = on_rows(ours, threads)

    def minitx() -> np.ndarray:
        return run(ids).numpy()

    def eager(model=theirs) -> np.ndarray:
        with torch.no_grad():
            return model(inputs).last_hidden_state.numpy()

    if np.abs(minitx() - eager()).max() > 1e-4:
        raise AssertionError("minitx and PyTorch computed different vectors")
    return {"minitx": minitx, "torch": eager, "torch compiled": lambda: eager(compiled)}


def works(threads: int) -> Iterator[Work]:
    name, who = "forward, MiniLM's shape, 64 sentences", ("minitx", "torch", "torch compiled")
    yield Work(name, lambda: make(threads), who, {1: 0.95, 2: 1.05})
