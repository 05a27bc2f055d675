"""Mistakes in the exercises of chapter ``encoder_decoder``."""

import numpy as np

from minitx.checks.attention.oracle import softmax
from minitx.checks.encoder_decoder import (
    check_beam_search,
    check_by_hand,
    check_cross_attention,
    check_misled,
    check_prediction,
    check_teacher_forcing,
)
from minitx.checks.mutants import mutant


@mutant(check_by_hand, "the probability of the first word")
def hand_first_words():
    return 1 / 2, 3 / 10, 1 / 5


@mutant(check_by_hand, "The two factors were added")
def hand_added():
    return 3 / 5, 4 / 5, 6 / 5


@mutant(check_by_hand, "never sees what comes after b")
def hand_looks_ahead():
    return 3 / 20, 3 / 20, 1 / 5


@mutant(check_by_hand, "dropped c at the first word")
def hand_best_of_all():
    return 1 / 5, 1 / 5, 1 / 5


@mutant(check_by_hand, "three probabilities: for beams")
def hand_one_number():
    return 1 / 20


@mutant(check_by_hand, "keeps b as well")
def hand_greedy_always():
    return 1 / 20, 1 / 20, 1 / 5


@mutant(check_by_hand, "do not add them up")
def hand_texts_added():
    return 1 / 20, 3 / 10, 1 / 5


@mutant(check_by_hand, "still drops c")
def hand_two_are_enough():
    return 1 / 20, 1 / 5, 1 / 5


@mutant(check_by_hand, "keeps c as well")
def hand_c_forgotten():
    return 1 / 20, 3 / 20, 3 / 20


@mutant(check_by_hand, "c itself has 1/5")
def hand_certain():
    return 1 / 20, 3 / 20, 1


@mutant(check_by_hand, "rounded: write a fraction")
def hand_rounded():
    return 0.05, 0.153, 0.2


def _cross(q, k, v, valid=None, scale=None):
    scores = q @ np.swapaxes(k, -1, -2) * (scale or q.shape[-1] ** -0.5)  # (B, T, S)
    if valid is not None:
        scores = np.where(valid[:, None, :], scores, -np.inf)
    return softmax(scores) @ v


@mutant(check_cross_attention, "The keys were made of h")
def keys_of_target(h, m, w_q, w_k, w_v, valid):
    return softmax((h @ w_q) @ np.swapaxes(h @ w_k, 1, 2) / np.sqrt(w_q.shape[1])) @ (m @ w_v)


@mutant(check_cross_attention, "The values were made of h")
def values_of_target(h, m, w_q, w_k, w_v, valid):
    return _cross(h @ w_q, m @ w_k, h @ w_v)


@mutant(check_cross_attention, "attention of h to itself")
def hears_itself(h, m, w_q, w_k, w_v, valid):
    return _cross(h @ w_q, h @ w_k, h @ w_v)


@mutant(check_cross_attention, "The roles are exchanged")
def exchanged(h, m, w_q, w_k, w_v, valid):
    return _cross(m @ w_q, h @ w_k, h @ w_v)


@mutant(check_cross_attention, "not divided by √d")
def no_scale(h, m, w_q, w_k, w_v, valid):
    return _cross(h @ w_q, m @ w_k, m @ w_v, valid, 1.0)


@mutant(check_cross_attention, "its root is meant")
def divided_by_d(h, m, w_q, w_k, w_v, valid):
    return _cross(h @ w_q, m @ w_k, m @ w_v, valid, 1 / w_q.shape[1])


@mutant(check_cross_attention, "The softmax runs over queries")
def over_queries(h, m, w_q, w_k, w_v, valid):
    scores = (h @ w_q) @ np.swapaxes(m @ w_k, 1, 2) / np.sqrt(w_q.shape[1])
    return softmax(scores, axis=1) @ (m @ w_v)


@mutant(check_cross_attention, "The scale is 1/√D")
def scale_of_model(h, m, w_q, w_k, w_v, valid):
    return _cross(h @ w_q, m @ w_k, m @ w_v, valid, h.shape[-1] ** -0.5)


