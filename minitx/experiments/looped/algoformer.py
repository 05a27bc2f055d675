"""Prepare, loop, answer: features by hidden units, a regression on them by a loop, the prediction.

The answers are linear in features of x that a fixed perceptron makes. The whole is written by hand
first, with gradient descent in the loop and with Newton's iteration; then a small one is trained.
"""

import numpy as np

from minitx import Tensor, nn, no_grad
from minitx import functional as F
from minitx.block import Block
from minitx.channel_mixers.mlp import MLP
from minitx.context import Context
from minitx.data.in_context import Prompts
from minitx.data.representation import Perceptron, RepresentationRegression, questions
from minitx.depth.pre_loop_post import PreLoopPost
from minitx.depth.stack import Stack
from minitx.experiments import part
from minitx.nn.module import Module
from minitx.programs.regression import (
    Fields,
    answer,
    descent_layer,
    newton_answer,
    newton_body,
    newton_tokens,
    perceptron_layers,
)
from minitx.token_mixers.linear_attention import LinearAttention, Readout
from minitx.training.adam import Adam
from minitx.training.clipping import clip_norm
from minitx.training.schedules import warm_up_cosine

D, HIDDEN, FEATURES, EXAMPLES = 4, 11, 8, 32
Rng = np.random.Generator


def written(features: Perceptron, step: float, times: int) -> tuple[PreLoopPost, Fields]:
    """Perceptron, descent with this step, answer; the fields are x, h1, ..., f, and r."""
    d, *inner, k = features.widths
    hidden = {f"h{i}": width for i, width in enumerate(inner, 1)}
    fields = Fields(x=d, **hidden, f=k, r=1)
    pre = perceptron_layers(fields, ["x", *hidden, "f"], features.weights, features.slope)
    body = descent_layer(fields, step * np.eye(k), EXAMPLES, x="f")
    return PreLoopPost(pre, body, answer(fields), times), fields


def written_without(step: float, times: int) -> tuple[PreLoopPost, Fields]:
    """The same loop on x itself: nothing is prepared."""
    fields = Fields(x=D, r=1)
    body = descent_layer(fields, step * np.eye(D), EXAMPLES)
    return PreLoopPost(Stack([]), body, answer(fields), times), fields


def predictions(model: PreLoopPost, fields: Fields, prompts: Prompts, times: int) -> np.ndarray:
    """What the model says of the question after 1 ... times passes, (times, B)."""
    batch, pairs, _ = prompts.x.shape
    tokens = np.zeros((batch, pairs, fields.width), prompts.x.dtype)
    tokens[..., fields["x"]] = prompts.x
    tokens[:, :-1, fields["r"]] = prompts.y[:, :-1, None]
    heard = np.broadcast_to(np.arange(pairs) < pairs - 1, (batch, pairs))
    x = Tensor(tokens, dtype=tokens.dtype)
    with no_grad():
        passes = model.passes(x, Context.of(x, valid=heard), times)
        return np.array([y.numpy()[:, -1, fields["r"]][:, 0] for y in passes])


def descent(x: np.ndarray, prompts: Prompts, step: float, times: int) -> np.ndarray:
    """Gradient descent on features x (B, N, k), the long way: predictions (times, B)."""
    w, said = np.zeros((len(x), x.shape[-1])), []
    examples, question = x[:, :-1], x[:, -1]
    for _ in range(times):
        rest = prompts.y[:, :-1] - np.einsum("bnk,bk->bn", examples, w)
        w = w + step * np.einsum("bnk,bn->bk", examples, rest) / examples.shape[1]
        said.append(np.einsum("bk,bk->b", w, question))
    return np.array(said)


def least_squares(x: np.ndarray, prompts: Prompts) -> np.ndarray:
    """What the best linear fit to each prompt's examples says of its question, (B,)."""
    fits = [np.linalg.lstsq(a, b, rcond=None)[0] for a, b in zip(x[:, :-1], prompts.y[:, :-1])]
    return np.einsum("bk,bk->b", np.array(fits), x[:, -1])


def source(seed: int, dtype: type = np.float32) -> RepresentationRegression:
    """The prompts of this page: one perceptron for all of them."""
    features = Perceptron((D, HIDDEN, FEATURES), np.random.default_rng([seed, 1]), gain=1.5)
    return RepresentationRegression(features, EXAMPLES, dtype)


@part(1)
def follows_descent(seed: int = 0) -> float:
    """Predictions after 1 ... 20 passes beside descent on the features, in float32."""
    task = source(seed)
    prompts = task.sample(64, np.random.default_rng([seed, 2]))
    said = predictions(*written(task.features, 1.0, 20), prompts, 20)
    return float(np.abs(said - descent(task.features(prompts.x), prompts, 1.0, 20)).max())


def conditioned(number: float, batch: int, rng: Rng) -> Prompts:
    """Prompts of which S = (1/n) sum_i x_i x_i^T has eigenvalues from 1 down to 1 / number."""
    spectrum = np.geomspace(1, 1 / number, FEATURES)
    left = np.linalg.qr(rng.standard_normal((batch, EXAMPLES, FEATURES)))[0]
    right = np.linalg.qr(rng.standard_normal((batch, FEATURES, FEATURES)))[0]
    x = left * np.sqrt(EXAMPLES * spectrum) @ right
    x = np.concatenate([x, rng.standard_normal((batch, 1, FEATURES))], axis=1)  # and a question
    w = rng.standard_normal((batch, FEATURES))
    return Prompts(x, np.einsum("bnk,bk->bn", x, w), w)


