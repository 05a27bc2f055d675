"""Mistakes in the exercises of chapter ``training``."""

import numpy as np

from minitx.checks.mutants import mutant
from minitx.checks.training import (
    check_adamw,
    check_by_hand,
    check_clip,
    check_diagnose,
    check_epoch,
    check_prediction,
)

SGD, ADAM = (1.997, 0.2), (1.9, -0.9)


@mutant(check_by_hand, "points to where the loss grows")
def hand_uphill():
    return (2.003, -2.2), (2.1, -1.1), (2.0, -1.05)


@mutant(check_by_hand, "The rate 0.1 is missing")
def hand_no_rate():
    return (1.97, 11), (1, 0), (0, 0.5)


@mutant(check_by_hand, "a thousand times too small")
def hand_no_correction():
    far = 0.1 * 0.1 / np.sqrt(0.001)
    return SGD, (2 - far, -1 + far), (1.9 - far, -0.95 + far)


@mutant(check_by_hand, "the mean keeps its sign")
def hand_sign_lost():
    return SGD, (1.9, -1.1), (1.8, -1.05)


@mutant(check_by_hand, "That is SGD")
def hand_all_sgd():
    return SGD, SGD, SGD


@mutant(check_by_hand, "Nothing has decayed")
def hand_coupled():
    return SGD, ADAM, ADAM


@mutant(check_by_hand, "0.5 for each unit of the rate")
def hand_decay_without_rate():
    return SGD, ADAM, (0.9, -0.4)


@mutant(check_by_hand, "The step decayed too")
def hand_decayed_late():
    return SGD, ADAM, (1.805, -0.855)


def _slope(w, x, y):
    return (x @ w - y) @ x / len(y)


@mutant(check_epoch, "uphill: subtract")
def uphill(w, x, y, batches, lr):
    for rows in batches:
        w = w + lr * _slope(w, x[rows], y[rows])
    return w


@mutant(check_epoch, "take their mean")
def summed(w, x, y, batches, lr):
    for rows in batches:
        w = w - lr * (x[rows] @ w - y[rows]) @ x[rows]
    return w


@mutant(check_epoch, "half the mean square")
def factor_two(w, x, y, batches, lr):
    for rows in batches:
        w = w - lr * 2 * _slope(w, x[rows], y[rows])
    return w


@mutant(check_epoch, "error times row")
def error_alone(w, x, y, batches, lr):
    for rows in batches:
        w = w - lr * (x[rows] @ w - y[rows]).mean()
    return w


@mutant(check_epoch, "One mean for all weights")
def mean_of_all(w, x, y, batches, lr):
    for rows in batches:
        w = w - lr * ((x[rows] @ w - y[rows])[:, None] * x[rows]).mean()
    return w


@mutant(check_epoch, "adds up the rows")
def shapes_clash(w, x, y, batches, lr):
    for rows in batches:
        w = w - lr * ((x[rows] @ w - y[rows]) * x[rows]).mean(axis=0)
    return w


@mutant(check_epoch, "at the first weights")
def old_slopes(w, x, y, batches, lr):
    start = w
    for rows in batches:
        w = w - lr * _slope(start, x[rows], y[rows])
    return w


@mutant(check_epoch, "pile up from step to step")
def not_cleared(w, x, y, batches, lr):
    gradient = np.zeros_like(w)
    for rows in batches:
        gradient = gradient + _slope(w, x[rows], y[rows])
        w = w - lr * gradient
    return w


@mutant(check_epoch, "`return` inside the loop")
def one_step_only(w, x, y, batches, lr):
    for rows in batches:
        return w - lr * _slope(w, x[rows], y[rows])
    return w


@mutant(check_epoch, "targets are not: y[rows]")
def target_shuffled(w, x, y, batches, lr):
    for rows in batches:
        w = w - lr * _slope(w, x[rows], y[: len(rows)])
    return w


@mutant(check_epoch, "Every step uses all rows")
def all_rows(w, x, y, batches, lr):
    for _ in batches:
        w = w - lr * _slope(w, x, y)
    return w


