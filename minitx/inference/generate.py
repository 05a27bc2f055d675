"""Generation: one token after the other, each fed back in, for a whole batch at once."""

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import numpy as np

from minitx import backend
from minitx.autograd.graph import no_grad
from minitx.backend.processes import Copy, can_fork
from minitx.backend.threads import blas_threads
from minitx.inference.sampling import Greedy


def stream(
    model: Any,
    prompt: Any,
    max_new_tokens: int,
    sampler: Any = None,
    *,
    stop: int | None = None,
    valid: Any = None,
    context: int | None = None,
    parts: int = 1,
) -> Iterator[np.ndarray]:
    """Yield the next ids (B,) as they come.

    prompt (B, T) ids; rows of different lengths are padded on the left, with ``valid`` (B, T)
    False there. ``sampler`` is Greedy() or a Sampler. A row that has given ``stop`` goes on giving
    it; when all rows have, the stream ends. ``context`` is the greatest length that the model can
    see; when it is full, the model goes on from the last half of it. The rows are worked on in
    ``parts``, side by side, each in a copy of this process where there can be any (on Linux).

    Raises ValueError for an empty prompt, a row of padding only, a prompt that is longer than
    the context, or fewer parts than 1.
    """
    prompt, valid = _read(prompt, valid, context)
    sampler = Greedy() if sampler is None else sampler
    batch, length = prompt.shape
    longest = length + max(0, max_new_tokens)
    room = longest if context is None else min(longest, context + 1)
    text, there = np.empty((batch, room), np.int64), np.ones((batch, room), bool)
    text[:, :length] = np.where(valid, prompt, prompt[:, -1:])  # no padding: rules look at this
    there[:, :length] = valid
    finished, fresh = np.zeros(batch, bool), None
    rows = _Rows(model, batch, parts)
    for _ in range(max_new_tokens):
        if fresh is None:
            logits = rows.read(text[:, :length], there[:, :length])
        else:
            logits = rows.step(fresh)
        chosen = sampler(logits, text[:, :length])
        if stop is not None:
            chosen = np.where(finished, stop, chosen)
            finished |= chosen == stop
        yield chosen
        if finished.all() and stop is not None:
            return
        text[:, length], length, fresh = chosen, length + 1, chosen[:, None]
        if context is not None and length > context:
            keep = max(1, context // 2)
            for kept in (text, there):
                kept[:, :keep] = kept[:, length - keep : length]
            length, fresh = keep, None


class _Rows:
    """The rows of a batch and their states, in one part or in several that have a process each."""

    def __init__(self, model: Any, batch: int, parts: int):
        if parts < 1:
            raise ValueError(f"expected parts of 1 or more, got {parts}")
        self.model, self.state = model, None
        count = min(parts, batch) if can_fork() else 1
        if count > 1 and any(p.device != "cpu" for p in model.parameters()):
            count = 1
        edges = [batch * i // count for i in range(count + 1)]
        self.slices = [slice(*pair) for pair in zip(edges[:-1], edges[1:], strict=True)]
        self.others = [Copy(self._serve) for _ in self.slices[1:]]

    def read(self, ids: np.ndarray, valid: np.ndarray) -> Any:
        """Begin anew with texts (B, T): the logits (B, V) after each."""
        return self._on_all([ids, valid])

    def step(self, ids: np.ndarray) -> Any:
        """Go on with a token (B, 1) each: the logits (B, V)."""
        return self._on_all([ids])

    def _on_all(self, arrays: list[np.ndarray]) -> Any:
        first, *rest = ([array[part] for array in arrays] for part in self.slices)
        for other, part in zip(self.others, rest, strict=True):
            other.ask(part)
        with blas_threads(1) if rest else nullcontext():
            found = self._serve(first)
        for other in self.others:
            found += other.answer()
        return np.concatenate(found) if rest else found[0]

    def _serve(self, arrays: list[np.ndarray]) -> list[Any]:
        """Of one part: two arrays begin anew, one goes on; the logits."""
        ids, *valid = arrays
        with no_grad():
            state = self.model.init_state(len(ids)) if valid else self.state
            logits, self.state = self.model.step(ids, state, *valid)
        return [logits.data[:, -1]]


def generate(
    model: Any, prompt: Any, max_new_tokens: int, sampler: Any = None, **options: Any
) -> np.ndarray:
    """The new ids (B, up to max_new_tokens), all at once; arguments as in ``stream``."""
    steps = list(stream(model, prompt, max_new_tokens, sampler, **options))
    batch = len(np.atleast_2d(np.asarray(prompt)))
    return np.stack(steps, axis=1) if steps else np.zeros((batch, 0), np.int64)


def _read(prompt: Any, valid: Any, context: int | None) -> tuple[np.ndarray, np.ndarray]:
    prompt = np.asarray(backend.to_numpy(getattr(prompt, "data", np.asarray(prompt))))
    if prompt.ndim != 2 or not prompt.size:
        raise ValueError(
            f"expected a prompt (B, T) of at least one token, got shape {prompt.shape}"
        )
    if prompt.dtype.kind not in "iu":
        raise TypeError(f"expected integer ids, got {prompt.dtype}")
    valid = np.ones(prompt.shape, bool) if valid is None else np.asarray(valid)
    if valid.shape != prompt.shape or valid.dtype.kind != "b":
        raise ValueError(
            f"expected valid, boolean of shape {prompt.shape}, got {valid.dtype} {valid.shape}"
        )
    if not valid[:, -1].all():
        raise ValueError("prompts of different lengths are padded on the left: their last token "
                         "must be valid, and no row may be padding only")  # fmt: skip
    if context is not None and prompt.shape[1] > context:
        raise ValueError(
            f"a prompt of {prompt.shape[1]} tokens is longer than the context of {context}"
        )
    return prompt, valid
