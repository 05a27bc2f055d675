"""Mistakes in the exercises of chapter ``attention``."""

import numpy as np

from minitx.checks.attention import (
    check_attention,
    check_by_hand,
    check_heads,
    check_masks,
    check_prediction,
    check_previous_token,
)
from minitx.checks.attention.oracle import softmax
from minitx.checks.mutants import mutant

# by_hand: the weights of each mistake, and what they make of the values
VALUES = np.array([[12, 0], [0, 24], [12, 0]])
RIGHT = np.array([[1 / 4, 1 / 4, 1 / 2], [1 / 6, 1 / 6, 2 / 3], [1 / 3, 1 / 3, 1 / 3]])


def _with(weights):
    weights = np.asarray(weights, dtype=float)
    return weights, weights @ VALUES


@mutant(check_by_hand, "not divided by √d")
def hand_no_scale():
    return _with([[1 / 6, 1 / 6, 4 / 6], [1 / 18, 1 / 18, 16 / 18], [1 / 3, 1 / 3, 1 / 3]])


@mutant(check_by_hand, "and not by its root")
def hand_divided_by_d():
    root = 2**0.5
    return _with(
        [
            [1 / (2 + root), 1 / (2 + root), root / (2 + root)],
            [1 / 4, 1 / 4, 2 / 4],
            [1 / 3, 1 / 3, 1 / 3],
        ]
    )


@mutant(check_by_hand, "Here each column sums to 1")
def hand_columns():
    return _with([[1 / 3, 1 / 3, 2 / 7], [1 / 3, 1 / 3, 4 / 7], [1 / 3, 1 / 3, 1 / 7]])


@mutant(check_by_hand, "These are the exponentials")
def hand_exponentials():
    return _with([[1, 1, 2], [1, 1, 4], [1, 1, 1]])


@mutant(check_by_hand, "rounded: write the fractions")
def hand_rounded():
    return [[0.25, 0.25, 0.5], [0.166, 0.167, 0.667], [0.333, 0.333, 0.334]], [
        [9, 6],
        [10, 4],
        [8, 8],
    ]


@mutant(check_by_hand, "mixed with the columns")
def hand_transposed_output():
    return RIGHT, RIGHT.T @ VALUES


@mutant(check_by_hand, "an output is not")
def hand_slip():
    return RIGHT, [[9, 6], [10, 4], [8, 9]]


@mutant(check_by_hand, "two tables, weights and outputs")
def hand_outputs_only():
    return [[9, 6], [10, 4], [8, 8]]


def _scores(q, k, scale=None):
    return q @ np.swapaxes(k, -1, -2) * (scale or q.shape[-1] ** -0.5)


@mutant(check_attention, "not scaled")
def no_scale(q, k, v):
    return softmax(_scores(q, k, 1.0)) @ v


@mutant(check_attention, "divided by d: its square root")
def divided_by_d(q, k, v):
    return softmax(_scores(q, k, 1 / q.shape[-1])) @ v


@mutant(check_attention, "multiplied by √d")
def multiplied(q, k, v):
    return softmax(_scores(q, k, q.shape[-1] ** 0.5)) @ v


@mutant(check_attention, "argmax")
def best_only(q, k, v):
    return np.eye(k.shape[-2])[_scores(q, k).argmax(axis=-1)] @ v


@mutant(check_attention, "exponentiate them first")
def no_exponential(q, k, v):
    scores = _scores(q, k)
    return scores / scores.sum(axis=-1, keepdims=True) @ v


@mutant(check_attention, "root of the width of v")
def scale_of_values(q, k, v):
    return softmax(_scores(q, k, v.shape[-1] ** -0.5)) @ v


@mutant(check_attention, "root of the number of keys")
def scale_of_keys(q, k, v):
    return softmax(_scores(q, k, len(k) ** -0.5)) @ v


@mutant(check_attention, "root of the number of queries")
def scale_of_queries(q, k, v):
    return softmax(_scores(q, k, len(q) ** -0.5)) @ v


@mutant(check_attention, "softmax runs over queries")
def over_queries(q, k, v):
    return softmax(_scores(q, k), axis=-2) @ v


@mutant(check_attention, "weights do not sum to 1")
def not_normalised(q, k, v):
    return np.exp(_scores(q, k)) @ v


@mutant(check_attention, "the scale after it")
def scaled_late(q, k, v):
    return softmax(_scores(q, k, 1.0)) / np.sqrt(q.shape[-1]) @ v


