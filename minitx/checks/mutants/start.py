"""Mistakes in the exercises of chapter ``start``."""

import numpy as np

from minitx.checks.mutants import mutant
from minitx.checks.start import check_bits, check_temperature


@mutant(check_bits, "The sign")
def no_minus(probabilities):
    return np.log2(probabilities).mean()


@mutant(check_bits, "nats")
def natural_logarithm(probabilities):
    return -np.log(probabilities).mean()


@mutant(check_bits, "sum over the text")
def total(probabilities):
    return -np.log2(probabilities).sum()


@mutant(check_bits, "logarithm of the mean")
def mean_first(probabilities):
    return -np.log2(np.mean(probabilities))


@mutant(check_bits, "as in an entropy")
def entropy(probabilities):
    return -np.mean(probabilities * np.log2(probabilities))


@mutant(check_bits, "clipping hides")
def clipped(probabilities):
    return -np.log2(np.maximum(probabilities, 1e-12)).mean()


@mutant(check_bits, "seven ones should give 0 bits")
def one_character_too_many(probabilities):
    return -np.log2(probabilities).mean() + 1


@mutant(check_bits, "should return the shape ()")
def one_for_each(probabilities):
    return -np.log2(probabilities)


def _share(parts):
    return parts / parts.sum(axis=-1, keepdims=True)


def _stable(scores):
    return _share(np.exp(scores - scores.max(axis=-1, keepdims=True)))


@mutant(check_temperature, "These are the exponentials")
def no_sum(scores, temperature):
    return np.exp(scores / temperature)


@mutant(check_temperature, "has no effect")
def no_temperature(scores, temperature):
    return _stable(scores)


@mutant(check_temperature, "multiplied by the temperature")
def multiplied(scores, temperature):
    return _stable(scores * temperature)


@mutant(check_temperature, "The probabilities are divided")
def divided_late(scores, temperature):
    return _stable(scores) / temperature


@mutant(check_temperature, "below it is forgotten")
def half_forgotten(scores, temperature):
    return np.exp(scores / temperature) / np.exp(scores).sum()


@mutant(check_temperature, "subtract the largest")
def overflows(scores, temperature):
    return _share(np.exp(scores / temperature))


@mutant(check_temperature, "All rows share one sum")
def one_sum(scores, temperature):
    parts = np.exp((scores - scores.max()) / temperature)
    return parts / parts.sum()


@mutant(check_temperature, "Each row has its own sum")
def no_keepdims(scores, temperature):
    parts = np.exp((scores - scores.max()) / temperature)
    return parts / parts.sum(axis=-1)


@mutant(check_temperature, "all four should be alike")
def bounded(scores, temperature):
    return _stable(scores / min(temperature, 1.0))
