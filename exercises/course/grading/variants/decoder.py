"""Page ``decoder``."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitx.checks.expect import expect, expect_array, expect_close
from minitx.inference import MinP, RepetitionPenalty, Sampler, Temperature, TopK, TopP

from . import Again, Rng, as_the_solution, sizes


def loss(rng: Rng) -> tuple[Any, ...]:
    T, V = sizes(rng, 2)
    return rng.normal(size=(T, V)) * 10.0 ** rng.integers(0, 5, (T, 1)), rng.integers(V, size=T)


def top_p(answer: Callable[..., Any], solution: Callable[..., Any], rng: Rng) -> None:
    """Where the sum passes what is asked for, where it meets it, and where it just fails to."""
    for draw in (_passed, _met, _missed):
        as_the_solution(draw)(answer, solution, rng)


def _passed(rng: Rng) -> tuple[Any, ...]:
    (V,) = sizes(rng, 1, 3, 40)
    return rng.dirichlet(np.ones(V)), float(rng.uniform(0.2, 0.95))


def _met(rng: Rng) -> tuple[Any, ...]:
    (V,) = sizes(rng, 1, 4, 11)
    counts = [*range(1, V), 64 - V * (V - 1) // 2]  # all different, and 64ths have exact sums
    return rng.permutation(counts) / 64, sum(counts[-int(rng.integers(1, V)) :]) / 64


def _missed(rng: Rng) -> tuple[Any, ...]:
    while True:
        p = _passed(rng)[0]
        if np.cumsum(-np.sort(-p))[-1] < 1:  # by rounding
            return p, 1.0


def step(answer: Callable[..., Any], solution: Callable[..., Any], rng: Rng) -> None:
    """A text, and twice another way on from its middle, with other matrices."""
    D, T, more = sizes(rng, 3)
    P, x = rng.normal(size=(2, T + more, D))
    first, second = rng.normal(size=(2, 3, D, D)) / D**0.5
    ours = theirs = None
    for t in range(T):
        wanted, theirs = solution(x[t], theirs, P, *first)
        got, ours = answer(x[t].copy(), ours, P.copy(), *first.copy())
        expect_close(got, wanted, f"Token {t}, of width {D}, gets another answer.")
    for token in x[T : T + 2]:
        wanted = solution(token, theirs, P, *second)[0]
        got = answer(token.copy(), ours, P.copy(), *second.copy())[0]
        expect_close(got, wanted, f"A way to go on from the state after {T} tokens is wrong.")


def draft(answer: Callable[..., Any], solution: Callable[..., Any], rng: Rng) -> None:
    """Any guesses will do that are kept as often as asked, or nearly as often as the solution's."""
    for V in sizes(rng, 2, 6, 14):
        p = rng.dirichlet(np.full(V, 0.15), size=V) * ~np.eye(V, dtype=bool)  # no token twice
        p = (p + 1e-9) / (p + 1e-9).sum(axis=1, keepdims=True)
        text = np.zeros(int(rng.integers(400, 600)), int)
        for t in range(1, len(text)):
            text[t] = rng.choice(V, p=p[text[t - 1]])
        _guess(answer, text[:0], V)
        ours, theirs = _kept(answer, text, p), _kept(solution, text, p)
        enough = min(0.7, theirs - 0.05)
        told = f"Of {V} tokens, {ours:.2f} of the guesses are kept"
        expect(ours >= enough, f"{told}, and {enough:.2f} was asked for.")


