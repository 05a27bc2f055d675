"""Mistakes in the exercises of chapter ``autograd``."""

import numpy as np

from minitx.checks.autograd import (
    check_by_hand,
    check_difference,
    check_keep,
    check_reverse,
    check_softmax_rule,
    check_unbroadcast,
)
from minitx.checks.mutants import mutant

VALUES, TANGENTS, GRADIENT = [6, 5, 10], [3, 5, 15], [11, 4, 2]


@mutant(check_by_hand, "three lists of three numbers")
def hand_gradient_only():
    return GRADIENT


@mutant(check_by_hand, "z is added to p")
def hand_all_products():
    return [6, -6, -12], TANGENTS, GRADIENT


@mutant(check_by_hand, "the multiplication is missing")
def hand_no_last_factor():
    return [6, 5, 5], TANGENTS, GRADIENT


@mutant(check_by_hand, "product rule has two terms")
def hand_half_a_product_rule():
    return VALUES, [3, 5, 10], GRADIENT


@mutant(check_by_hand, "z moves, by 2")
def hand_z_stands_still():
    return VALUES, [3, 3, 11], GRADIENT


@mutant(check_by_hand, "not the product of the tangents")
def hand_product_of_tangents():
    return VALUES, [3, 5, 5], GRADIENT


@mutant(check_by_hand, "only the one through p")
def hand_through_p_only():
    return VALUES, TANGENTS, [6, 4, 2]


@mutant(check_by_hand, "only the last product")
def hand_last_product_only():
    return VALUES, TANGENTS, [5, 4, 2]


@mutant(check_by_hand, "cotangents of p and s are not 1")
def hand_ones():
    return VALUES, TANGENTS, [8, 2, 1]


def _swept(tape, add):
    g = np.zeros(len(tape))
    g[-1] = 1
    for i in reversed(range(len(tape))):
        for parent, slope in tape[i]:
            g[parent] = add(g[parent], slope, g[i])
    return g


@mutant(check_reverse, "do not replace it")
def overwrites(tape):
    return _swept(tape, lambda old, slope, g: slope * g)


@mutant(check_reverse, "These are the slopes")
def slopes_only(tape):
    return _swept(tape, lambda old, slope, g: old + slope)


@mutant(check_reverse, "from its end")
def oldest_first(tape):
    g = np.zeros(len(tape))
    g[-1] = 1
    for i, edges in enumerate(tape):
        for parent, slope in edges:
            g[parent] += slope * g[i]
    return g


@mutant(check_reverse, "it is the forward sweep")
def forward_sweep(tape):
    t = np.zeros(len(tape))
    t[0] = 1
    for i, edges in enumerate(tape):
        for parent, slope in edges:
            t[i] += slope * t[parent]
    return t


@mutant(check_reverse, "All zeros")
def no_seed(tape):
    return np.zeros(len(tape))


@mutant(check_reverse, "heard from all of its children")
def passes_on_too_early(tape):
    g, waiting, seen = np.zeros(len(tape)), [len(tape) - 1], set()
    g[-1] = 1
    while waiting:
        i = waiting.pop(0)
        if i in seen:
            continue
        seen.add(i)
        for parent, slope in tape[i]:
            g[parent] += slope * g[i]
            waiting.append(parent)
    return g


@mutant(check_reverse, "about 1,000 deep")
def recursive(tape):
    children = [[] for _ in tape]
    for i, edges in enumerate(tape):
        for parent, slope in edges:
            children[parent].append((i, slope))
    known = {len(tape) - 1: 1.0}

    def cotangent(i):
        if i not in known:
            known[i] = sum(slope * cotangent(child) for child, slope in children[i])
        return known[i]

    return np.array([float(cotangent(i)) for i in range(len(tape))])


def _unbroadcast(g, shape, leading=np.sum, stretched=np.sum):
    while g.ndim > len(shape):
        g = leading(g, axis=0)
    for axis, length in enumerate(shape):
        if length == 1 and g.shape[axis] != 1:
            g = stretched(g, axis=axis, keepdims=True)
    return g


@mutant(check_unbroadcast, "share of the first copy alone: every copy")
def first_copy(g, shape):
    return _unbroadcast(g, shape, leading=lambda g, axis: g[0])


