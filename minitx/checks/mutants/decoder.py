"""Mistakes in the exercises of chapter ``decoder``."""

import numpy as np

from minitx.checks.decoder import (
    check_by_hand,
    check_draft,
    check_loss,
    check_order,
    check_step,
    check_top_p,
)
from minitx.checks.mutants import mutant

# by_hand: the right answers, of which each mistake changes one
KEPT, ACCEPTED, REST = [1, 1, 1 / 4], 5 / 8, [2 / 3, 1 / 3, 0]


@mutant(check_by_hand, "three things: `return kept")
def hand_two_things():
    return KEPT, REST


@mutant(check_by_hand, "Some of these are above 1")
def hand_not_cut():
    return [2, 3 / 2, 1 / 4], ACCEPTED, REST


@mutant(check_by_hand, "the draft's excess that is refused")
def hand_turned():
    return [1 / 2, 2 / 3, 1], ACCEPTED, REST


@mutant(check_by_hand, "guessed and kept; asked")
def hand_guessed_and_kept():
    return [1 / 4, 1 / 4, 1 / 8], ACCEPTED, REST


@mutant(check_by_hand, "the plain mean of the three")
def hand_plain_mean():
    return KEPT, 3 / 4, REST


@mutant(check_by_hand, "weighted with p: it is the draft")
def hand_weighted_with_p():
    return KEPT, 29 / 32, REST


@mutant(check_by_hand, "how often a guess is refused")
def hand_refused():
    return KEPT, 3 / 8, REST


@mutant(check_by_hand, "Drawing from p again")
def hand_drawn_again():
    """After a refusal, draw from the target."""
    return KEPT, ACCEPTED, [4 / 8, 3 / 8, 1 / 8]


@mutant(check_by_hand, "divide by their sum")
def hand_not_normalised():
    return KEPT, ACCEPTED, [2 / 8, 1 / 8, 0]


@mutant(check_by_hand, "above p nothing is missing")
def hand_both_ways():
    return KEPT, ACCEPTED, [1 / 3, 1 / 6, 1 / 2]


@mutant(check_by_hand, "The wrong sign: missing")
def hand_other_sign():
    return KEPT, ACCEPTED, [0, 0, 1]


def _costs(logits, answers, base=2.0):
    logits = logits - logits.max(axis=-1, keepdims=True)
    logs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    return -logs[np.arange(len(answers)), answers] / np.log(base)


@mutant(check_loss, "which the model has just read: its target")
def not_shifted(logits, ids):
    return _costs(logits, ids).mean()


@mutant(check_loss, "The shift goes the wrong way")
def shifted_back(logits, ids):
    return _costs(logits[1:], ids[:-1]).mean()


@mutant(check_loss, "nothing is known to follow the last")
def around_the_end(logits, ids):
    return _costs(logits, np.roll(ids, -1)).mean()


@mutant(check_loss, "divide by T - 1, not by T")
def divided_by_length(logits, ids):
    return _costs(logits[:-1], ids[1:]).sum() / len(ids)


@mutant(check_loss, "the sum over the tokens")
def summed(logits, ids):
    return _costs(logits[:-1], ids[1:]).sum()


@mutant(check_loss, "These are nats")
def in_nats(logits, ids):
    return _costs(logits[:-1], ids[1:], np.e).mean()


@mutant(check_loss, "logarithms of probabilities are negative")
def negative(logits, ids):
    return -_costs(logits[:-1], ids[1:]).mean()


@mutant(check_loss, "the logarithm of the mean probability")
def mean_first(logits, ids):
    return -np.log2(np.mean(2.0 ** -_costs(logits[:-1], ids[1:])))


@mutant(check_loss, "exp(1000) overflows")
def loss_overflows(logits, ids):
    parts = np.exp(logits[:-1])
    chances = parts[np.arange(len(ids) - 1), ids[1:]] / parts.sum(axis=1)
    return -np.log2(chances).mean()


def _attend(q, keys, values, scale=None):
    scores = np.array(keys) @ q * (scale or len(q) ** -0.5)
    weights = np.exp(scores - scores.max())
    return weights / weights.sum() @ np.array(values)


def _placed(t):
    """A right step but for the place: ``t(number of tokens before)``."""

    def step(x, state, P, W_q, W_k, W_v):
        keys, values = state or ((), ())
        z = x + P[t(len(keys))]
        keys, values = (*keys, z @ W_k), (*values, z @ W_v)
        return _attend(z @ W_q, keys, values), (keys, values)

    return step


@mutant(check_step, "Every token was given position 0")
def restarted(x, state, P, W_q, W_k, W_v):
    keys, values = state or ((), ())
    z = x + P[0]
    keys, values = (*keys, z @ W_k), (*values, z @ W_v)
    return _attend(z @ W_q, keys, values), (keys, values)


@mutant(check_step, "Positions are counted from 0")
def from_one(x, state, P, W_q, W_k, W_v):
    return _placed(lambda before: before + 1)(x, state, P, W_q, W_k, W_v)


