"""Mistakes in the exercises of chapter ``looped``."""

import numpy as np

from minitx.checks.looped import (
    check_by_hand,
    check_descent,
    check_loop_loss,
    check_prediction,
    check_steps,
)
from minitx.checks.mutants import mutant

RESTS, SAID, M = (1, 3, -6), (6, 7.5), 3 / 16


@mutant(check_by_hand, "it is below 0")
def hand_sign():
    return (1, 3, 6), SAID, M


@mutant(check_by_hand, "a token like the others")
def hand_question():
    return (1, 3, 0), SAID, M


@mutant(check_by_hand, "the sum over the two examples")
def hand_sum():
    return (-2, -6, -12), SAID, M


@mutant(check_by_hand, "minus its rest")
def hand_minus():
    return RESTS, (-6, -7.5), M


@mutant(check_by_hand, "not the answers 4 and 12")
def hand_again():
    return RESTS, (6, 12), M


@mutant(check_by_hand, "what the second pass adds")
def hand_added():
    return RESTS, (6, 1.5), M


@mutant(check_by_hand, "w times 2")
def hand_weights():
    return RESTS, (3, 3.75), M


@mutant(check_by_hand, "not the sum")
def hand_second_moment():
    return RESTS, SAID, 3 / 40


@mutant(check_by_hand, "one of them does not get there")
def hand_inverse():
    return RESTS, SAID, 1 / 5


@mutant(check_by_hand, "appears twice in the product")
def hand_once():
    return RESTS, SAID, 3 / 10 - 3 / 4


def _layer(x, r, step, heard, divisor):
    return r - x @ step @ (x[heard].T @ r[heard]) / divisor


@mutant(check_descent, "The question is heard as well")
def hears_the_question(x, r, step, loops):
    """Every token is a key, as in attention without a mask."""
    for _ in range(loops):
        r = r - x @ step @ (x.T @ r) / (len(x) - 1)
    return r


@mutant(check_descent, "the question is one token more")
def counts_the_question(x, r, step, loops):
    for _ in range(loops):
        r = _layer(x, r, step, slice(0, -1), len(x))
    return r


@mutant(check_descent, "divided by their number")
def no_mean(x, r, step, loops):
    for _ in range(loops):
        r = _layer(x, r, step, slice(0, -1), 1)
    return r


@mutant(check_descent, "The sign is turned over")
def climbs(x, r, step, loops):
    for _ in range(loops):
        r = _layer(x, r, -step, slice(0, -1), len(x) - 1)
    return r


@mutant(check_descent, "the wrong way round")
def turned(x, r, step, loops):
    for _ in range(loops):
        r = _layer(x, r, step.T, slice(0, -1), len(x) - 1)
    return r


@mutant(check_descent, "Only one pass was made")
def begins_anew(x, r, step, loops):
    """Each pass starts from the tokens as they were given."""
    for _ in range(loops):
        after = _layer(x, r, step, slice(0, -1), len(x) - 1)
    return after if loops else r


@mutant(check_descent, "not the prediction")
def only_the_prediction(x, r, step, loops):
    for _ in range(loops):
        r = _layer(x, r, step, slice(0, -1), len(x) - 1)
    return -r[-1]


@mutant(check_descent, "Without a pass")
def at_least_once(x, r, step, loops):
    """The first pass is made before the loop."""
    r = _layer(x, r, step, slice(0, -1), len(x) - 1)
    for _ in range(1, loops):
        r = _layer(x, r, step, slice(0, -1), len(x) - 1)
    return r


@mutant(check_descent, "in place")
def changes_what_it_is_given(x, r, step, loops):
    for _ in range(loops):
        r -= x @ step @ (x[:-1].T @ r[:-1]) / (len(x) - 1)
    return r


def _mean(passes, target):
    return np.mean((np.array(passes) - target) ** 2)


@mutant(check_loop_loss, "begin with zeros")
def starts_at_the_input(block, x, target, times, window):
    y, passes = x, []
    for _ in range(times):
        y = block(y + x)
        passes.append(y)
    return _mean(passes[-window:], target)


@mutant(check_loop_loss, "added before every pass")
def told_once(block, x, target, times, window):
    """The input is where the loop begins, and is never heard of again."""
    y, passes = x, []
    for _ in range(times):
        y = block(y)
        passes.append(y)
    return _mean(passes[-window:], target)


def _told(block, x, times):
    y, passes = 0 * x, []
    for _ in range(times):
        y = block(y + x)
        passes.append(y)
    return passes


@mutant(check_loop_loss, "into what the block hears")
def added_afterwards(block, x, target, times, window):
    return _mean([y + x for y in _told(block, x, times)[-window:]], target)


@mutant(check_loop_loss, "the last pass alone")
def last_pass_only(block, x, target, times, window):
    """Only the end of the loop is asked to be right."""
    return _mean(_told(block, x, times)[-1], target)


@mutant(check_loop_loss, "the loss of all passes")
def all_passes(block, x, target, times, window):
    return _mean(_told(block, x, times), target)


@mutant(check_loop_loss, "These are the first passes")
def first_passes(block, x, target, times, window):
    return _mean(_told(block, x, times)[:window], target)


@mutant(check_loop_loss, "one pass too early")
def too_early(block, x, target, times, window):
    passes = [0 * x, *_told(block, x, times)]
    return _mean(passes[times - window : times], target)


@mutant(check_loop_loss, "average the losses")
def mean_of_passes(block, x, target, times, window):
    return np.mean((np.mean(_told(block, x, times)[-window:], axis=0) - target) ** 2)


@mutant(check_loop_loss, "a mean, not a sum")
def sum_of_losses(block, x, target, times, window):
    return sum(np.mean((y - target) ** 2) for y in _told(block, x, times)[-window:])


@mutant(check_prediction, "should return two numbers")
def one_number():
    return 687


@mutant(check_prediction, "Each needs a pass")
def none_at_all():
    return 687, 0


@mutant(check_prediction, "the slower one")
def turned_round():
    return 10, 687


@mutant(check_prediction, "a factor e that takes them")
def powers_of_ten():
    return 300, 10


@mutant(check_prediction, "when is 0.99^t")
def far_too_few():
    return 100, 10


@mutant(check_prediction, "it begins at 0.99")
def from_a_half():
    return 687, 4


@mutant(check_prediction, "where descent is after 2^t")
def far_too_many():
    return 687, 26


@mutant(check_steps, "should return the shape (4,)")
def three_steps():
    return [1.0, 2.0, 4.0]


@mutant(check_steps, "is above 0")
def step_back():
    return [1.0, 2.0, -1.0, 4.0]


@mutant(check_steps, "the error grows")
def too_long():
    return [10.0, 10.0, 1.0, 1.0]


@mutant(check_steps, "They must differ")
def equal_steps():
    return [2 / 1.1] * 4


@mutant(check_steps, "is asked for")
def evenly_spaced():
    """Zeros at 0.1, 0.4, 0.7 and 1."""
    return [10.0, 2.5, 1 / 0.7, 1.0]
