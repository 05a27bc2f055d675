"""The pieces of the experiments on the delta rule, on channels and on folded norms."""

import numpy as np
import pytest

from minitx import Tensor, no_grad
from minitx import functional as F
from minitx.experiments.linear import deltanet, slab, xcit
from minitx.token_mixers import LocalPatchInteraction


def test_a_question_is_about_the_last_write():
    keys, values, answers = deltanet.questions(9, np.random.default_rng(0))
    for row in range(9):
        table = {}
        for key, value in zip(keys[row], values[row], strict=True):
            if value < deltanet.VALUES:
                table[key] = value
        asked = keys[row, deltanet.WRITES :]
        assert len(table) == deltanet.NAMES == len(set(asked))
        assert [table[key] for key in asked] == answers[row].tolist()


def test_the_loop_that_is_raced_is_the_delta_rule():
    args = deltanet.arguments(37, heads=1, d_head=11)
    found = deltanet.loop(*(x.numpy()[0, 0] for x in args))
    np.testing.assert_allclose(found, F.delta_rule(*args).numpy()[0, 0], atol=1e-5)
    assert deltanet.times_faster(64, 16) > 0


def test_recall_starts_at_chance():
    assert abs(deltanet.recall_accuracy("linear", steps=10) - 1 / deltanet.VALUES) < 0.1


def test_the_plain_sum_answers_with_both_values():
    found = deltanet.overwriting(seed=5, d_head=7)
    assert found["delta rule"] < 1e-5 and found["sum"] > 0.5


@pytest.mark.parametrize("kind", xcit.MODELS)
def test_the_racers_read_digits_and_only_one_lacks_the_local_part(kind):
    model = xcit.MODELS[kind](np.random.default_rng(0))
    local = [part for part in model.modules() if isinstance(part, LocalPatchInteraction)]
    assert len(local) == (xcit.LAYERS if kind == "XCiT" else 0)
    images = Tensor(np.random.default_rng(1).random((3, 8, 8, 1)))
    loss = model.loss(images, np.array([0, 7, 9]))
    loss.backward()
    assert abs(loss.item() - np.log(10)) < 1.5
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_products_of_softmax_attention_grow_with_the_square():
    mixer = xcit.MultiHeadAttention(xcit.D, 1, rng=0)
    a, b = (xcit.products(mixer, n) for n in (512, 1024))
    assert 3.3 < b / a < 4


def test_the_norms_race_in_one_model_and_the_folded_one_has_none():
    rng = np.random.default_rng(0)
    counts = {kind: slab.norms_in(slab.classifier(norm, rng)) for kind, norm in slab.NORMS.items()}
    each = 2 * slab.LAYERS + 1
    assert counts == {"layer": each, "progressive": 2 * each, "batch": each}
    model = slab.classifier(slab.NORMS["progressive"], rng).eval()
    bare, images = slab.folded(model), np.random.default_rng(1).random((4, 8, 8, 1))
    with no_grad():
        np.testing.assert_allclose(bare(images).numpy(), model(images).numpy(), atol=1e-4)
    assert slab.norms_in(bare) == 0


def test_the_matrix_of_a_head_has_the_rank_of_its_width():
    assert slab.ranks(side=5, d_head=4) == {"alone": 4, "with convolution": 25}
