"""Page ``training``."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.expect import expect
from minitx.checks.training.diagnose import KINDS, run
from minitx.checks.training.prediction import CASES, CURVATURE, path

from . import Again, Rng, as_the_solution, sizes


def epoch(rng: Rng) -> tuple[Any, ...]:
    D, rows, count = sizes(rng, 3)
    N = rows * count + 1  # so that the batches are not all of one size
    batches = np.array_split(rng.permutation(N), count)
    x, y = rng.normal(size=(N, D)), rng.normal(size=N)
    return rng.normal(size=D), x, y, batches, float(rng.uniform(0.01, 0.3))


def adamw(rng: Rng) -> tuple[Any, ...]:
    N, t = sizes(rng, 2)
    w, g, m = rng.normal(size=(3, N))
    scale = 10.0 ** -rng.integers(0, 9, N)  # down to gradients as small as epsilon
    return (
        w,
        g * scale,
        m * scale,
        rng.random(N) * scale**2,
        t,
        float(rng.uniform(0.01, 0.5)),
        float(rng.uniform(0.01, 0.5)),
    )


def clip(rng: Rng) -> tuple[Any, ...]:
    a, b, c = sizes(rng, 3)
    gradients = [rng.normal(size=(a, b)), rng.normal(size=c)]
    return gradients, float(rng.choice([0.5, 1.5, 99.0]))


def diagnose(answer: Callable[..., Any], solution: Callable[..., Any], rng: Rng) -> None:
    """Two new runs of each kind, mixed; one of the twelve may deceive a doctor."""
    kinds = [str(kind) for kind in rng.permutation(KINDS * 2)]
    wrong = [kind for kind in kinds if answer(*run(kind, rng)) != kind]
    expect(len(wrong) < 2, f"Of {len(kinds)} new runs {len(wrong)} are told wrongly: {wrong}.")


FIRST_STEPS = r"""
Two weights, $w = ({:g}, {:g})$, and the gradient $g = ({:g}, {:g})$. Where are they after
the first step of SGD, of Adam, and of AdamW? The rate is $\eta = {:g}$; AdamW has the decay
$\lambda = {:g}$; Adam has $\beta_1 = 0.9$, $\beta_2 = 0.999$ and $\epsilon = 0$.

Return three pairs of weights: after SGD, after Adam, after AdamW."""


def draw_first_steps(rng: Rng) -> tuple[float, ...]:
    """Weights and gradients of either sign, one gradient far smaller than the other."""
    w = rng.choice([-6, -4, -3, -2, -1, 1, 2, 3, 4, 6], 2, replace=False)
    g = rng.permutation([rng.integers(1, 10) / 100, rng.integers(5, 20)]) * rng.choice([-1, 1], 2)
    return tuple(map(float, (*w, *g, rng.choice([0.1, 0.2, 0.01]), rng.choice([0.5, 0.2, 0.1]))))


def first_steps(u: float, v: float, g: float, h: float, lr: float, decay: float) -> list[Any]:
    w, g = np.array([u, v]), np.array([g, h])
    adam = lr * np.sign(g)
    return [after.round(9) for after in (w - lr * g, w - adam, w * (1 - lr * decay) - adam)]


VALLEY = """One weight, which starts at 1, and the loss ${:g} w^2$. Four runs of gradient descent:

{}

Does the weight go to 0 `"straight"`, without ever changing its sign; does it go there `"bouncing"`
from side to side; or does it run `"away"`?

Return four words."""

# (rate times second derivative, momentum), 20 % or more away from the edges between the words
RUNS = [(0.4, 0.0), (0.8, 0.0), (1.2, 0.0), (1.5, 0.0), (1.6, 0.0), (2.5, 0.0), (3.2, 0.0)]
RUNS += [(0.2, 0.1), (0.8, 0.5), (2.4, 0.5), (3.6, 0.5), (2.4, 0.9), (2.8, 0.9), (4.8, 0.9)]


def draw_valley(rng: Rng) -> tuple[Any, ...]:
    """How steep the valley is, and four runs that need all three words."""
    half, runs = float(rng.choice([2, 4, 10])), []
    while len(set(valley(half, runs))) < 3:
        chosen = rng.permutation(len(RUNS))[:4]
        runs = [(RUNS[i][0] / (2 * half), RUNS[i][1]) for i in chosen]
    return half, runs


def valley_text(half: float, runs: list[tuple[float, float]]) -> str:
    listed = [f"{n}. rate {lr:g}, momentum {mu:g}" for n, (lr, mu) in enumerate(runs, start=1)]
    return VALLEY.format(half, "\n".join(listed))


def valley(half: float, runs: list[tuple[float, float]]) -> list[str]:
    return [_word(path(lr * 2 * half / CURVATURE, momentum)) for lr, momentum in runs]


def _word(found: np.ndarray) -> str:
    if not abs(found[-1]) < 0.01:
        return "away"
    return "bouncing" if (found < 0).any() else "straight"


VARIANTS = {
    "by_hand": Again(
        draw_first_steps, FIRST_STEPS.format, first_steps, (2, -1, 0.03, -12, 0.1, 0.5)
    ),
    "epoch": as_the_solution(epoch),
    "adamw": as_the_solution(adamw),
    "clip": as_the_solution(clip),
    "prediction": Again(draw_valley, valley_text, valley, (CURVATURE / 2, CASES)),
    "diagnose": diagnose,
}