@mutant(check_step, "The position was not added")
def nowhere(x, state, P, W_q, W_k, W_v):
    return _placed(lambda before: before)(x, state, 0 * P, W_q, W_k, W_v)


@mutant(check_step, "It hears only itself")
def forgetful(x, state, P, W_q, W_k, W_v):
    before = state or 0
    return (x + P[before]) @ W_v, before + 1


@mutant(check_step, "add its own key and value before it attends")
def deaf_to_itself(x, state, P, W_q, W_k, W_v):
    keys, values = state or ((), ())
    z = x + P[len(keys)]
    k, v = (*keys, z @ W_k), (*values, z @ W_v)
    return _attend(z @ W_q, keys or k, values or v), (k, v)


@mutant(check_step, "The scores were not divided by √d")
def step_no_scale(x, state, P, W_q, W_k, W_v):
    keys, values = state or ((), ())
    z = x + P[len(keys)]
    keys, values = (*keys, z @ W_k), (*values, z @ W_v)
    return _attend(z @ W_q, keys, values, 1.0), (keys, values)


@mutant(check_step, "your step changed the old state")
def in_place(x, state, P, W_q, W_k, W_v):
    keys, values = state if state is not None else ([], [])
    z = x + P[len(keys)]
    keys.append(z @ W_k)
    values.append(z @ W_v)
    return _attend(z @ W_q, keys, values), (keys, values)


@mutant(check_step, "works through all tokens again")
def all_again(x, state, P, W_q, W_k, W_v):
    tokens = (*(state or ()), x)
    z = np.array(tokens) + P[: len(tokens)]
    return _attend(z[-1] @ W_q, z @ W_k, z @ W_v), tokens


@mutant(check_step, "the answer and the new state")
def answer_only(x, state, P, W_q, W_k, W_v):
    return (x + P[0]) @ W_v


def _kept(p, kept):
    return np.where(kept, p, 0) / p[kept].sum()


@mutant(check_top_p, "The token that crosses 0.7 was dropped")
def crossing_dropped(p, reach):
    order = np.argsort(-p)
    kept = np.zeros(len(p), bool)
    kept[order[np.cumsum(p[order]) <= reach]] = True
    return _kept(p, kept)


@mutant(check_top_p, "sum to 0.75: divide by it")
def top_p_not_normalised(p, reach):
    order = np.argsort(-p)
    kept = np.zeros(len(p))
    best = order[np.cumsum(p[order]) - p[order] < reach]
    kept[best] = p[best]
    return kept


@mutant(check_top_p, "which reaches it: the third is too many")
def one_more_when_met(p, reach):
    order = np.argsort(-p)
    kept = np.zeros(len(p), bool)
    kept[order[np.cumsum(p[order]) - p[order] <= reach]] = True
    return _kept(p, kept)


@mutant(check_top_p, "take the likeliest first")
def in_given_order(p, reach):
    return _kept(p, np.cumsum(p) - p < reach)


@mutant(check_top_p, "at the wrong tokens")
def left_sorted(p, reach):
    ranked = -np.sort(-p)
    return _kept(ranked, np.cumsum(ranked) - ranked < reach)


@mutant(check_top_p, "if the sum never arrives")
def never_arrives(p, reach):
    order = np.argsort(-p)
    last = np.argmax(np.cumsum(p[order]) >= reach)  # 0 if none is
    kept = np.zeros(len(p), bool)
    kept[order[: last + 1]] = True
    return _kept(p, kept)


@mutant(check_order, "the third likeliest?")
def all_matter():
    return "other", "other", "other", "other"


@mutant(check_order, "once the chances are flatter?")
def none_matters():
    return "same", "same", "same", "same"


@mutant(check_order, "the ratio of two probabilities?")
def min_p_like_ranks():
    return "same", "other", "same", "same"


@mutant(check_order, "change its sign, and then by 1.5?")
def penalty_matters():
    return "same", "other", "other", "other"


@mutant(check_order, 'four words out of "same", "other"')
def yes_and_no():
    return "no", "yes", "yes", "no"


@mutant(check_draft, "when nothing was seen yet?")
def nan_at_first(history, vocabulary):
    counts = np.bincount(history, minlength=vocabulary)
    return counts / counts.sum()


@mutant(check_draft, "and probabilities sum to 1")
def counts_only(history, vocabulary):
    return np.bincount(history, minlength=vocabulary) + 1.0


@mutant(check_draft, "a chance of 0.20")
def all_alike(history, vocabulary):
    return np.full(vocabulary, 1 / vocabulary)


@mutant(check_draft, "a chance of 0.32")
def by_frequency(history, vocabulary):
    counts = np.bincount(history, minlength=vocabulary) + 1.0
    return counts / counts.sum()


@mutant(check_draft, "and 0.7 was asked for")
def what_followed_last(history, vocabulary):
    guess = np.full(vocabulary, 0.3 / vocabulary)
    if len(history):
        before = np.flatnonzero(history[:-1] == history[-1])
        guess[history[before[-1] + 1] if len(before) else 0] += 0.7
    return guess / guess.sum()