@mutant(check_epoch, "left out")
def rest_dropped(w, x, y, batches, lr):
    for rows in batches:
        if len(rows) == len(batches[0]):
            w = w - lr * _slope(w, x[rows], y[rows])
    return w


@mutant(check_epoch, "the size of the first")
def size_of_first(w, x, y, batches, lr):
    for rows in batches:
        w = w - lr * (x[rows] @ w - y[rows]) @ x[rows] / len(batches[0])
    return w


def _adamw(w, g, m, v, t, lr, decay, eps=1e-8):
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    mean, square = m / (1 - 0.9**t), v / (1 - 0.999**t)
    return w * (1 - lr * decay) - lr * mean / (np.sqrt(square) + eps), m, v


@mutant(check_adamw, "Three times too far")
def no_correction(w, g, m, v, t, lr, decay):
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    return w * (1 - lr * decay) - lr * m / (np.sqrt(v) + 1e-8), m, v


@mutant(check_adamw, "That is uphill.")
def adamw_uphill(w, g, m, v, t, lr, decay):
    return _adamw(w, g, m, v, t, -lr, decay)


@mutant(check_adamw, "Divided by v': its root")
def no_root(w, g, m, v, t, lr, decay):
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    return w * (1 - lr * decay) - lr * m / (1 - 0.9**t) / (v / (1 - 0.999**t) + 1e-8), m, v


@mutant(check_adamw, "The root was taken first")
def root_first(w, g, m, v, t, lr, decay):
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    root = np.sqrt(v) / (1 - 0.999**t)
    return w * (1 - lr * decay) - lr * m / (1 - 0.9**t) / (root + 1e-8), m, v


@mutant(check_adamw, "t counts from 1")
def step_before(w, g, m, v, t, lr, decay):
    return _adamw(w, g, m, v, t - 1, lr, decay)


@mutant(check_adamw, "three arrays: `return w, m, v`")
def weights_only(w, g, m, v, t, lr, decay):
    return _adamw(w, g, m, v, t, lr, decay)[0]


@mutant(check_adamw, "The corrected m' is kept")
def corrected_kept(w, g, m, v, t, lr, decay):
    w, m, v = _adamw(w, g, m, v, t, lr, decay)
    return w, m / (1 - 0.9**t), v / (1 - 0.999**t)


@mutant(check_adamw, "The m that was given comes back")
def means_forgotten(w, g, m, v, t, lr, decay):
    return _adamw(w, g, m, v, t, lr, decay)[0], m, v


@mutant(check_adamw, "one of squares: g**2")
def not_squared(w, g, m, v, t, lr, decay):
    out = _adamw(w, g, m, v, t, lr, decay)[0]
    return out, 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g


@mutant(check_adamw, "with t the number of the step")
def always_first(w, g, m, v, t, lr, decay):
    return _adamw(w, g, m, v, 1, lr, decay)


@mutant(check_adamw, "The decay has no effect")
def no_decay(w, g, m, v, t, lr, decay):
    return _adamw(w, g, m, v, t, lr, 0.0)


@mutant(check_adamw, "that is L2 in Adam")
def decay_in_moments(w, g, m, v, t, lr, decay):
    return _adamw(w, g + decay * w, m, v, t, lr, 0.0)


@mutant(check_adamw, "and should by lr times decay")
def decay_without_rate(w, g, m, v, t, lr, decay):
    return _adamw(w, g, m, v, t, lr, decay / lr)


@mutant(check_adamw, "should take that share of w")
def decay_without_weight(w, g, m, v, t, lr, decay):
    w, m, v = _adamw(w, g, m, v, t, lr, 0.0)
    return w - lr * decay, m, v


@mutant(check_adamw, "0 / 0")
def no_eps(w, g, m, v, t, lr, decay):
    return _adamw(w, g, m, v, t, lr, decay, eps=0.0)


@mutant(check_adamw, "ε stands under the root")
def eps_under_the_root(w, g, m, v, t, lr, decay):
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    root = np.sqrt(v / (1 - 0.999**t) + 1e-8)
    return w * (1 - lr * decay) - lr * m / (1 - 0.9**t) / root, m, v


