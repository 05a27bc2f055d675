"""Mistakes in the exercises of chapter ``positions``."""

import numpy as np

from minitx.checks.mutants import mutant
from minitx.checks.positions import (
    check_by_hand,
    check_distances,
    check_multiplier,
    check_prediction,
    check_rotary,
)
from minitx.checks.positions.by_hand import SLOPE, VALUES, weights_of

RIGHT = weights_of(SLOPE)


def _with(weights):
    return weights, weights @ VALUES


@mutant(check_by_hand, "The mask is missing")
def hand_no_mask():
    return _with(weights_of(SLOPE, causal=False))


@mutant(check_by_hand, "a key after the query has the weight 0")
def hand_turned():
    return _with(RIGHT.T)


@mutant(check_by_hand, "does not sum to 1")
def hand_exponentials():
    return _with(RIGHT * np.array([[9], [4], [7 / 3]]))


@mutant(check_by_hand, "the weights without ALiBi")
def hand_no_alibi():
    return _with(weights_of(0))


@mutant(check_by_hand, "The sign of ALiBi")
def hand_plus():
    return _with(weights_of(-SLOPE))


@mutant(check_by_hand, "The slope counted twice")
def hand_twice():
    return _with(weights_of(2 * SLOPE))


@mutant(check_by_hand, "but rounded")
def hand_rounded():
    return [[1, 0, 0], [0.75, 0.25, 0], [0.43, 0.14, 0.43]], [28, 21, 36]


@mutant(check_by_hand, "mixed with the columns")
def hand_columns():
    return RIGHT, RIGHT.T @ VALUES


@mutant(check_by_hand, "an output is not")
def hand_slip():
    return RIGHT, [28, 21, 32]


def _turn(x, angle):
    half = x.shape[-1] // 2
    a, b = x[..., :half], x[..., half:]
    cos, sin = np.cos(angle), np.sin(angle)
    return np.concatenate([a * cos - b * sin, a * sin + b * cos], axis=-1)