def _kept(draft: Callable[..., Any], text: np.ndarray, p: np.ndarray) -> float:
    """How many of its guesses are kept, in the second half of a text with these chances."""
    half = range(len(text) // 2, len(text))
    guesses = np.array([_guess(draft, text[:t], len(p)) for t in half])
    return float(np.minimum(guesses, p[text[half.start - 1 : -1]]).sum(axis=1).mean())


def _guess(draft: Callable[..., Any], history: np.ndarray, V: int) -> np.ndarray:
    guess = expect_array(draft(history.copy(), V), (V,))
    proper = abs(guess.sum() - 1) < 1e-9 and (guess >= 0).all()
    expect(proper, f"After {len(history)} of {V} tokens the guess is no row of probabilities.")
    return guess


HAND = """\
A large model, the **target**, and a small one, the **draft**, give three tokens the probabilities

| token | 0 | 1 | 2 |
|---|---|---|---|
| target, $p$ | {} |
| draft, $q$ | {} |

The draft guesses one of them. A guess of token $x$ is *kept* with probability
$\\min(1, p_x / q_x)$; if it is not, another token is drawn from `rest`, which is
$\\max(p - q, 0)$ divided by its sum. Work out the three probabilities `kept`; how often a guess is
kept in all, `accepted`; and the three of `rest`.

Return kept, accepted, rest, in fractions: `2 / 3` rather than a rounded number."""


def draw_hand(rng: Rng) -> tuple[list[int], list[int]]:
    """Shares of the target and of the draft, out of the same whole, nowhere equal."""
    whole = int(rng.choice([8, 10, 12]))
    while True:
        p, q = (np.diff([0, *np.sort(rng.permutation(whole - 1)[:2] + 1), whole]) for _ in "pq")
        if (p != q).all():
            return p.tolist(), q.tolist()


def hand_text(p: list[int], q: list[int]) -> str:
    return HAND.format(*(" | ".join(f"{n}/{sum(row)}" for n in row) for row in (p, q)))


def hand(p: list[int], q: list[int]) -> tuple[Any, float, Any]:
    p, q = (np.array(row) / sum(row) for row in (p, q))
    kept, more = np.minimum(1, p / q), np.maximum(p - q, 0)
    return kept, float(q @ kept), more / more.sum()


ORDER = """\
Scores $z$ become probabilities. One rule {}. Beside it, use one of four others, before it or after
it:

- **top-k**: keep the {} likeliest tokens;
- **top-p**: keep the likeliest tokens that reach {} together;
- **min-p**: keep tokens at least {} times as likely as the likeliest;
- **repetition penalty**: scores of tokens that were written already, 0 and 3, are divided by {:g}
  if they are positive, and multiplied by {:g} if they are negative.

Are the probabilities the `"same"` in both orders, whatever the scores are, or are there scores,
all different, for which they are `"other"` ones? Return four words, in the order of this list."""

RULES: list[tuple[str, Callable[..., Any]]] = [  # the first is the book's
    ("is a temperature of 2: it divides all scores by 2", Temperature(2)),
    ("adds 1 to all scores", lambda z, history: z + 1),
    ("replaces each score by the logarithm of its token's probability",
     lambda z, history: z - np.log(np.exp(z).sum(axis=-1, keepdims=True))),
    ("takes the largest score off all scores",
     lambda z, history: z - z.max(axis=-1, keepdims=True)),
    ("keeps the 5 likeliest tokens", TopK(5)),
    ("keeps the likeliest tokens that reach 0.9 together", TopP(0.9)),
    ("keeps tokens at least 0.05 times as likely as the likeliest", MinP(0.05)),
    ("is a repetition penalty as in the list below, but of 3, for the tokens 0 and 3",
     RepetitionPenalty(3.0)),
    ("keeps scores in bounds: $z$ becomes $5 \\tanh(z / 5)$ (a token already ruled out stays out)",
     lambda z, history: np.where(z > -np.inf, 5 * np.tanh(z / 5), z)),
    ("adds 2 to the score of token 4", lambda z, history: z + 2 * (np.arange(9) == 4)),
]  # fmt: skip


def draw_order(rng: Rng) -> tuple[Any, ...]:
    """One rule of the list, and the numbers of the four others."""
    numbers = (rng.choice([0.6, 0.7, 0.8]), rng.choice([0.1, 0.2, 0.3]), rng.choice([1.5, 2.0]))
    return int(rng.integers(1, len(RULES))), int(rng.integers(2, 5)), *map(float, numbers)


def order_text(rule: int, *numbers: float) -> str:
    return ORDER.format(RULES[rule][0], *numbers, numbers[-1])


def order(rule: int, k: int, reach: float, least: float, penalty: float) -> list[str]:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(3000, 9)) * 10.0 ** rng.uniform(-2, 1, (3000, 1))  # even, or far apart
    history, words = np.tile([0, 3], (len(z), 1)), []
    for other in (TopK(k), TopP(reach), MinP(least), RepetitionPenalty(penalty)):
        orders = (other, RULES[rule][1]), (RULES[rule][1], other)
        one, two = (Sampler(*rules).probabilities(z, history) for rules in orders)
        words.append("same" if abs(one - two).max() < 1e-9 else "other")
    return words


VARIANTS = {
    "by_hand": Again(draw_hand, hand_text, hand, ([4, 3, 1], [2, 2, 4])),
    "loss": as_the_solution(loss),
    "step": step,
    "top_p": top_p,
    "order": Again(draw_order, order_text, order, (0, 3, 0.8, 0.2, 1.5)),
    "draft": draft,
}