def newton_errors(prompts: Prompts, scale: float, times: int) -> np.ndarray:
    """|I - M_t S| (the largest singular value) after 0 ... times passes, (times + 1, B)."""
    tokens, heard, fields = newton_tokens(prompts.x, prompts.y, scale)
    body = newton_body(fields, EXAMPLES)
    model = PreLoopPost(Stack([]), body, newton_answer(fields, EXAMPLES), times).to(np.float64)
    with no_grad():
        states = [tokens, *model.states(tokens, Context.of(tokens, valid=heard), times)]
    examples = prompts.x[:, :-1]
    moment = np.einsum("bnk,bnl->bkl", examples, examples) / EXAMPLES
    inverse = np.array([state.numpy()[:, :FEATURES, fields["m"]] for state in states])
    return np.linalg.norm(np.eye(FEATURES) - inverse @ moment, ord=2, axis=(-2, -1))


@part(2)
def newton_squares(seed: int = 0) -> dict[str, float]:
    """Condition number 20; both begin at M = I and w = 0, with the largest eigenvalue 1."""
    prompts = conditioned(20, 32, np.random.default_rng([seed, 3]))
    errors = newton_errors(prompts, 1.0, 10)
    large = errors[:-1] > 1e-5  # below, rounding is in it
    squared = np.abs(errors[1:] / errors[:-1] ** 2 - 1)[large].max()
    x, eye = prompts.x[:, :-1], np.eye(FEATURES)
    moment = np.einsum("bnk,bnl->bkl", x, x) / EXAMPLES
    inverse, steps = eye, 0
    while np.linalg.norm(eye - inverse @ moment, ord=2, axis=(-2, -1)).max() >= 1e-4:
        inverse, steps = inverse + (eye - inverse @ moment), steps + 1
    return {
        "squared": float(squared),
        "Newton": float(np.argmax(errors.max(1) < 1e-4)),
        "descent": float(steps),
    }


@part(3)
def needs_its_features(seed: int = 0) -> dict[str, float]:
    """The hand-written loop with and without the perceptron before it, after 100 passes."""
    task = source(seed, np.float64)
    prompts = task.sample(300, np.random.default_rng([seed, 4]))
    with_them = predictions(*written(task.features, 0.7, 100), prompts, 100)[-1]
    without = predictions(*written_without(0.5, 100), prompts, 100)[-1]
    best = least_squares(prompts.x, prompts)
    wrong = [np.mean((said - prompts.y[:, -1]) ** 2) for said in (with_them, without, best)]
    return {"ratio": wrong[1] / wrong[0], "beside the best line": abs(wrong[1] / wrong[2] - 1)}


# ------------------------------------------------------------------------------- 4: trained

D_MODEL, LOOPS, FEW, ASKED, STEPS = 24, 8, 16, 8, 1500


class Mean(Readout):
    """What is told is divided by the number of examples."""

    def values(self, v: Tensor) -> Tensor:
        return v / FEW


class Learner(Module):
    """Pairs in, predictions out, with two layers of hidden units before the loop, or none."""

    def __init__(self, prepared: bool, rng: Rng):
        layers = [self._block(MLP(D_MODEL, 32, "relu", rng=rng)) for _ in range(2 * prepared)]
        attention = LinearAttention(
            D_MODEL, 2, feature_map=lambda x: x, readout=Mean(), bias=False, rng=rng
        )
        self.read = nn.Linear(D + 1, D_MODEL, rng=rng)
        self.depth = PreLoopPost(Stack(layers), self._block(attention), Stack([]), LOOPS)
        self.write = nn.Linear(D_MODEL, 1, rng=rng)

    @staticmethod
    def _block(sublayer: Module) -> Block:
        return Block(sublayer, norm=lambda: nn.LayerNorm(D_MODEL))

    def forward(self, tokens: np.ndarray, heard: np.ndarray) -> list[Tensor]:
        """What is said of the questions after each pass, (B, ASKED)."""
        x = self.read(Tensor(tokens))
        passes = self.depth.passes(x, Context.of(x, valid=heard))
        return [self.write(y[:, -ASKED:])[..., 0] for y in passes]


def trained(prepared: bool, seed: int) -> Learner:
    """Adam on fresh prompts; the loss is averaged over the last half of the passes."""
    rng = np.random.default_rng([seed, 5])
    task = RepresentationRegression(source(seed).features, FEW + ASKED - 1)
    learner = Learner(prepared, rng)
    optimiser, schedule = Adam(learner.parameters(), lr=2e-3), warm_up_cosine(100, STEPS)
    for step in range(STEPS):
        tokens, heard, answers = questions(task.sample(64, rng), ASKED)
        optimiser.zero_grad()
        said = F.stack(learner(tokens, heard)[-LOOPS // 2 :])
        F.mean(F.square(said - answers)).backward()
        clip_norm(optimiser.parameters(), 1.0)
        optimiser.step(schedule(step))
    return learner


@part(4)
def preparation_is_learnt(seed: int = 0) -> dict[str, float]:
    """Mean squared error on 2,000 new prompts after the last pass, with the layers and without."""
    task = RepresentationRegression(source(seed).features, FEW + ASKED - 1)
    tokens, heard, answers = questions(task.sample(2000, np.random.default_rng([seed, 6])), ASKED)
    wrong = []
    for prepared in (False, True):
        learner = trained(prepared, seed)
        with no_grad():
            wrong.append(float(np.mean((learner(tokens, heard)[-1].numpy() - answers) ** 2)))
    return {"ratio": wrong[0] / wrong[1], "with": wrong[1] / float(np.var(answers))}
