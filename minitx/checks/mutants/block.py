"""Mistakes in the exercises of chapter ``block``."""

import numpy as np

from minitx.checks.block import (
    check_by_hand,
    check_layer_norm,
    check_pre_norm,
    check_prediction,
    check_product,
)
from minitx.checks.mutants import mutant


@mutant(check_by_hand, "pre-norm adds f(norm(x)) to x")
def hand_no_stream():
    return (-2, 2), (-1, 1), (0, 6)


@mutant(check_by_hand, "nothing was divided")
def hand_no_division():
    return (-3, 9), (-1, 1), (0, 6)


@mutant(check_by_hand, "Divided by the variance 4")
def hand_variance():
    return (0, 6), (-1, 1), (0, 6)


@mutant(check_by_hand, "x itself goes on")
def hand_normed_stream():
    return (-3, 3), (-1, 1), (0, 6)


@mutant(check_by_hand, "its norm is still to be taken")
def hand_no_post_norm():
    return (-1, 7), (3, 15), (0, 6)


@mutant(check_by_hand, "the norm has the last word")
def hand_output_is_pre():
    return (-1, 7), (-1, 1), (-1, 7)


@mutant(check_by_hand, "is added to x")
def hand_output_no_stream():
    return (-1, 7), (-1, 1), (-1, 1)


def _norm(x, weight=1.0, bias=0.0, eps=1e-5, axis=-1, ddof=0):
    centred = x - x.mean(axis, keepdims=True)
    return centred / np.sqrt(x.var(axis, keepdims=True, ddof=ddof) + eps) * weight + bias


@mutant(check_layer_norm, "The bias is missing")
def norm_no_bias(x, weight, bias, eps):
    return _norm(x, weight, 0.0, eps)


@mutant(check_layer_norm, "that is RMSNorm")
def norm_rms(x, weight, bias, eps):
    return x / np.sqrt((x**2).mean(-1, keepdims=True) + eps) * weight + bias


@mutant(check_layer_norm, "Each column was normalised")
def norm_columns(x, weight, bias, eps):
    return _norm(x, weight, bias, eps, axis=0)


@mutant(check_layer_norm, "One mean for all tokens")
def norm_of_all(x, weight, bias, eps):
    return (x - x.mean()) / np.sqrt(x.var() + eps) * weight + bias


@mutant(check_layer_norm, "its root is meant")
def norm_no_root(x, weight, bias, eps):
    return (x - x.mean(-1, keepdims=True)) / (x.var(-1, keepdims=True) + eps) * weight + bias


@mutant(check_layer_norm, "ddof=1")
def norm_sample_variance(x, weight, bias, eps):
    return _norm(x, weight, bias, eps, ddof=1)


@mutant(check_layer_norm, "not of what is left after the mean")
def norm_wrong_square(x, weight, bias, eps):
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((x**2).mean(-1, keepdims=True) + eps) * weight + bias


@mutant(check_layer_norm, "stands outside the root")
def norm_eps_outside(x, weight, bias, eps):
    centred = x - x.mean(-1, keepdims=True)
    return centred / (x.std(-1, keepdims=True) + eps) * weight + bias


@mutant(check_layer_norm, "but one of your own")
def norm_own_eps(x, weight, bias, eps):
    return _norm(x, weight, bias)


@mutant(check_layer_norm, "It differs from the loop")
def norm_squared_weight(x, weight, bias, eps):
    return _norm(x, weight, bias, eps) + 0.1 * (x - x.mean(-1, keepdims=True))


@mutant(check_layer_norm, "work along the last axis, -1")
def norm_second_axis(x, weight, bias, eps):
    return _norm(x, weight, bias, eps, axis=1)


@mutant(check_pre_norm, "takes the place of the stream")
def block_no_stream(x, attention, mlp, norm):
    return mlp(norm(attention(norm(x))))


@mutant(check_pre_norm, "The stream itself was normalised")
def block_post(x, attention, mlp, norm):
    h = norm(x + attention(x))
    return norm(h + mlp(h))


@mutant(check_pre_norm, "added to itself")
def block_twice(x, attention, mlp, norm):
    h = x + attention(norm(x))
    return x + h + mlp(norm(h))


@mutant(check_pre_norm, "Attention hears the stream without the norm")
def block_norm_for_one(x, attention, mlp, norm):
    h = x + attention(x)
    return h + mlp(norm(h))


@mutant(check_pre_norm, "is lost before the end")
def block_from_the_start(x, attention, mlp, norm):
    return x + mlp(norm(x + attention(norm(x))))


@mutant(check_pre_norm, "behind attention")
def block_output(x, attention, mlp, norm):
    h = x + norm(attention(x)) - norm(np.zeros_like(x)) * (not attention(x).any())
    return h + mlp(norm(h))


@mutant(check_pre_norm, "as it came in")
def block_parallel(x, attention, mlp, norm):
    return x + attention(norm(x)) + mlp(norm(x))


@mutant(check_pre_norm, "The channel mixer hears the stream without the norm")
def block_norm_once(x, attention, mlp, norm):
    h = x + attention(norm(x))
    return h + mlp(h)


@mutant(check_pre_norm, "The channel mixer comes first")
def block_turned(x, attention, mlp, norm):
    h = x + mlp(norm(x))
    return h + attention(norm(h))


@mutant(check_prediction, "how do variances add")
def all_constant():
    return "constant", "constant", "exponential"


@mutant(check_prediction, "the last thing that is done")
def post_grows():
    return "root", "root", "exponential"


@mutant(check_prediction, "as long as the stream itself")
def bare_is_mild():
    return "root", "constant", "root"


@mutant(check_prediction, "three words out of")
def two_words():
    return "root", "constant"


PLUS, MINUS = [1, 1], [1, -1]


def _units(*rows):
    return np.array(rows, dtype=float).T


@mutant(check_product, "divide by 4")
def product_no_quarter():
    return _units(PLUS), np.array([1.0])


@mutant(check_product, "must cancel")
def product_half_square():
    return _units(PLUS), np.array([0.25])


@mutant(check_product, "one for s and one for -s")
def product_two_units():
    return _units(PLUS, MINUS, [-1, 1]), np.array([0.25, -0.25, -0.25])


@mutant(check_product, "should be (2, F) and down")
def product_turned():
    return _units(PLUS, MINUS, [-1, 1], [-1, -1]).T, np.array([0.25, -0.25, -0.25, 0.25])