@mutant(check_attention, "overflows")
def overflows(q, k, v):
    weights = np.exp(_scores(q, k))
    return weights / weights.sum(axis=-1, keepdims=True) @ v


@mutant(check_attention, "k.T turns all of them round")
def all_axes_turned(q, k, v):
    return softmax(q @ k.T / np.sqrt(q.shape[-1])) @ v


@mutant(check_attention, "a row for a query, a column for a key")
def not_transposed(q, k, v):
    return softmax(q @ k / np.sqrt(q.shape[-1])) @ v


@mutant(check_attention, "should return the shape (3, 7)")
def keys_for_values(q, k, v):
    return softmax(_scores(q, k)) @ k


def _masked(rule, fill=-np.inf, empty=True):
    """Attention where ``rule(causal, query, key)`` is True; the other scores become ``fill``."""

    def masked_attention(q, k, v, real):
        causal = np.tri(q.shape[1], dtype=bool)
        allowed = rule(causal, real[:, :, None], real[:, None, :])
        with np.errstate(invalid="ignore"):
            weights = softmax(np.where(allowed, _scores(q, k), fill))
        weights = np.where(allowed.any(axis=-1, keepdims=True), weights, 0) if empty else weights
        return weights @ v

    return masked_attention


@mutant(check_masks, "upside down: tokens hear the future")
def mask_upside_down(q, k, v, real):
    return _masked(lambda causal, query, key: causal.T & key)(q, k, v, real)


@mutant(check_masks, "The mask is inverted")
def mask_inverted(q, k, v, real):
    return _masked(lambda causal, query, key: ~causal & key)(q, k, v, real)


@mutant(check_masks, "masked after the softmax")
def mask_after_softmax(q, k, v, real):
    return (softmax(_scores(q, k)) * np.tri(q.shape[1])) @ v


@mutant(check_masks, "exp(0) = 1")
def mask_with_zero(q, k, v, real):
    return _masked(lambda causal, query, key: causal & key, fill=0.0)(q, k, v, real)


@mutant(check_masks, "The first token hears nobody")
def mask_excludes_itself(q, k, v, real):
    return _masked(lambda causal, query, key: ~causal.T & key, empty=False)(q, k, v, real)


@mutant(check_masks, "is real read upside down")
def mask_inverted_padding(q, k, v, real):
    return _masked(lambda causal, query, key: causal & ~key, empty=False)(q, k, v, real)


@mutant(check_masks, "hears only itself: it may")
def mask_only_itself(q, k, v, real):
    return _masked(lambda causal, query, key: causal & causal.T & key)(q, k, v, real)


@mutant(check_masks, "outvoted by large scores")
def mask_outvoted(q, k, v, real):
    return _masked(lambda causal, query, key: causal & key, fill=-50.0)(q, k, v, real)


@mutant(check_masks, "the scale 1/√d is missing")
def mask_no_scale(q, k, v, real):
    right = _masked(lambda causal, query, key: causal & key)
    return right(q * np.sqrt(q.shape[-1]), k, v, real)


@mutant(check_masks, "Padding is heard")
def mask_causal_only(q, k, v, real):
    return _masked(lambda causal, query, key: causal & (key | True))(q, k, v, real)


@mutant(check_masks, "Nothing is masked")
def mask_or(q, k, v, real):
    return _masked(lambda causal, query, key: causal | key)(q, k, v, real)


@mutant(check_masks, "forbids queries, the rows")
def mask_of_queries(q, k, v, real):
    return _masked(lambda causal, query, key: causal & query, empty=False)(q, k, v, real)


@mutant(check_masks, "queries as well as keys")
def mask_of_both(q, k, v, real):
    return _masked(lambda causal, query, key: causal & query & key)(q, k, v, real)


@mutant(check_masks, "the padding of the first")
def mask_of_first(q, k, v, real):
    return _masked(lambda causal, query, key: causal & key[:1])(q, k, v, real)


@mutant(check_masks, "the padding rule real[:, None, :] (B, 1, T)")
def mask_shapes(q, k, v, real):
    allowed = np.tri(q.shape[1], dtype=bool) & real
    return softmax(np.where(allowed, _scores(q, k), -np.inf)) @ v


@mutant(check_masks, "a row of -inf, whose softmax is 0/0")
def mask_nan(q, k, v, real):
    return _masked(lambda causal, query, key: causal & key, empty=False)(q, k, v, real)


