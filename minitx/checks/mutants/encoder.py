"""Mistakes in the exercises of chapter ``encoder``."""

import math
import re
from collections import Counter

import numpy as np

from minitx.checks.attention.oracle import softmax
from minitx.checks.encoder import (
    check_by_hand,
    check_masked_loss,
    check_poly_scores,
    check_prediction,
    check_search,
)
from minitx.checks.encoder.by_hand import HIDDEN, PARTS, RIGHT, WORDS
from minitx.checks.mutants import mutant


@mutant(check_by_hand, "three rows of probabilities")
def hand_third_token():
    return [*RIGHT.tolist(), [1 / 3, 1 / 6, 1 / 3, 1 / 6]], 2


@mutant(check_by_hand, "return the probabilities and the loss")
def hand_no_loss():
    return RIGHT.tolist()


@mutant(check_by_hand, "These are the exponentials")
def hand_exponentials():
    return PARTS.tolist(), 2


@mutant(check_by_hand, "These are the scores")
def hand_scores():
    return (HIDDEN @ WORDS.T).tolist(), 2


@mutant(check_by_hand, "each column adds up to 1")
def hand_columns():
    return (PARTS / PARTS.sum(axis=0)).tolist(), 2


@mutant(check_by_hand, "as they are: exponentiate them first")
def hand_no_exponential():
    scores = HIDDEN @ WORDS.T
    return (scores / scores.sum(axis=1, keepdims=True)).tolist(), 2


@mutant(check_by_hand, "rounded: write the fractions")
def hand_rounded():
    return [[0.167, 0.25, 0.5, 0.083], [0.375, 0.125, 0.375, 0.125]], 2


@mutant(check_by_hand, "the sum over the holes")
def hand_sum():
    return RIGHT.tolist(), 4


@mutant(check_by_hand, "the mean in nats")
def hand_nats():
    return RIGHT.tolist(), 2 * math.log(2)


@mutant(check_by_hand, "was counted too")
def hand_all_tokens():
    return RIGHT.tolist(), (4 + math.log2(3)) / 3


@mutant(check_by_hand, "average the logarithms")
def hand_mean_first():
    return RIGHT.tolist(), -math.log2(5 / 16)


def _losses(logits, targets):
    z = logits - logits.max(-1, keepdims=True)
    logs = z - np.log(np.exp(z).sum(-1, keepdims=True))
    return -np.take_along_axis(logs, targets[..., None], axis=-1)[..., 0]


@mutant(check_masked_loss, "That is the probability of the true token")
def loss_probability(logits, targets, hidden):
    return np.exp(-_losses(logits, targets))[hidden].mean()


@mutant(check_masked_loss, "a loss is minus it")
def loss_sign(logits, targets, hidden):
    return -_losses(logits, targets)[hidden].mean()


@mutant(check_masked_loss, "the loss in bits")
def loss_bits(logits, targets, hidden):
    return _losses(logits, targets)[hidden].mean() / np.log(2)


@mutant(check_masked_loss, "Minus the logit as it is")
def loss_no_sum(logits, targets, hidden):
    return -np.take_along_axis(logits, targets[..., None], axis=-1)[..., 0][hidden].mean()


@mutant(check_masked_loss, "All tokens count")
def loss_everywhere(logits, targets, hidden):
    return _losses(logits, targets).mean()


@mutant(check_masked_loss, "divided by the number of all tokens")
def loss_by_all(logits, targets, hidden):
    return (_losses(logits, targets) * hidden).mean()


@mutant(check_masked_loss, "The mask is upside down")
def loss_upside_down(logits, targets, hidden):
    chosen = hidden if hidden.all() else ~hidden
    return _losses(logits, targets)[chosen].mean()


@mutant(check_masked_loss, "the sum over hidden tokens: take")
def loss_sum(logits, targets, hidden):
    return _losses(logits, targets)[hidden].sum()


@mutant(check_masked_loss, "The mean of each text was taken first")
def loss_mean_of_rows(logits, targets, hidden):
    each = _losses(logits, targets) * hidden
    return (each.sum(1) / hidden.sum(1)).mean()


@mutant(check_masked_loss, "Only the first text")
def loss_first_row(logits, targets, hidden):
    return _losses(logits, targets)[0][hidden[0]].mean()


@mutant(check_masked_loss, "rounded to 0 is infinite")
def loss_overflows(logits, targets, hidden):
    parts = softmax(logits)
    with np.errstate(divide="ignore"):
        logs = np.log(np.take_along_axis(parts, targets[..., None], axis=-1))[..., 0]
    return -logs[hidden].mean()


def _kept(hidden, codes):
    return softmax(codes @ hidden.swapaxes(1, 2)) @ hidden  # (B, m, D)


def _products(hidden, codes, candidates):
    return _kept(hidden, codes) @ candidates.T  # (B, m, C)


@mutant(check_poly_scores, "These are the last weights")
def poly_weights(hidden, codes, candidates):
    return softmax(_products(hidden, codes, candidates), axis=1).sum(1)