def _speeds(d, power=-2.0, first=0):
    return 10000.0 ** (power * (np.arange(d // 2) + first) / d)


def _angle(x, places, **how):
    return places[:, None] * _speeds(x.shape[-1], **how)


@mutant(check_rotary, "`places` says where they are, here all at 0")
def rotary_counted(x, places):
    return _turn(x, _angle(x, np.arange(x.shape[-2])))


@mutant(check_rotary, "Sine and cosine have changed places")
def rotary_swapped(x, places):
    return _turn(x, np.pi / 2 - _angle(x, places))


@mutant(check_rotary, "It turns backwards")
def rotary_backwards(x, places):
    return _turn(x, -_angle(x, places))


@mutant(check_rotary, "in degrees")
def rotary_degrees(x, places):
    return _turn(x, np.radians(_angle(x, places)))


@mutant(check_rotary, "Nothing turns")
def rotary_forgotten(x, places):
    return x.copy()


@mutant(check_rotary, "one of them needs a minus")
def rotary_two_pluses(x, places):
    half, angle = x.shape[-1] // 2, _angle(x, places)
    a, b, cos, sin = x[..., :half], x[..., half:], np.cos(angle), np.sin(angle)
    return np.concatenate([a * cos + b * sin, a * sin + b * cos], axis=-1)


@mutant(check_rotary, "All pairs turn alike")
def rotary_one_speed(x, places):
    return _turn(x, places[:, None] * np.ones(x.shape[-1] // 2))


@mutant(check_rotary, "and yours 10000^(-i/d)")
def rotary_half_exponent(x, places):
    return _turn(x, _angle(x, places, power=-1.0))


@mutant(check_rotary, "later pairs turn slower")
def rotary_faster(x, places):
    return _turn(x, _angle(x, places, power=2.0))


@mutant(check_rotary, "A pair turned the wrong way")
def rotary_from_one(x, places):
    return _turn(x, _angle(x, places, first=1))


@mutant(check_rotary, "The pairs are neighbours")
def rotary_neighbours(x, places):
    y, angle = np.empty_like(x), _angle(x, places)
    a, b, cos, sin = x[..., 0::2], x[..., 1::2], np.cos(angle), np.sin(angle)
    y[..., 0::2], y[..., 1::2] = a * cos - b * sin, a * sin + b * cos
    return y


@mutant(check_rotary, "It differs from the loop over pairs")
def rotary_neighbours_with_angles_of_halves(x, places):
    angle = np.concatenate([_angle(x, places)] * 2, axis=-1)
    other = np.empty_like(x)
    other[..., 0::2], other[..., 1::2] = -x[..., 1::2], x[..., 0::2]
    return x * np.cos(angle) + other * np.sin(angle)


@mutant(check_rotary, "cut the last axis")
def rotary_one_sequence(x, places):
    half, angle = x.shape[1] // 2, _angle(x, places)
    a, b, cos, sin = x[:, :half], x[:, half:], np.cos(angle), np.sin(angle)
    return np.concatenate([a * cos - b * sin, a * sin + b * cos], axis=1)


@mutant(check_rotary, "Places lost their fractions")
def rotary_whole_places(x, places):
    return _turn(x, _angle(x, places.astype(int)))


def _rows(T):
    return np.arange(T) - np.arange(T)[:, None]


def _look_up(q, table, rows):
    return (q[:, None] * table[rows]).sum(-1)


@mutant(check_distances, "The distance runs the other way")
def distances_reversed(q, table, reach):
    return _look_up(q, table, np.clip(-_rows(len(q)), -reach, reach) + reach)


@mutant(check_distances, "used as the row itself")
def distances_no_offset(q, table, reach):
    return _look_up(q, table, np.clip(_rows(len(q)), -reach, reach))


@mutant(check_distances, "lost its sign")
def distances_absolute(q, table, reach):
    return _look_up(q, table, np.clip(abs(_rows(len(q))), 0, reach) + reach)


@mutant(check_distances, "and the table has 5 rows. Clip")
def distances_not_clipped(q, table, reach):
    return _look_up(q, table, _rows(len(q)) + reach)


@mutant(check_distances, "wrap around")
def distances_wrapped(q, table, reach):
    return _look_up(q, table, (_rows(len(q)) + reach) % len(table))


@mutant(check_distances, "Rows and columns are turned")
def distances_turned(q, table, reach):
    return _look_up(q, table, np.clip(_rows(len(q)), -reach, reach) + reach).T


@mutant(check_distances, "No scale here")
def distances_scaled(q, table, reach):
    rows = np.clip(_rows(len(q)), -reach, reach) + reach
    return _look_up(q, table, rows) / np.sqrt(q.shape[1])


@mutant(check_distances, "Far keys got 0")
def distances_cut_off(q, table, reach):
    rows = _rows(len(q))
    found = _look_up(q, table, np.clip(rows, -reach, reach) + reach)
    return np.where(abs(rows) > reach, 0, found)


@mutant(check_distances, "row `reach` of the table")
def distances_by_key(q, table, reach):
    rows = np.broadcast_to(np.minimum(np.arange(len(q)), len(table) - 1), (len(q), len(q)))
    return _look_up(q, table, rows) + 1


@mutant(check_prediction, "once a vector of their place was added")
def all_the_same():
    return ("same",) * 5


@mutant(check_prediction, "what do they mix")
def rotary_tells():
    return "different", "different", "same", "different", "different"


@mutant(check_prediction, "What is their mean")
def mask_tells():
    return "different", "same", "different", "different", "different"


@mutant(check_prediction, "Shaw's second vector")
def shaw_is_like_the_others():
    return "different", "same", "same", "same", "different"


@mutant(check_prediction, "after the factors")
def factors_are_like_the_others():
    return "different", "same", "same", "different", "same"


@mutant(check_prediction, "five words")
def four_words():
    return "different", "same", "same", "different"


def _past(target):
    """c(-(T - 1)), ..., c(0) without the length."""
    return np.diff(target, prepend=0.0)[::-1]


@mutant(check_multiplier, "should return the shape (1,)")
def factors_one_too_many(target):
    return np.concatenate([len(target) * _past(target), np.zeros(len(target))])


@mutant(check_multiplier, "T times too small")
def factors_no_length(target):
    return np.concatenate([_past(target), np.zeros(len(target) - 1)])


@mutant(check_multiplier, "With T = 33, place")
def factors_of_equal_steps(target):
    T = len(target)
    step = target[-1] - target[-2] if T > 1 else 0
    return T * np.concatenate([np.full(T - 1, step), target[:1], np.zeros(T - 1)])


@mutant(check_multiplier, "The distances run the other way")
def factors_reversed(target):
    T = len(target)
    return np.concatenate([np.zeros(T - 1), T * _past(target)[::-1]])


@mutant(check_multiplier, "With T = 5, place")
def factors_are_the_target(target):
    T = len(target)
    return np.concatenate([T * target[::-1], np.zeros(T - 1)])


@mutant(check_multiplier, "should return the shape (9,)")
def factors_for_the_past_only(target):
    return len(target) * _past(target)