@mutant(check_masks, "the mean of all, forbidden ones")
def mask_large_number(q, k, v, real):
    return _masked(lambda causal, query, key: causal & key, fill=-1e9, empty=False)(q, k, v, real)


def _split(x, heads):
    B, T, D = x.shape
    return x.reshape(B, T, heads, D // heads).swapaxes(1, 2)


def _each(q, k, v, scale=None):
    return softmax(_scores(q, k, scale)) @ v


@mutant(check_heads, "not divided by the root of a head's width")
def heads_no_scale(q, k, v, num_heads):
    y = _each(*(_split(x, num_heads) for x in (q, k, v)), scale=1.0)
    return y.swapaxes(1, 2).reshape(q.shape)


@mutant(check_heads, "does a query meet any key")
def no_attention(q, k, v, num_heads):
    return _split(v, num_heads).swapaxes(1, 2).reshape(v.shape)


@mutant(check_heads, "Reshaping to (B, H, T, d) at once")
def split_at_once(q, k, v, num_heads):
    B, T, D = q.shape
    y = _each(*(x.reshape(B, num_heads, T, D // num_heads) for x in (q, k, v)))
    return y.swapaxes(1, 2).reshape(B, T, D)


@mutant(check_heads, "Both reshapes skip")
def never_turned(q, k, v, num_heads):
    B, T, D = q.shape
    return _each(*(x.reshape(B, num_heads, T, D // num_heads) for x in (q, k, v))).reshape(B, T, D)


@mutant(check_heads, "joining is not")
def joined_at_once(q, k, v, num_heads):
    return _each(*(_split(x, num_heads) for x in (q, k, v))).reshape(q.shape)


@mutant(check_heads, "The scale is √D")
def scale_of_all(q, k, v, num_heads):
    y = _each(*(_split(x, num_heads) for x in (q, k, v)), scale=q.shape[-1] ** -0.5)
    return y.swapaxes(1, 2).reshape(q.shape)


@mutant(check_heads, "every H-th column")
def strided(q, k, v, num_heads):
    B, T, D = q.shape
    q, k, v = (x.reshape(B, T, D // num_heads, num_heads).transpose(0, 3, 1, 2) for x in (q, k, v))
    return _each(q, k, v).transpose(0, 2, 3, 1).reshape(B, T, D)


@mutant(check_heads, "Columns come back in another order")
def joined_across(q, k, v, num_heads):
    return _each(*(_split(x, num_heads) for x in (q, k, v))).transpose(0, 2, 3, 1).reshape(q.shape)


@mutant(check_heads, "The heads were added")
def added(q, k, v, num_heads):
    return _each(*(_split(x, num_heads) for x in (q, k, v))).sum(axis=1)


@mutant(check_heads, "The heads were averaged")
def averaged(q, k, v, num_heads):
    return _each(*(_split(x, num_heads) for x in (q, k, v))).mean(axis=1)


@mutant(check_heads, "differs from the loop over heads")
def one_big_head(q, k, v, num_heads):
    return _each(q, k, v)


@mutant(check_prediction, "variance of a sum of d products")
def nothing_happens():
    return "some", "some", "some"


@mutant(check_prediction, "depend on d?")
def root_too_weak():
    return "one", "one", "some"


@mutant(check_prediction, "Where do the scores go")
def d_does_no_harm():
    return "one", "some", "some"


@mutant(check_prediction, "three words out of")
def one_word():
    return "one"


def _angles(T):
    angle = 2 * np.pi * np.arange(T)[:, None] / T
    return np.concatenate([np.cos(angle), np.sin(angle)], axis=1)


@mutant(check_previous_token, "Every token finds itself")
def itself(T):
    return 100 * _angles(T), 100 * _angles(T)


@mutant(check_previous_token, "Every token finds the next")
def wrong_way_round(T):
    return 100 * np.eye(T), 100 * np.roll(np.eye(T), -1, axis=1)


@mutant(check_previous_token, "make queries or keys longer")
def too_weak(T):
    return np.roll(np.eye(T), -1, axis=1), np.eye(T)


@mutant(check_previous_token, "should both have the shape")
def turned(T):
    return np.zeros((1, T)), np.zeros((1, T))


@mutant(check_previous_token, "Do two positions")
def one_length_for_all(T):
    angle = np.arange(T)[:, None] * 2 * np.pi / 7
    q, k = angle - 2 * np.pi / 7, angle
    return tuple(30 * np.concatenate([np.cos(a), np.sin(a)], axis=1) for a in (q, k))
