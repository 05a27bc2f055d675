"""Speculative decoding: a small model guesses ahead, the large one checks all guesses at once.

A guess x with probability q(x) under the draft and p(x) under the target is kept with probability
min(1, p(x) / q(x)); at the first that is not, the token is drawn from max(p - q, 0), normalised.
Then every token has exactly the target's distribution, however bad the draft is: a bad draft only
costs time.

Source: Leviathan, Kalman and Matias, "Fast Inference from Transformers via Speculative Decoding"
(2023): M_p = target, M_q = draft, gamma = ahead.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from minitx.autograd.graph import no_grad
from minitx.inference.sampling import draw


class _Reader:
    """A model that follows one text: it looks ahead tentatively, and is told what was kept."""

    def __init__(self, model: Any):
        self.model, self.state = model, model.init_state(1)
        self.pending: list[int] = []  # kept, but not yet in the state
        self.passes = 0

    def look(self, guesses: list[int]) -> np.ndarray:
        """Logits (len(guesses) + 1, V): for the token after the text, and after each guess."""
        ids = self.pending + guesses
        with no_grad():
            logits, self._after = self.model.step(np.array([ids]), self.state)
        self._read, self.passes = ids, self.passes + 1
        return logits.data[0, len(self.pending) - 1 :]

    def keep(self, tokens: list[int], patience: int) -> None:
        """The text grew by ``tokens``. What was looked at, if all of it was kept, stays read."""
        self.pending += tokens
        if self.pending[: len(self._read)] == self._read:
            self.state, self.pending = self._after, self.pending[len(self._read) :]
        elif len(self.pending) > patience:
            last = self.pending.pop()
            self.look([])
            self.state, self.pending = self._after, [last]


def speculate(
    target: Any, draft: Any, prompt: Any, max_new_tokens: int, sampler: Any, ahead: int = 4
) -> Iterator[int]:
    """Yield tokens distributed as ``target``'s, with guesses by ``draft``; one text at a time.

    prompt (T,) ids; ``sampler`` a Sampler (its rules apply to both models, its generator draws)
    or Greedy; ``ahead`` is how many tokens are guessed at once.
    """
    text = [int(token) for token in np.asarray(prompt).reshape(-1)]
    if not text or ahead < 1:
        raise ValueError(f"expected a prompt and ahead of at least 1, got {len(text)} and {ahead}")
    readers = _Reader(target), _Reader(draft)
    for reader in readers:
        reader.pending = list(text)
    given = 0
    while given < max_new_tokens:
        new = _round(*readers, text, sampler, min(ahead, max_new_tokens - given))
        for reader in readers:
            reader.keep(list(new), patience=2 * ahead)
        text += new
        for token in new[: max_new_tokens - given]:
            given += 1
            yield token


def _round(target: _Reader, draft: _Reader, text: list[int], sampler: Any, ahead: int) -> list[int]:
    guesses, q = [], []
    for _ in range(ahead):
        logits = draft.look(guesses)[-1:]
        q.append(_distribution(sampler, logits, text + guesses))
        guesses.append(int(_draw(q[-1], sampler)))
    logits = target.look(guesses)
    for i, guess in enumerate(guesses):
        p = _distribution(sampler, logits[i : i + 1], text + guesses[:i])
        if _uniform(sampler) * q[i][guess] >= p[guess]:  # refused
            rest = np.maximum(p - q[i], 0)
            return [*guesses[:i], int(_draw(rest / rest.sum(), sampler))]
    p = _distribution(sampler, logits[-1:], text + guesses)
    return [*guesses, int(_draw(p, sampler))]


def _distribution(sampler: Any, logits: Any, text: list[int]) -> np.ndarray:
    return sampler.probabilities(logits, np.array([text]))[0]


def _draw(p: np.ndarray, sampler: Any) -> int:
    rng = getattr(sampler, "rng", None)
    return int(p.argmax() if rng is None else draw(p[None], rng)[0])


def _uniform(sampler: Any) -> float:
    """In [0, 1); a greedy sampler, whose p and q are 0 or 1, needs no luck."""
    rng = getattr(sampler, "rng", None)
    return 0.5 if rng is None else rng.random()