@mutant(check_poly_scores, "brought to length 1")
def poly_cosine(hidden, codes, candidates):
    unit = [x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (hidden, candidates)]
    products = _products(unit[0], codes, unit[1])
    return (softmax(products, axis=1) * products).sum(1)


@mutant(check_poly_scores, "The score was divided by √D")
def poly_scaled(hidden, codes, candidates):
    products = _products(hidden, codes, candidates) / np.sqrt(hidden.shape[-1])
    return (softmax(products, axis=1) * products).sum(1)


@mutant(check_poly_scores, "pooled by their mean")
def poly_mean_of_tokens(hidden, codes, candidates):
    return hidden.mean(1) @ candidates.T


@mutant(check_poly_scores, "tokens are added up")
def poly_over_codes(hidden, codes, candidates):
    kept = softmax(codes @ hidden.swapaxes(1, 2), axis=1) @ hidden
    products = kept @ candidates.T
    return (softmax(products, axis=1) * products).sum(1)


@mutant(check_poly_scores, "Only the token that fits the code best")
def poly_best_token(hidden, codes, candidates):
    best = (codes @ hidden.swapaxes(1, 2)).argmax(-1)  # (B, m)
    products = np.take_along_axis(hidden, best[..., None], axis=1) @ candidates.T
    return (softmax(products, axis=1) * products).sum(1)


@mutant(check_poly_scores, "All codes have the same weight")
def poly_mean_of_codes(hidden, codes, candidates):
    return _products(hidden, codes, candidates).mean(1)


@mutant(check_poly_scores, "The codes were added up")
def poly_sum_of_codes(hidden, codes, candidates):
    return _products(hidden, codes, candidates).sum(1)


@mutant(check_poly_scores, "Only the best code counts")
def poly_best_code(hidden, codes, candidates):
    return _products(hidden, codes, candidates).max(1)


@mutant(check_poly_scores, "would depend on which other candidates")
def poly_over_candidates(hidden, codes, candidates):
    products = _products(hidden, codes, candidates)
    weights = softmax(products, axis=1 if products.shape[1] == 1 else 2)
    return (weights * products).sum(1)


@mutant(check_poly_scores, "should return the shape (2, 4)")
def poly_turned(hidden, codes, candidates):
    products = _products(hidden, codes, candidates)
    return (softmax(products, axis=1) * products).sum(1).T


@mutant(check_poly_scores, "Large products overflow")
def poly_overflows(hidden, codes, candidates):
    products = _products(hidden, codes, candidates)
    parts = np.exp(products)
    return (parts / parts.sum(1, keepdims=True) * products).sum(1)


@mutant(check_prediction, "√(3 D)")
def one_vector_holds_nothing():
    return "sometimes", "hardly ever", "hardly ever"


@mutant(check_prediction, "there are 15 rivals")
def one_vector_holds_all():
    return "nearly always", "nearly always", "sometimes"


@mutant(check_prediction, "drowns in noise")
def one_vector_holds_much():
    return "nearly always", "sometimes", "sometimes"


@mutant(check_prediction, 'three words out of "nearly always"')
def one_word():
    return "sometimes"


def _ranked(question, passages, split, weight=lambda word, bags: 1.0, length=True):
    """Passages by the product of weighted counts, those of a passage of length 1 if told."""
    bags = [Counter(split(text)) for text in passages]
    weights = {w: weight(w, bags) for bag in bags for w in bag}
    scores = []
    for bag in bags:
        norm = math.sqrt(sum((weights[w] * n) ** 2 for w, n in bag.items())) if length else 1
        asked = Counter(split(question))
        score = sum(asked[w] * n * weights[w] ** 2 for w, n in bag.items())
        scores.append(score / max(norm, 1e-12))
    return sorted(range(len(passages)), key=lambda i: -scores[i])


def _words(text):
    return re.findall(r"\w+", text.lower())


def _rarity(word, bags):
    return math.log(len(bags) / sum(word in bag for bag in bags))


@mutant(check_search, "The best passage comes last")
def search_worst_first(question, passages):
    return _ranked(question, passages, _words, _rarity)[::-1]


@mutant(check_search, "each number once")
def search_best_alone(question, passages):
    return _ranked(question, passages, _words, _rarity)[:1]


@mutant(check_search, "a list; it returned")
def search_number(question, passages):
    return _ranked(question, passages, _words, _rarity)[0]


@mutant(check_search, "with a capital, a comma or a full stop")
def search_as_written(question, passages):
    return _ranked(question, passages, str.split, _rarity)


@mutant(check_search, "Parts of words were matched")
def search_parts(question, passages):
    asked = _words(question)
    scores = [sum(text.lower().count(word) for word in asked) for text in passages]
    return sorted(range(len(passages)), key=lambda i: -scores[i])


@mutant(check_search, "A long passage has more of every word")
def search_counts(question, passages):
    return _ranked(question, passages, _words, length=False)


@mutant(check_search, "tells nothing: weight each word")
def search_no_rarity(question, passages):
    return _ranked(question, passages, _words)
