"""One training step of a GPT, in minitx and in the referees, from the same weights.

Pre-norm, learned positions, biases, no dropout, float32, tanh-GELU (erf-GELU beside it), AdamW.
"""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from tests.benchmarks.work import Programs, Work, lazily

VOCABULARY = 65
SIZES = {
    "S": dict(num_layers=4, d_model=64, num_heads=4, length=64, batch=16),
    "M": dict(num_layers=4, d_model=128, num_heads=4, length=128, batch=16),
    "L": dict(num_layers=6, d_model=384, num_heads=6, length=256, batch=8),
}
TARGETS = {
    "S": {1: 0.80, 2: 0.80},
    "M": {1: 0.88, 2: 0.82},
    "L": {1: 0.90, 2: 0.88},
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
    from minitx.training.processes import on_processes

    model = minitx_model(size, approximate)
    optimiser = AdamW(model.parameters(), lr=1e-3, weight_decay=0.1)
    batch = data(size)
    loss_of = on_processes(lambda model, batch: model.loss(*batch), threads)

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


def _make(size: dict, approximate: str, threads: int) -> Programs:
    """Each built at its first call, since it is alone in its process."""

    def torch(compiled: bool = False) -> Callable[[], float]:
        return torch_step(size, minitx_model(size, approximate), approximate, compiled)

    def jax() -> Callable[[], float]:
        from tests.benchmarks.jax_gpt import jax_step

        return jax_step(size, minitx_model(size, approximate), data(size), approximate)

    return {
        "minitx": lazily(lambda: minitx_step(size, approximate, threads)[0]),
        "torch": lazily(torch),
        "torch compiled": lazily(lambda: torch(compiled=True)),
        "jax": lazily(jax),
    }


def works(threads: int) -> Iterator[Work]:
    """Every size with both forms of GELU; the targets are for the one that GPT-2 has."""
    for name, size in SIZES.items():
        make = partial(_make, size, "tanh", threads)
        who = ("minitx", "torch", "torch compiled", "jax")
        yield Work(f"training step {name}", make, who, TARGETS[name])
        make = partial(_make, size, "none", threads)
        yield Work(f"training step {name}, erf-GELU", make)
    if threads == 1:
        name, make = "share of the matrix rate", partial(share_of_the_matrix_rate, SIZES["L"])
        yield Work(f"{name}, training step L", make, ("minitx", "products alone"), {1: 1 / 0.88})


def flops(size: dict) -> float:
    """Multiplications and additions of a step's matrix products, the causal half of attention's."""
    tokens, width = size["batch"] * size["length"], size["d_model"]
    linear = 12 * width**2 * size["num_layers"] + VOCABULARY * width
    attention = size["num_layers"] * size["length"] * width  # 2 products of T/2 keys and D a token
    return 6.0 * tokens * (linear + attention)


def products_alone(size: dict) -> Callable[[], None]:
    """As many multiplications as in a step, in products at the rate of one that is large."""
    rng = np.random.default_rng(0)
    a = rng.standard_normal((2048, 384), dtype=np.float32)
    b = rng.standard_normal((384, 1536), dtype=np.float32)
    whole, rest = divmod(flops(size) / (2 * a.size * b.shape[1]), 1)
    pieces = [a] * int(whole) + [a[: round(rest * len(a))]]

    def program() -> None:
        for piece in pieces:
            piece @ b

    return program


def share_of_the_matrix_rate(size: dict) -> Programs:
    """How close a step comes to spending all its time in products: the ratio is 1 / that share."""
    return {
        "minitx": lazily(lambda: minitx_step(size)[0]),
        "products alone": products_alone(size),
    }
