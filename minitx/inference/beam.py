"""Beam search: keep the few most likely beginnings, and go on with each."""

from typing import Any

import numpy as np

from minitx import backend
from minitx.autograd.graph import no_grad


def beam_search(
    model: Any,
    prompt: Any,
    max_new_tokens: int,
    beams: int,
    *,
    stop: int | None = None,
    length_penalty: float = 0.0,
    state: Any = None,
) -> tuple[list[list[int]], list[float]]:
    """The ``beams`` best continuations of one prompt, best first, and their scores.

    prompt (T,) ids. A score is the sum of log probabilities, divided by length^length_penalty. A
    continuation ends with ``stop`` or after ``max_new_tokens``. ``state`` is a state of one row to
    begin from (a translation's source), by default the model's own. With as many beams as there
    are continuations it is exhaustive search.
    """
    prompt = np.asarray(prompt)
    if prompt.ndim != 1 or not prompt.size:
        raise ValueError(f"beam_search expected one prompt (T,), got shape {prompt.shape}")
    if beams < 1 or max_new_tokens < 1:
        raise ValueError(f"expected beams and tokens of 1 or more, got {beams}, {max_new_tokens}")
    with no_grad():
        state = model.init_state(1) if state is None else state
        logits, state = model.step(prompt[None], state)
        texts: list[list[int]] = [[]]
        scores, finished = np.zeros(1), []
        for length in range(1, max_new_tokens + 1):
            total = scores[:, None] + log_probabilities(logits.data[:, -1])  # (beams, V)
            parents, tokens = _best(total, beams)
            texts = [[*texts[p], int(t)] for p, t in zip(parents, tokens, strict=True)]
            scores = total[parents, tokens]
            ended = [stop is not None and text[-1] == stop for text in texts]
            for text, score, end in zip(texts, scores, ended, strict=True):
                if end or length == max_new_tokens:
                    finished.append((score / length**length_penalty, text))
            alive = [i for i, end in enumerate(ended) if not end]
            finished = sorted(finished, key=lambda one: -one[0])[:beams]
            if not alive or length == max_new_tokens:
                break
            texts, scores = [texts[i] for i in alive], scores[alive]
            state = state.take(parents[alive])
            logits, state = model.step(np.array([[text[-1]] for text in texts]), state)
    return [text for _, text in finished], [float(score) for score, _ in finished]


def log_probabilities(logits: Any) -> np.ndarray:
    """log softmax of (B, V), in float64."""
    logits = backend.to_numpy(logits).astype(np.float64)
    logits = logits - logits.max(axis=-1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))


def _best(total: np.ndarray, beams: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the ``beams`` greatest finite entries, greatest first."""
    order = np.argsort(-total, axis=None, kind="stable")[:beams]
    order = order[np.isfinite(total.reshape(-1)[order])]
    return np.unravel_index(order, total.shape)
