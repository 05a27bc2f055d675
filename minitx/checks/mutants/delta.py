"""Mistakes in the exercises of chapter ``delta``."""

import numpy as np

from minitx.checks.delta import (
    check_by_hand,
    check_parity,
    check_prediction,
    check_rule,
    check_written,
)
from minitx.checks.mutants import mutant


@mutant(check_by_hand, "Add k v for the first three")
def hand_forgets_the_first():
    return [4, 5], [6, 2.5], [4, 5], [5.2, 6.6]


@mutant(check_by_hand, "The last token fades, too")
def hand_all_fade():
    return [12, 5], [3, 1.25], [4, 5], [5.2, 6.6]


@mutant(check_by_hand, "Token 1 faded once")
def hand_faded_once():
    return [12, 5], [8, 2.5], [4, 5], [5.2, 6.6]


@mutant(check_by_hand, "That is the sum")
def hand_sum():
    return [12, 5], [6, 2.5], [12, 5], [5.2, 6.6]


@mutant(check_by_hand, "beta is 1/2")
def hand_whole_step():
    return [12, 5], [6, 2.5], [4, 5], [6.4, 8.2]


@mutant(check_by_hand, "Half the value was added")
def hand_half_value():
    return [12, 5], [6, 2.5], [4, 5], [7.12, 9.16]


def _loop(q, k, v, beta, missing, answer_first=False):
    state, answers = np.zeros((k.shape[1], v.shape[1])), np.zeros_like(v)
    for t in range(len(q)):
        if answer_first:
            answers[t] = q[t] @ state
        state = state + np.outer(k[t], missing(v[t], k[t] @ state, beta[t]))
        if not answer_first:
            answers[t] = q[t] @ state
    return answers


@mutant(check_rule, "Values of the same key add up")
def adds(q, k, v, beta):
    return _loop(q, k, v, beta, lambda new, old, step: step * new)


@mutant(check_rule, "The answer comes before the write")
def answers_first(q, k, v, beta):
    return _loop(q, k, v, beta, lambda new, old, step: step * (new - old), answer_first=True)


@mutant(check_rule, "beta scales the new value alone")
def forgets_all(q, k, v, beta):
    return _loop(q, k, v, beta, lambda new, old, step: step * new - old)


@mutant(check_rule, "ask with the query")
def asks_with_keys(q, k, v, beta):
    return _loop(k, k, v, beta, lambda new, old, step: step * (new - old))


@mutant(check_rule, "Take keys as they come")
def divides_keys(q, k, v, beta):
    k = k / np.linalg.norm(k, axis=1, keepdims=True)
    return _loop(q, k, v, beta, lambda new, old, step: step * (new - old))


def _solved(k, v, beta, state, held, right=None):
    steps = beta[:, None]
    right = steps * (v - k @ state) if right is None else right
    return np.linalg.solve(np.eye(len(k)) + held(steps * (k @ k.T)), right)


@mutant(check_written, "sees only the state before the chunk")
def all_at_once(k, v, beta, state):
    return beta[:, None] * (v - k @ state)


@mutant(check_written, "The diagonal is in the system twice")
def diagonal_twice(k, v, beta, state):
    return _solved(k, v, beta, state, np.tril)


@mutant(check_written, "Tokens hear the future")
def upside_down(k, v, beta, state):
    return _solved(k, v, beta, state, lambda a: np.triu(a, 1))


@mutant(check_written, "The sign of A")
def wrong_sign(k, v, beta, state):
    return _solved(k, v, beta, state, lambda a: -np.tril(a, -1))


@mutant(check_written, "beta stands at the columns")
def beta_of_columns(k, v, beta, state):
    system = np.eye(len(k)) + np.tril(k @ k.T, -1) * beta
    return np.linalg.solve(system, beta[:, None] * (v - k @ state))


@mutant(check_written, "was not asked")
def forgets_the_state(k, v, beta, state):
    return _solved(k, v, beta, state, lambda a: np.tril(a, -1), beta[:, None] * v)


@mutant(check_written, "is not the state afterwards")
def shortened_keys(k, v, beta, state):
    return _solved(
        k / np.linalg.norm(k, axis=1, keepdims=True), v, beta, state, lambda a: np.tril(a, -1)
    )


@mutant(check_prediction, "four words out of")
def one_word():
    return "shrinks"


@mutant(check_prediction, "All of what is missing")
def half_a_step_left():
    return "shrinks", "shrinks", "stays", "grows"


@mutant(check_prediction, "Half of what is missing")
def half_is_enough():
    return "gone", "gone", "stays", "grows"


@mutant(check_prediction, "where does the answer land")
def two_is_faster():
    return "shrinks", "gone", "grows", "grows"


@mutant(check_prediction, "It goes past the value")
def still_converges():
    return "shrinks", "gone", "stays", "shrinks"


def _ones(bits):
    return np.ones((len(bits), 1))


@mutant(check_parity, "Counting is the memory's work")
def counts_itself(bits):
    said = np.where(np.cumsum(bits) % 2, -1.0, 1.0)[:, None]
    return _ones(bits), _ones(bits), said, np.ones(len(bits))


@mutant(check_parity, "the first token has to write")
def never_written(bits):
    return _ones(bits), _ones(bits), 0 * _ones(bits), 2.0 * bits


@mutant(check_parity, "about the last bit alone")
def last_bit(bits):
    return _ones(bits), _ones(bits), 1.0 - 2.0 * bits[:, None], np.ones(len(bits))


@mutant(check_parity, "may grow without end")
def too_far(bits):
    return _ones(bits), 2 * _ones(bits), _ones(bits), np.ones(len(bits))


@mutant(check_parity, "of them 1, the answer should be")
def erases(bits):
    v, beta = 0 * _ones(bits), 1.0 * bits
    beta[0], v[0] = 1.0, 1.0 - 2.0 * bits[0]
    return _ones(bits), _ones(bits), v, beta