def _length(arrays):
    return np.sqrt(sum((a**2).sum() for a in arrays))


@mutant(check_clip, "the factor is at most 1")
def always_scaled(gradients, limit):
    return [a * limit / _length(gradients) for a in gradients]


@mutant(check_clip, "that turns the vector")
def by_value(gradients, limit):
    return [np.clip(a, -limit, limit) for a in gradients]


@mutant(check_clip, "multiply by the limit as well")
def to_one(gradients, limit):
    norm = _length(gradients)
    return [a / norm if norm > limit else a for a in gradients]


@mutant(check_clip, "Divided by the squared norm")
def squared_norm(gradients, limit):
    square = _length(gradients) ** 2
    return [a * min(1, limit / square) if square else a for a in gradients]


@mutant(check_clip, "Each array was clipped by itself")
def each_alone(gradients, limit):
    return [a * min(1, limit / max(np.linalg.norm(a), 1e-12)) for a in gradients]


@mutant(check_clip, "Something was added to the norm")
def careful_norm(gradients, limit):
    return [a * min(1, limit / (_length(gradients) + 1e-6)) for a in gradients]


@mutant(check_clip, "The norms were added")
def norms_added(gradients, limit):
    norm = sum(_length([a]) for a in gradients)
    return [a * limit / norm if norm > limit else a for a in gradients]


@mutant(check_clip, "divide only by what is above the limit")
def zero_by_zero(gradients, limit):
    norm = _length(gradients)
    return [a / norm * min(norm, limit) for a in gradients]


@mutant(check_clip, "The given gradients have changed")
def in_place(gradients, limit):
    norm = _length(gradients)
    for a in gradients:
        a *= min(1, limit / norm) if norm else 1
    return gradients


@mutant(check_prediction, "four words out of")
def three_words():
    return "straight", "bouncing", "away"


@mutant(check_prediction, "and is it positive?")
def bounces_at_once():
    return "bouncing", "bouncing", "away", "bouncing"


@mutant(check_prediction, "Is it above -1?")
def negative_means_away():
    return "straight", "away", "away", "away"


@mutant(check_prediction, "lies below -1")
def never_away():
    return "straight", "bouncing", "bouncing", "bouncing"


@mutant(check_prediction, "does it add, or brake?")
def momentum_adds():
    return "straight", "bouncing", "away", "away"


def _doctor(train, held_out):
    start, end, lowest = held_out[0], held_out[-1], held_out.argmin()
    if end > 100 * start:
        return "too large"
    if held_out[lowest] < start / 3 and held_out[lowest:].max() > start / 2:
        return "not cleared"
    if train[-20:].mean() < end / 5:
        return "too few"
    if end < start / 10:
        return "healthy"
    return "too small" if np.mean(np.diff(held_out) < 0) > 0.95 else "shuffled"


@mutant(check_diagnose, "it returned the string '3'")
def by_number(train, held_out):
    return "3"


@mutant(check_diagnose, "lie on each other")
def never_content(train, held_out):
    said = _doctor(train, held_out)
    return "too small" if said == "healthy" else said


@mutant(check_diagnose, "as slowly as at the start")
def falls_is_healthy(train, held_out):
    return "healthy" if held_out[-1] < held_out[0] else _doctor(train, held_out)


@mutant(check_diagnose, "by orders of magnitude")
def oscillates(train, held_out):
    said = _doctor(train, held_out)
    return "not cleared" if said == "too large" else said


@mutant(check_diagnose, "no friction")
def above_is_too_large(train, held_out):
    said = _doctor(train, held_out)
    return "too large" if said == "not cleared" else said


@mutant(check_diagnose, "The batches are learned")
def trusts_batches(train, held_out):
    said = _doctor(train, held_out)
    return "healthy" if said == "too few" else said


@mutant(check_diagnose, "Nothing can be learned")
def memory(train, held_out):
    said = _doctor(train, held_out)
    return "too few" if said == "shuffled" else said
