"""Descent, features and Newton's iteration, written as layers, beside plain NumPy."""

import numpy as np
import pytest

from minitx import Tensor
from minitx.context import Context
from minitx.data import LinearRegression, NormalPrior, Perceptron, questions
from minitx.data import RepresentationRegression as Representation
from minitx.depth import Loop, PreLoopPost, Stack
from minitx.programs.regression import (
    Fields,
    answer,
    descent_layer,
    newton_answer,
    newton_body,
    newton_tokens,
    perceptron_layers,
)

N, D = 16, 3  # a sixteenth is exact in float32, too
RNG = np.random.default_rng


def prompts(seed=0, batch=2):
    return LinearRegression(NormalPrior(D), N, dtype=np.float64).sample(batch, RNG(seed))


def test_a_layer_is_a_step_of_descent_with_a_matrix_of_any_kind():
    drawn, step = prompts(), RNG(1).standard_normal((D, D)).astype(np.float32)
    tokens, heard, _ = questions(drawn, 1)
    x = Tensor(tokens, dtype=np.float64)
    layer = Stack([descent_layer(Fields(x=D, r=1), 0.3 * step, N), answer(Fields(x=D, r=1))])
    found = layer.to(np.float64)(x, Context.of(x, valid=heard)).numpy()[:, -1, -1]
    push = np.einsum("bnd,bn->bd", drawn.x[:, :-1], drawn.y[:, :-1]) / N
    want = np.einsum("bd,de,be->b", drawn.x[:, -1], 0.3 * step, push)
    assert np.abs(found - want).max() < 1e-6
    with pytest.raises(ValueError, match=r"expected a step \(3, 3\), got \(2, 2\)"):
        descent_layer(Fields(x=D, r=1), np.eye(2), N)


def test_the_question_is_not_heard():
    drawn, layer = prompts(), Loop(descent_layer(Fields(x=D, r=1), np.eye(D), N), 2)
    tokens, heard, _ = questions(drawn, 1)
    x = Tensor(tokens)
    before = layer(x, Context.of(x, valid=heard)).numpy()
    tokens[:, -1] = 7.0
    x = Tensor(tokens)
    after = layer(x, Context.of(x, valid=heard)).numpy()
    assert np.array_equal(before[:, :-1], after[:, :-1])


def test_hidden_units_are_the_perceptron():
    features = Perceptron((D, 7, 5), RNG(2), slope=0.2)
    fields = Fields(x=D, h1=7, f=5, r=1)
    x = RNG(3).standard_normal((2, 4, D))
    tokens = np.pad(x, [(0, 0), (0, 0), (0, fields.width - D)])
    names = ("x", "h1", "f")
    layers = perceptron_layers(fields, names, features.weights, features.slope)
    found = layers(Tensor(tokens)).numpy()[..., fields["f"]]
    assert np.abs(found - features(x)).max() < 1e-6
    assert [len(features.weights), *features(x).shape] == [2, 2, 4, 5]


def test_newton_in_the_loop_ends_at_least_squares():
    drawn = prompts(4)
    x, heard, fields = newton_tokens(drawn.x, drawn.y, 0.4)
    model = PreLoopPost(Stack([]), newton_body(fields, N), newton_answer(fields, N), 12)
    said = model.to(np.float64)(x, Context.of(x, valid=heard)).numpy()[:, -1, fields["r"]][:, 0]
    assert np.abs(said - drawn.y[:, -1]).max() < 1e-10


def test_representation_regression_is_linear_in_its_features():
    features = Perceptron((D, 7, 5), RNG(5))
    drawn = Representation(features, 11, np.float64).sample(2, RNG(6))
    assert drawn.x.shape == (2, 12, D)
    assert drawn.w.shape == (2, 5)
    assert np.abs(np.einsum("bnk,bk->bn", features(drawn.x), drawn.w) - drawn.y).max() < 1e-12
    for weight in features.weights:
        assert np.abs(np.linalg.svd(weight, compute_uv=False) - 1).max() < 1e-12
    with pytest.raises(ValueError, match="at least two widths"):
        Perceptron((3,), RNG(0))


def test_questions_hide_their_answers_and_are_not_heard():
    drawn = prompts(7)
    tokens, heard, answers = questions(drawn, 4)
    assert np.array_equal(tokens[:, :-4, -1], drawn.y[:, :-4])
    assert not tokens[:, -4:, -1].any()
    assert heard.sum() == 2 * (N - 3)
    assert np.array_equal(answers, drawn.y[:, -4:])