@mutant(check_cross_attention, "The scale is 1/√E")
def scale_of_source(h, m, w_q, w_k, w_v, valid):
    return _cross(h @ w_q, m @ w_k, m @ w_v, valid, m.shape[-1] ** -0.5)


@mutant(check_cross_attention, "taken from the values")
def scale_of_values(h, m, w_q, w_k, w_v, valid):
    return _cross(h @ w_q, m @ w_k, m @ w_v, valid, w_v.shape[1] ** -0.5)


@mutant(check_cross_attention, "Padding is heard")
def padding_heard(h, m, w_q, w_k, w_v, valid):
    scores = (h @ w_q) @ np.swapaxes(m @ w_k, 1, 2) / np.sqrt(w_q.shape[1])
    return softmax(scores) @ (m @ w_v)


@mutant(check_cross_attention, "silenced after the softmax")
def masked_late(h, m, w_q, w_k, w_v, valid):
    scores = (h @ w_q) @ np.swapaxes(m @ w_k, 1, 2) / np.sqrt(w_q.shape[1])
    return (softmax(scores) * valid[:, None]) @ (m @ w_v)


@mutant(check_cross_attention, "exp(0) = 1 is still heard")
def masked_with_zero(h, m, w_q, w_k, w_v, valid):
    scores = (h @ w_q) @ np.swapaxes(m @ w_k, 1, 2) / np.sqrt(w_q.shape[1])
    return softmax(scores * valid[:, None]) @ (m @ w_v)


@mutant(check_cross_attention, "the padding of the first")
def masked_by_first(h, m, w_q, w_k, w_v, valid):
    return _cross(h @ w_q, m @ w_k, m @ w_v, valid[:1])


@mutant(check_cross_attention, "outvoted by large scores")
def masked_by_penalty(h, m, w_q, w_k, w_v, valid):
    scores = (h @ w_q) @ np.swapaxes(m @ w_k, 1, 2) / np.sqrt(w_q.shape[1])
    return softmax(scores - 1e4 * ~valid[:, None]) @ (m @ w_v)


@mutant(check_cross_attention, "Shapes: h @ w_q is")
def mask_along_queries(h, m, w_q, w_k, w_v, valid):
    return _cross(h @ w_q, m @ w_k, m @ w_v, valid.T)


def _arrays(texts, start, end, pad):
    T = max(map(len, texts)) + 1
    inputs, targets = np.full((len(texts), T), pad), np.full((len(texts), T), pad)
    counts = np.zeros((len(texts), T), bool)
    for b, text in enumerate(texts):
        n = len(text) + 1
        inputs[b, :n], targets[b, :n], counts[b, :n] = [start, *text], [*text, end], True
    return inputs, targets, counts


@mutant(check_teacher_forcing, "sees the word that it is to predict")
def not_shifted(texts, start, end, pad):
    T = max(map(len, texts)) + 1
    targets, counts = np.full((len(texts), T), pad), np.zeros((len(texts), T), bool)
    for b, text in enumerate(texts):
        targets[b, : len(text) + 1] = [*text, end]
        counts[b, : len(text) + 1] = True
    return targets.copy(), targets, counts


@mutant(check_teacher_forcing, "The shift goes the wrong way")
def shifted_back(texts, start, end, pad):
    inputs, targets, counts = _arrays(texts, start, end, pad)
    return targets, inputs, counts


@mutant(check_teacher_forcing, "one more for the end")
def no_end(texts, start, end, pad):
    inputs, targets, counts = _arrays(texts, start, end, pad)
    return inputs[:, :-1], targets[:, :-1], counts[:, :-1]


@mutant(check_teacher_forcing, "never learns when to stop")
def end_is_padding(texts, start, end, pad):
    inputs, targets, counts = _arrays(texts, start, end, pad)
    return inputs, np.where(targets == end, pad, targets), counts


@mutant(check_teacher_forcing, "At place 0 the decoder should get the start")
def starts_with_end(texts, start, end, pad):
    return _arrays(texts, end, end, pad)


@mutant(check_teacher_forcing, "every prediction counts, the end too")
def end_does_not_count(texts, start, end, pad):
    inputs, targets, counts = _arrays(texts, start, end, pad)
    return inputs, targets, counts & (targets != end)


