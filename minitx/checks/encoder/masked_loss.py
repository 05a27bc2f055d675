"""The loss at hidden tokens, and nowhere else."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect_close

check_masked_loss = Exercise(
    name="encoder/masked_loss",
    title="The loss of hidden tokens",
    call="masked_loss(logits, targets, hidden)",
    kind="implement",
    difficulty=2,
    minutes=20,
    insight="Nobody labelled anything: the text itself is the answer sheet.",
)

Rng = np.random.Generator


def losses(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """-log softmax(logits)[target] of each token, with loops."""
    found = np.zeros(targets.shape)
    for place in np.ndindex(targets.shape):
        z = logits[place] - logits[place].max()
        found[place] = np.log(np.exp(z).sum()) - z[targets[place]]
    return found


def _draw(rng: Rng, rows: int, length: int, holes: list[int]) -> tuple[np.ndarray, ...]:
    """logits (rows, length, 6), targets, and as many holes in each row as ``holes`` says."""
    hidden = np.zeros((rows, length), bool)
    for row, count in enumerate(holes):
        hidden[row, rng.permutation(length)[:count]] = True
    return 2 * rng.normal(size=(rows, length, 6)), rng.integers(6, size=(rows, length)), hidden


@check_masked_loss.stage("One token, hidden: minus the logarithm of its probability")
def one_token(masked_loss: Callable[..., Any], rng: Rng) -> None:
    logits, targets, hidden = _draw(rng, 1, 1, [1])
    want = losses(logits, targets)[0, 0]
    mistakes = [
        (np.exp(-want), "That is the probability of the true token: take minus its logarithm."),
        (-want, "The sign: the logarithm of a probability is negative, and a loss is minus it."),
        (want / np.log(2), "That is the loss in bits: `np.log` gives nats."),
        (
            -logits[0, 0, targets[0, 0]],
            "Minus the logit as it is: subtract the logarithm of the sum of exponentials.",
        ),
    ]
    message = "With one token the loss is -log softmax(logits)[target]."
    expect_close(masked_loss(logits, targets, hidden), want, message, mistakes)


@check_masked_loss.stage("Only hidden tokens count", points=2)
def only_hidden(masked_loss: Callable[..., Any], rng: Rng) -> None:
    logits, targets, hidden = _draw(rng, 1, 7, [2])
    each = losses(logits, targets)
    mistakes = [
        (each.mean(), "All tokens count: those that are not hidden can be read off."),
        (
            each[hidden].sum() / each.size,
            "The sum over hidden tokens was divided by the number of all tokens.",
        ),
        (each[~hidden].mean(), "The mask is upside down: True is a token that is hidden."),
        (each[hidden].sum(), "That is the sum over hidden tokens: take their mean."),
    ]
    message = "It should be the mean over the hidden tokens."
    expect_close(masked_loss(logits, targets, hidden), each[hidden].mean(), message, mistakes)


@check_masked_loss.stage("Every hidden token of a batch counts alike")
def alike(masked_loss: Callable[..., Any], rng: Rng) -> None:
    logits, targets, hidden = _draw(rng, 3, 7, [1, 5, 2])
    each = losses(logits, targets)
    of_rows = np.mean([each[b][hidden[b]].mean() for b in range(3)])
    mistakes = [
        (
            of_rows,
            "The mean of each text was taken first, and then their mean: so a hole in a text with "
            "few holes counts more than one in a text with many.",
        ),
        (each[0][hidden[0]].mean(), "Only the first text of the batch was looked at."),
    ]
    message = "One mean, over all hidden tokens of the batch."
    expect_close(masked_loss(logits, targets, hidden), each[hidden].mean(), message, mistakes)


@check_masked_loss.stage("Logits of many hundreds")
def large(masked_loss: Callable[..., Any], rng: Rng) -> None:
    logits, targets, hidden = _draw(rng, 2, 5, [1, 3])
    logits *= 400
    message = (
        "Large logits break it: exp(1000) overflows, and the logarithm of a probability that is "
        "rounded to 0 is infinite. Subtract each row's largest logit, and use "
        "log softmax(z) = z - log(sum(exp(z)))."
    )
    want = losses(logits, targets)[hidden].mean()
    expect_close(masked_loss(logits, targets, hidden), want, message)
