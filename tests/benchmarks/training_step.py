"""One training step of a GPT, in minitx and in the referees, from the same weights.

Pre-norm, learned positions, biases, no dropout, float32, tanh-GELU (erf-GELU beside it), AdamW.
"""

from collections.abc import Callable

import numpy as np

VOCABULARY = 65
SIZES = {
    "S": dict(num_layers=4, d_model=64, num_heads=4, length=64, batch=16),
    "M": dict(num_layers=4, d_model=128, num_heads=4, length=128, batch=16),
    "L": dict(num_layers=6, d_model=384, num_heads=6, length=256, batch=8),
}


def data(size: dict, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Random ids and targets (B, T): the arithmetic does not depend on what they say."""
    ids = np.random.default_rng(seed).integers(
        0, VOCABULARY, (2, size["batch"], size["length"]), dtype=np.int64
    )
    return ids[0], ids[1]


def minitx_model(size: dict, approximate: str):
    """The model of the book, as its training command builds it."""
    from minitx.models import Decoder

    return Decoder.gpt(
        VOCABULARY,
        size["d_model"],
        size["num_heads"],
        size["num_layers"],
        size["length"],
        activation="gelu" if approximate == "tanh" else "gelu_erf",
        rng=0,
    )


def minitx_step(
    size: dict, approximate: str = "tanh", threads: int = 1
) -> tuple[Callable[[], float], object]:
    """(step, model): ``step()`` trains once and returns the loss."""
    from minitx.training import AdamW
    from minitx.training.parallel import on_threads

    model = minitx_model(size, approximate)
    optimiser = AdamW(model.parameters(), lr=1e-3, weight_decay=0.1)
    batch = data(size)
    loss_of = on_threads(lambda model, batch: model.loss(*batch), threads)

    def step() -> float:
        loss = loss_of(model, batch)
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        return loss.item()

    return step, model


def torch_step(size: dict, model, approximate: str = "tanh", compiled: bool = False):
    """The same step in PyTorch, from the weights of ``model`` (a minitx Decoder)."""
    import torch

    from tests.benchmarks.torch_gpt import GPT

    referee = GPT(VOCABULARY, size, approximate)
    referee.load_minitx(model)
    ids, targets = (torch.from_numpy(x) for x in data(size))
    optimiser = torch.optim.AdamW(referee.parameters(), lr=1e-3, weight_decay=0.1, fused=True)
    run = torch.compile(referee) if compiled else referee

    def step() -> float:
        loss = run(ids, targets)
        loss.backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        return loss.item()

    return step