@mutant(check_teacher_forcing, "array of booleans")
def counts_as_numbers(texts, start, end, pad):
    inputs, targets, counts = _arrays(texts, start, end, pad)
    return inputs, targets, counts.astype(int)


@mutant(check_teacher_forcing, "learn to predict padding")
def padding_counts(texts, start, end, pad):
    inputs, targets, counts = _arrays(texts, start, end, pad)
    return inputs, targets, counts | True


@mutant(check_teacher_forcing, "and not in the last column")
def end_in_last_column(texts, start, end, pad):
    inputs, targets, counts = _arrays(texts, start, end, pad)
    targets = np.where(targets == end, pad, targets)
    targets[:, -1] = end
    return inputs, targets, counts


@mutant(check_teacher_forcing, "find it by lengths")
def counts_by_pad(texts, start, end, pad):
    inputs, targets, _ = _arrays(texts, start, end, pad)
    return inputs, targets, targets != pad


def _beams(log_probs, width, end, limit, rank=lambda score, text: score, forget=False):
    alive, finished = [(0.0, [])], []
    for _ in range(limit):
        longer = [
            (total + float(log_p), [*text, word])
            for total, text in alive
            for word, log_p in enumerate(log_probs(text))
        ]
        kept = sorted(longer, key=lambda one: -rank(*one))[:width]
        finished += [one for one in kept if one[1][-1] == end]
        alive = [one for one in kept if one[1][-1] != end]
        if not alive:
            break
    total, text = max(alive if forget and alive else finished + alive, key=lambda one: rank(*one))
    return text, total


@mutant(check_beam_search, "goes on after the end")
def writes_on(log_probs, width, end, limit):
    alive = [(0.0, [])]
    for _ in range(limit):
        longer = [
            (total + log_p, [*text, word])
            for total, text in alive
            for word, log_p in enumerate(log_probs(text))
        ]
        alive = sorted(longer, key=lambda one: -one[0])[:width]
    total, text = alive[0]
    return text, total


@mutant(check_beam_search, "Return the text first")
def beam_swapped(log_probs, width, end, limit):
    return _beams(log_probs, width, end, limit)[::-1]


@mutant(check_beam_search, "its logarithm is asked for")
def beam_probability(log_probs, width, end, limit):
    text, total = _beams(log_probs, width, end, limit)
    return text, np.exp(total)


@mutant(check_beam_search, "no penalty here")
def beam_mean(log_probs, width, end, limit):
    text, total = _beams(log_probs, width, end, limit)
    return text, total / len(text)


@mutant(check_beam_search, "a round adds one word")
def beam_too_long(log_probs, width, end, limit):
    tree = lambda text: log_probs(text[:-1] if len(text) >= limit else text)  # noqa: E731
    return _beams(tree, width, limit + 99, limit + 1)


@mutant(check_beam_search, "A beam of 1 should find")
def beam_least_likely(log_probs, width, end, limit):
    return _beams(log_probs, width, end, limit, rank=lambda score, text: -score)


@mutant(check_beam_search, "best of all texts: a beam of one")
def beam_exhaustive(log_probs, width, end, limit):
    return _beams(log_probs, 10**6, end, min(limit, 4))


@mutant(check_beam_search, "ended early was forgotten")
def beam_forgets(log_probs, width, end, limit):
    return _beams(log_probs, width, end, limit, forget=True)


@mutant(check_beam_search, "went on with one child")
def beam_families(log_probs, width, end, limit):
    first = log_probs([])
    alive = [(float(first[w]), [int(w)]) for w in np.argsort(-first)[:width]]
    finished = [one for one in alive if one[1][-1] == end]
    for _ in range(limit - 1):
        grown = []
        for total, text in alive:
            if text[-1] != end:
                log_p = log_probs(text)
                grown.append((total + float(log_p.max()), [*text, int(log_p.argmax())]))
        finished += [one for one in grown if one[1][-1] == end]
        alive = grown
    total, text = max(finished + alive)
    return text, total


