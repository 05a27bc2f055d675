"""The loss of a loop that is told its input in every pass, over its last passes."""

from collections.abc import Callable

import numpy as np

from minitx.checks.exercise import Exercise
from minitx.checks.expect import expect_close

check_loop_loss = Exercise(
    name="looped/loop_loss",
    title="What a loop is trained on",
    call="loop_loss(block, x, target, times, window)",
    kind="implement",
    difficulty=1,
    minutes=15,
    insight="A loop that is right in its last five passes has nowhere to go in the sixth: asking "
    "for several passes asks for a place to rest.",
)

Rng = np.random.Generator
Answer = Callable[..., float]


def _passes(block, x, times, start=0.0, told=1.0):
    y, found = start * x, []
    for _ in range(times):
        y = block(y + told * x)
        found.append(y)
    return found


def _loss(passes, target):
    return np.mean([(y - target) ** 2 for y in passes])


def _ask(loop_loss: Answer, rng: Rng, times: int, window: int, message: str) -> None:
    weight = 0.4 * rng.standard_normal((3, 3))
    x, target = rng.standard_normal((5, 3)), rng.standard_normal((5, 3))

    def block(y: np.ndarray) -> np.ndarray:
        return np.tanh(y @ weight)

    passes = _passes(block, x, times)
    mistakes = [
        (_loss(_passes(block, x, times, start=1.0)[-window:], target), "The first pass is told x "
         "twice: begin with zeros, Y_0 = 0."),
        (_loss(_passes(block, x, times, start=1.0, told=0.0)[-window:], target), "x is only where "
         "the loop begins; it should be added before every pass."),
        (_loss([y + x for y in passes[-window:]], target), "x was added to what the block says; "
         "it belongs into what the block hears."),
        (_loss(passes[-1:], target), "This is the loss of the last pass alone: average over the "
         "last `window` passes."),
        (_loss(passes, target), "This is the loss of all passes: only the last `window` count."),
        (_loss(passes[:window], target), "These are the first passes: the last `window` count."),
        (_loss([np.zeros_like(x), *passes][-window - 1 : -1], target), "The window is one pass "
         "too early."),
        (_loss([np.mean(passes[-window:], axis=0)], target), "The passes were averaged, and then "
         "compared: compare each pass, and average the losses."),
        (_loss(passes[-window:], target) * window, "Divide by the number of passes: a mean, not "
         "a sum."),
    ]  # fmt: skip
    got = loop_loss(block, x, target, times, window)
    expect_close(np.float64(got), _loss(passes[-window:], target), message, mistakes)


@check_loop_loss.stage("One pass")
def one(loop_loss: Answer, rng: Rng) -> None:
    _ask(loop_loss, rng, 1, 1, "Y_1 = block(0 + x), and the mean of (Y_1 - target)^2.")


@check_loop_loss.stage("Six passes, all of them counted")
def all_of_them(loop_loss: Answer, rng: Rng) -> None:
    _ask(loop_loss, rng, 6, 6, "Y_{t+1} = block(Y_t + x).")


@check_loop_loss.stage("Eight passes, the last three counted", points=2)
def some(loop_loss: Answer, rng: Rng) -> None:
    _ask(loop_loss, rng, 8, 3, "All passes are right, the window is not.")
