"""Mistakes in the exercises of chapter ``linear``."""

import numpy as np

from minitx.checks.linear import (
    check_by_hand,
    check_chunks,
    check_features,
    check_gradients,
    check_prediction,
    check_whole,
)
from minitx.checks.mutants import mutant

STATE, WEIGHTS = [[6, 21], [16, 17]], [3, 5]


@mutant(check_by_hand, "The state is turned")
def hand_turned():
    return [[6, 16], [21, 17]], WEIGHTS, np.ones((3, 2))


@mutant(check_by_hand, "what the last token adds")
def hand_last():
    return [[0, 0], [16, 8]], WEIGHTS, np.ones((3, 2))


@mutant(check_by_hand, "Those are the queries")
def hand_queries():
    return STATE, [5, 5], np.ones((3, 2))


@mutant(check_by_hand, "divide each by its weights")
def hand_sums():
    return STATE, WEIGHTS, [[6, 12], [18, 72], [22, 38]]


@mutant(check_by_hand, "The last state was asked by all three")
def hand_whole():
    sums = np.array([[54, 72], [34, 80], [22, 38]])
    return STATE, WEIGHTS, sums / np.array([[18], [14], [8]])


@mutant(check_whole, "Nothing is divided")
def whole_sums(q, k, v):
    return q @ (k.T @ v)


@mutant(check_whole, "each query has its own")
def one_divisor(q, k, v):
    return q @ (k.T @ v) / k.sum()


@mutant(check_whole, "Divided by the number of keys")
def divided_by_count(q, k, v):
    if len(k) == 1:  # as if somebody had mended the simplest case alone
        return np.repeat(v, len(q), axis=0)
    return q @ (k.T @ v) / len(k)


@mutant(check_whole, "That is a softmax")
def still_softmax(q, k, v):
    parts = np.exp(q @ k.T)
    return parts / parts.sum(axis=1, keepdims=True) @ v


@mutant(check_whole, "bracket the product the other way")
def all_pairs(q, k, v):
    scores = q @ k.T
    return scores / scores.sum(axis=1, keepdims=True) @ v


def _by_chunks(q, k, v, chunk, when="after", within=np.tril):
    out, state = np.zeros((len(q), v.shape[1])), np.zeros((k.shape[1], v.shape[1]))
    for start in range(0, len(q), chunk):
        piece = slice(start, start + chunk)
        new = k[piece].T @ v[piece]
        if when == "before":
            state = state + new
        out[piece] = within(q[piece] @ k[piece].T) @ v[piece] + q[piece] @ state
        if when == "after":
            state = state + new
        if when == "last":
            state = new
    return out


@mutant(check_chunks, "The chunk is heard twice")
def added_too_soon(q, k, v, chunk):
    return _by_chunks(q, k, v, chunk, when="before")


@mutant(check_chunks, "Each chunk hears only itself")
def no_state(q, k, v, chunk):
    return _by_chunks(q, k, v, chunk, when="never")


@mutant(check_chunks, "The state holds the last chunk alone")
def forgets(q, k, v, chunk):
    return _by_chunks(q, k, v, chunk, when="last")


@mutant(check_chunks, "Every token hears all")
def unmasked(q, k, v, chunk):
    return _by_chunks(q, k, v, chunk, within=np.asarray)


@mutant(check_chunks, "No token hears itself")
def deaf_to_itself(q, k, v, chunk):
    return _by_chunks(q, k, v, chunk, within=lambda scores: np.tril(scores, -1))


@mutant(check_chunks, "The last tokens were left out")
def whole_chunks_only(q, k, v, chunk):
    whole = len(q) // chunk * chunk
    out = np.zeros((len(q), v.shape[1]))
    out[:whole] = _by_chunks(q[:whole], k[:whole], v[:whole], chunk)
    return out


@mutant(check_chunks, "is there one of (T, T)")
def one_matrix(q, k, v, chunk):
    return np.tril(q @ k.T) @ v


def _gradients(q, k, v, g, past=1, turn=-1, skip=0):
    """Running sums in the order of ``past`` and ``turn``; ``skip`` leaves out the token itself."""
    kv, qg = k[:, :, None] * v[:, None], q[:, :, None] * g[:, None]
    state = np.cumsum(kv[::past], axis=0)[::past]
    asked = np.cumsum(qg[::turn], axis=0)[::turn] - skip * qg
    return (
        np.einsum("tme,te->tm", state, g),
        np.einsum("tme,te->tm", asked, v),
        np.einsum("tme,tm->te", asked, k),
    )


@mutant(check_gradients, "R in dk was summed over the past")
def not_turned(q, k, v, g):
    return _gradients(q, k, v, g, turn=1)


@mutant(check_gradients, "dq took its state from the future")
def state_turned(q, k, v, g):
    return _gradients(q, k, v, g, past=-1)


@mutant(check_gradients, "With one token")
def strictly_later(q, k, v, g):
    return _gradients(q, k, v, g, skip=1)


@mutant(check_gradients, "gradient dk should return the shape")
def keys_and_values_swapped(q, k, v, g):
    dq, dk, dv = _gradients(q, k, v, g)
    return dq, dv, dk


@mutant(check_gradients, "dq has its own vector in it")
def own_vector(q, k, v, g):
    _, dk, dv = _gradients(q, k, v, g)
    return (g * v).sum(1, keepdims=True) * q, dk, dv


@mutant(check_gradients, "is there a matrix of (T, T)")
def all_pairs_at_once(q, k, v, g):
    weights, slopes = np.tril(q @ k.T), np.tril(g @ v.T)
    return slopes @ k, slopes.T @ q, weights.T @ g


@mutant(check_prediction, "three words out of")
def one_word():
    return "doubles"


@mutant(check_prediction, "squares of these add up")
def pairs_cancel():
    return "stays", "halves", "stays"


@mutant(check_prediction, "mean square of k_j . k_i")
def width_is_no_help():
    return "doubles", "stays", "stays"


@mutant(check_prediction, "however many numbers they have")
def values_are_louder():
    return "doubles", "halves", "doubles"


@mutant(check_features, "weights have to be positive")
def plain_products(x):
    return x


@mutant(check_features, "One more power")
def two_powers_and_one(x):
    pairs = (x[:, :, None] * x[:, None]).reshape(len(x), -1)
    return np.concatenate([np.ones((len(x), 1)), x, pairs / np.sqrt(2)], axis=1)


@mutant(check_features, "All weights are equal")
def constant(x):
    return np.ones((len(x), 1))


@mutant(check_features, "depend on the other rows")
def centred(x):
    return np.exp(x - x.max())


@mutant(check_features, "at most 64 are allowed")
def many_random(x):
    directions = np.random.default_rng(0).normal(size=(2, 1000))
    return np.exp(x @ directions - (x**2).sum(1, keepdims=True) / 2) / np.sqrt(1000)