@mutant(check_beam_search, "by their *mean* log p")
def beam_ranks_by_mean(log_probs, width, end, limit):
    return _beams(log_probs, width, end, limit, rank=lambda score, text: score / len(text))


@mutant(check_beam_search, "whatever the width")
def beam_always_greedy(log_probs, width, end, limit):
    return _beams(log_probs, 1, end, limit)


@mutant(check_beam_search, "was pushed out again")
def beam_pushed_out(log_probs, width, end, limit):
    kept = [(0.0, [])]
    for _ in range(limit):
        grown = [one for one in kept if one[1] and one[1][-1] == end]
        for total, text in kept:
            if not text or text[-1] != end:
                grown += [(total + float(p), [*text, w]) for w, p in enumerate(log_probs(text))]
        kept = sorted(grown, key=lambda one: -one[0])[:width]
    return kept[0][1], kept[0][0]


@mutant(check_beam_search, "is 0 on a computer")
def beam_multiplies(log_probs, width, end, limit):
    alive, finished = [(1.0, [])], []
    for _ in range(limit):
        longer = [
            (total * np.exp(log_p), [*text, word])
            for total, text in alive
            for word, log_p in enumerate(log_probs(text))
        ]
        kept = sorted(longer, key=lambda one: -one[0])[:width]
        finished += [one for one in kept if one[1][-1] == end]
        alive = [one for one in kept if one[1][-1] != end]
    total, text = max(finished + alive, key=lambda one: one[0])
    with np.errstate(divide="ignore"):
        return text, np.log(total)


@mutant(check_prediction, 'three words out of "empty", "full"')
def predicts_numbers():
    return 8, 1, 8


@mutant(check_prediction, "does that ever change")
def predicts_empty_greedy():
    return "empty", "empty", "full"


@mutant(check_prediction, "how probable are two words")
def predicts_full_beams():
    return "full", "full", "full"


@mutant(check_prediction, "compare that with log 0.3")
def predicts_no_help():
    return "full", "empty", "empty"


@mutant(check_misled, "are equally probable")
def misled_ties(k):
    second = np.full((k + 1, k + 1), 1 / (k + 1))
    second[k] = np.eye(k + 1)[0]
    return np.full(k + 1, 1 / (k + 1)), second


@mutant(check_misled, "A beam of 1 is not fooled")
def misled_no_one(k):
    first = np.arange(k + 1, 0, -1.0)
    return first / first.sum(), np.full((k + 1, 2), 1 / 2)


@mutant(check_misled, "With 1 first words")
def misled_too_few(k):
    return np.full(k, 1 / k), np.full((k, 2), 1 / 2)


@mutant(check_misled, "add up to 1; some of yours")
def misled_no_chances(k):
    return np.arange(k + 1, 0, -1.0), np.full((k + 1, 2), 1 / 2)


@mutant(check_misled, "but so is one of")
def misled_too_deep(k):
    first, second = np.arange(k + 12, k, -1.0), np.full((k + 2, 9), 1 / 9)
    first = np.concatenate([np.full(k + 1, 1.0) + 1e-3 * np.arange(k + 1, 0, -1), [0.9]])
    second[-1] = np.eye(9)[0]
    return first / first.sum(), second


@mutant(check_misled, "Return two arrays")
def misled_one_array(k):
    return np.eye(k + 1)


def _for_width(made_for):
    first, second = np.linspace(1.1, 1.0, made_for + 1), np.full((made_for + 1, 31), 1 / 31)
    second[made_for] = np.eye(31)[0]
    return first / first.sum(), second


@mutant(check_misled, "A beam of 3 is not fooled")
def misled_only_greedy(k):
    first, second = _for_width(1)
    if k > 1:  # two words fool one beam; more beams need more words, and the third is of no use
        first = np.concatenate([first, np.full(k, 0.01)]) / (1 + 0.01 * k)
        first[2:] -= 1e-4 * np.arange(k)
        first[0] += 1 - first.sum()
        second = np.concatenate([second, np.full((k, 31), 1 / 31)])
    return first, second


@mutant(check_misled, "With 29 first words")
def misled_up_to_28(k):
    return _for_width(min(k, 28))
