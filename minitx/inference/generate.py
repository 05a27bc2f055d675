"""Generation: one token after the other, each fed back in, for a whole batch at once."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from minitx import backend
from minitx.autograd.graph import no_grad
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
) -> Iterator[np.ndarray]:
    """Yield the next ids (B,) as they come.

    prompt (B, T) ids; rows of different lengths are padded on the left, with ``valid`` (B, T)
    False there. ``sampler`` is Greedy() or a Sampler. A row that has given ``stop`` goes on giving
    it; when all rows have, the stream ends. ``context`` is the greatest length that the model can
    see; when it is full, the model goes on from the last half of it.

    Raises ValueError for an empty prompt, a row of padding only, or a prompt that is longer than
    the context.
    """
    prompt, valid = _read(prompt, valid, context)
    sampler = Greedy() if sampler is None else sampler
    state, text = model.init_state(len(prompt)), prompt
    finished = np.zeros(len(prompt), bool)
    fresh, marks = prompt, valid
    for _ in range(max_new_tokens):
        with no_grad():
            logits, state = model.step(fresh, state, valid=marks)
        chosen = sampler(logits.data[:, -1], _history(text, valid))
        if stop is not None:
            chosen = np.where(finished, stop, chosen)
            finished |= chosen == stop
        yield chosen
        if finished.all() and stop is not None:
            return
        text = np.concatenate([text, chosen[:, None]], axis=1)
        valid = np.concatenate([valid, np.ones((len(text), 1), bool)], axis=1)
        fresh, marks = chosen[:, None], None
        if context is not None and text.shape[1] > context:
            keep = max(1, context // 2)
            text, valid = text[:, -keep:], valid[:, -keep:]
            state, fresh, marks = model.init_state(len(text)), text, valid


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


def _history(text: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """The ids so far; padding is replaced by the row's last token, which has occurred."""
    return np.where(valid, text, text[:, -1:])
