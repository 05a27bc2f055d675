"""The pieces of the experiment on universal transformers with experts, runs cut short."""

import numpy as np
import pytest

from minitx import Tensor
from minitx import functional as F
from minitx.experiments import language
from minitx.experiments.looped import moeut as it

VOCABULARY = 29


def model(name):
    return it.made(name, np.random.default_rng(0), VOCABULARY)


def ids(seed, batch=3):
    return np.random.default_rng(seed).integers(VOCABULARY, size=(batch, it.LENGTH))


def test_the_loss_of_experts_has_their_balance_in_it():
    found = model("MoEUT")
    plain, whole = it.loss(found, ids(0), ids(1))
    assert plain.item() == pytest.approx(F.cross_entropy(found(ids(0)), ids(1)).item(), rel=1e-6)
    assert whole.item() == pytest.approx(found.loss(ids(0), ids(1)).item(), rel=1e-6)
    layers = it.GROUP
    even = -layers * (0.01 * np.log(it.EXPERTS) + 2 * 0.001 * np.log(it.HEAD_EXPERTS))
    assert even - 1e-6 <= whole.item() - plain.item() < 0.9 * even
    for name in ("dense", "universal"):
        plain, whole = it.loss(model(name), ids(0), ids(1))
        assert whole is plain
    plain, whole = it.loss(model("MoEUT, no balance"), ids(0), ids(1))
    assert whole.item() == plain.item()


def test_all_have_the_same_multiplications_but_the_dense_one():
    work = {name: it.formula(name, VOCABULARY)[1] for name in ("dense", "MoEUT", "universal")}
    assert abs(work["universal"] / work["MoEUT"] - 1) < 0.01 < work["dense"] / work["MoEUT"] - 1


def test_everyone_is_all_experts_with_gates_of_one():
    index, gates, _ = it.Everyone(3)(Tensor(np.zeros((2, 5, 7))))
    assert index.shape == gates.shape == (2, 5, 1, 3) and index[1, 4, 0].tolist() == [0, 1, 2]
    assert F.min(gates).item() == F.max(gates).item() == 1


def test_usage_counts_every_choice(monkeypatch):
    text = language.Text(ids(0).ravel(), ids(1).ravel(), VOCABULARY)
    monkeypatch.setattr(language, "text", lambda: text)
    found = model("MoEUT")
    counts = it.usage(found, 12)
    assert counts.shape == (it.GROUP, it.LAYERS // it.GROUP, it.EXPERTS)
    assert (counts.sum(-1) == 12 * it.LENGTH * it.TOP).all()
    for block in found.depth.block.blocks:  # all scores alike: the same two are always taken
        weight = np.zeros((it.EXPERTS, it.D))
        block.sublayers[1].choose.score.weight.assign(weight)
    assert it.evenness(found, 12) == pytest.approx(np.log(it.TOP) / np.log(it.EXPERTS), abs=1e-6)
