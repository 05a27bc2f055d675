"""What races of memories share: pairs of a key and a value are told, then keys are asked for.

A pair is one token, the sum of its key and its value; a question is a key with no value. All that
race are read and trained alike: they differ in the token mixer, and in what they are asked.
"""

from collections.abc import Callable

import numpy as np

from minitx import functional as F
from minitx import nn, no_grad
from minitx.autograd.tensor import Tensor
from minitx.context import Context, TokenMixer
from minitx.positions import Hooks
from minitx.training.adam import AdamW
from minitx.training.schedules import warm_up_cosine

Rng = np.random.Generator
Questions = Callable[[int, Rng], tuple[np.ndarray, np.ndarray, np.ndarray]]


class Reader(nn.Module):
    """keys and values (B, T), value ``values`` for none -> logits (B, T, values).

    One token mixer between learned embeddings and a linear map, and nothing else; ``make(rng)``
    gives the mixer and its positions.
    """

    def __init__(
        self,
        keys: int,
        values: int,
        width: int,
        make: Callable[[Rng], tuple[TokenMixer, Hooks]],
        rng: Rng,
    ):
        self.keys = nn.Embedding(keys, width, rng=rng)
        self.values = nn.Embedding(values + 1, width, rng=rng)
        self.mixer, self.position = make(rng)
        self.head = nn.Linear(width, values, rng=rng)

    def forward(self, keys: np.ndarray, values: np.ndarray) -> Tensor:
        x = self.keys(keys) + self.values(values)
        return self.head(self.mixer(self.position.input(x, Context.of(x).coords)))


def accuracy(model: Reader, questions: Questions, rng: Rng, steps: int = 800) -> float:
    """The share of right answers to new questions after training.

    ``questions(batch, rng)`` gives keys and values (B, T), and the answers (B, N) to the last N.
    """
    optimiser = AdamW(model.parameters(), lr=1e-2, weight_decay=0.0)
    schedule = warm_up_cosine(steps // 10, steps)
    for step in range(steps):
        keys, values, answers = questions(32, rng)
        optimiser.zero_grad()
        F.cross_entropy(model(keys, values)[:, -answers.shape[1] :], answers).backward()
        optimiser.step(schedule(step))
    keys, values, answers = questions(500, rng)
    with no_grad():
        said = model(keys, values).numpy()[:, -answers.shape[1] :].argmax(-1)
    return float((said == answers).mean())
