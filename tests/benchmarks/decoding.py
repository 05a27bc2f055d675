"""Cached greedy decoding at size L, in minitx and in `transformers`, from the same weights.

Each round reads a prompt of 16 tokens and writes 128, with the cache of each.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from tests.benchmarks.work import Programs, Work, lazily

VOCABULARY, PROMPT, NEW, CONTEXT = 65, 16, 128, 256
SHAPES = {
    "GPT": ("GPT2LMHeadModel", dict(n_embd=384, n_layer=6, n_head=6, n_positions=CONTEXT)),
    "Llama": (
        "LlamaForCausalLM",
        dict(
            hidden_size=384, intermediate_size=1024, num_hidden_layers=6, num_attention_heads=6,
            num_key_value_heads=2, max_position_embeddings=CONTEXT,
        ),
    ),
}  # fmt: skip
BATCHES = (1, 16)


def referee(name: str):
    """The model of `transformers`, its weights random and large enough to say something."""
    import torch
    import transformers

    kind, settings = SHAPES[name]
    kind = getattr(transformers, kind)
    torch.manual_seed(0)
    no_tokens = dict(bos_token_id=None, eos_token_id=None, pad_token_id=None)
    config = kind.config_class(vocab_size=VOCABULARY, **settings, **no_tokens)
    model = kind(config).eval()
    for p in model.parameters():
        if p.ndim > 1:
            torch.nn.init.normal_(p, std=0.06)
    return model


def pair(name: str, batch: int, threads: int) -> Programs:
    """The two programs; both give the new ids (B, 128), and they are the same."""
    prompt = np.random.default_rng(batch).integers(0, VOCABULARY, (batch, PROMPT))

    def minitx() -> Callable[[], np.ndarray]:
        from minitx import pretrained
        from minitx.inference import generate

        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "tests.benchmarks.decoding", name, folder]
            subprocess.run(command, check=True, capture_output=True)  # PyTorch stays there
            ours = pretrained.load(folder).model
        return lambda: generate(ours, prompt, NEW, context=CONTEXT, parts=threads)

    def transformers() -> Callable[[], np.ndarray]:
        import torch

        theirs, inputs = referee(name), torch.from_numpy(prompt)
        mask = torch.ones_like(inputs)  # unless told, it takes id 0 for padding
        options = dict(do_sample=False, use_cache=True, max_new_tokens=NEW, min_new_tokens=NEW)

        def program() -> np.ndarray:
            return theirs.generate(inputs, attention_mask=mask, **options)[:, PROMPT:].numpy()

        if not np.array_equal(minitx()(), program()):
            raise AssertionError(
                f"{name}, batch {batch}: minitx and transformers wrote other tokens"
            )
        return program

    return {"minitx": lazily(minitx), "transformers": lazily(transformers)}


def works(threads: int) -> Iterator[Work]:
    """Both shapes, a text alone and 16 side by side."""
    for name in SHAPES:
        for batch in BATCHES:
            make = partial(pair, name, batch, threads)
            who, targets = ("minitx", "transformers"), {1: 0.5, 2: 0.6}
            yield Work(f"decoding {name} batch {batch}", make, who, targets)


if __name__ == "__main__":
    referee(sys.argv[1]).save_pretrained(sys.argv[2])