@mutant(check_unbroadcast, "A mean divides")
def means(g, shape):
    return _unbroadcast(g, shape, leading=np.mean, stretched=np.mean)


@mutant(check_unbroadcast, "All entries were added together")
def one_sum(g, shape):
    return np.full(shape, g.sum())


@mutant(check_unbroadcast, "that of the number before copying")
def nothing_undone(g, shape):
    return g


@mutant(check_unbroadcast, "was stretched to 5")
def leading_only(g, shape):
    while g.ndim > len(shape):
        g = g.sum(axis=0)
    return g


@mutant(check_unbroadcast, "its axis is gone")
def loses_axes(g, shape):
    lead = g.ndim - len(shape)
    stretched = [lead + i for i, n in enumerate(shape) if n == 1 and g.shape[lead + i] != 1]
    return g.sum(axis=(*range(lead), *stretched))


@mutant(check_unbroadcast, "matched from the right")
def matched_from_the_left(g, shape):
    for axis, length in enumerate(shape):
        if length == 1 and g.shape[axis] != 1:
            g = g.sum(axis=axis, keepdims=True)
    while g.ndim > len(shape):
        g = g.sum(axis=0)
    return g


@mutant(check_unbroadcast, "gets the whole sum")
def forgets_the_number(g, shape):
    return _unbroadcast(g, shape) if shape else g.reshape(-1)[0]


@mutant(check_softmax_rule, "the second term is missing")
def no_sum(g, y):
    return g * y


@mutant(check_softmax_rule, "the diagonal alone")
def diagonal(g, y):
    return g * y * (1 - y)


@mutant(check_softmax_rule, "not of g")
def sum_of_g(g, y):
    return y * (g - g.sum(axis=-1, keepdims=True))


@mutant(check_softmax_rule, "weighted by y")
def plain_mean(g, y):
    return y * (g - g.mean(axis=-1, keepdims=True))


@mutant(check_softmax_rule, "factor y in front")
def no_factor(g, y):
    return g - (g * y).sum(axis=-1, keepdims=True)


@mutant(check_softmax_rule, "The sign")
def wrong_sign(g, y):
    return y * ((g * y).sum(axis=-1, keepdims=True) - g)


@mutant(check_softmax_rule, "All rows share one sum")
def one_sum_for_all(g, y):
    return y * (g - (g * y).sum())


@mutant(check_softmax_rule, "build no Jacobian")
def whole_jacobian(g, y):
    jacobian = y[..., :, None] * (np.eye(y.shape[-1]) - y[..., None, :])
    return (g[..., None, :] @ jacobian)[..., 0, :]


@mutant(check_difference, "two whole numbers, the powers")
def steps_not_powers():
    return 1e-4, 1e-8


@mutant(check_difference, "Both powers are negative")
def no_minus():
    return 4, 8


@mutant(check_difference, "You said 10^-8")
def step_of_a_first_difference():
    return -8, -8


@mutant(check_difference, "You said 10^-15")
def smaller_is_better():
    return -15, -15


@mutant(check_difference, "Taylor's series")
def too_large():
    return -2, -8


@mutant(check_difference, "more than that is left")
def full_accuracy():
    return -4, -16


@mutant(check_difference, "less than that is left")
def too_modest():
    return -4, -4


@mutant(check_keep, "State 0, the input")
def forgets_the_input(steps):
    return list(range(2, steps, 2))


@mutant(check_keep, "rising numbers from 0 to")
def keeps_the_end(steps):
    return list(range(0, steps + 1, max(1, round(steps**0.5))))


@mutant(check_keep, "not whole came back")
def equal_parts(steps):
    return list(np.linspace(0, steps, round(steps**0.5), endpoint=False))


@mutant(check_keep, "Everything is kept")
def keeps_everything(steps):
    return list(range(steps))


@mutant(check_keep, "Only the input is kept")
def keeps_the_input(steps):
    return [0]


@mutant(check_keep, "distance not grow")
def every_third(steps):
    return list(range(0, steps, 3))


@mutant(check_keep, "is it too long")
def forgets_the_rest(steps):
    root = int(steps**0.5)
    return list(range(0, root * root, root))
