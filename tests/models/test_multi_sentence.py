"""A pivot and its candidates: the heads, and what follows from reading them in one text."""

import numpy as np
import pytest

from minitx.models import CrossEncoder, Encoder
from minitx.models.multi_sentence import (
    BesidePivot,
    EachCandidate,
    MultiSentence,
    PivotAlone,
    SumOfAll,
)

B, K, M, D, V = 2, 3, 5, 6, 17
RNG = np.random.default_rng(0)
IDS = RNG.integers(V, size=(B, K + 1, M))


def encoder(k=K):
    return Encoder.bert(V, D, 2, 2, (k + 1) * M, num_segments=k + 1, rng=0).to(np.float64)


def judged(head, vectors):
    hidden = np.tanh(vectors @ head.hidden.weight.numpy().T + head.hidden.bias.numpy())
    return hidden @ head.out.weight.numpy().T + head.out.bias.numpy()


@pytest.mark.parametrize("kind", [EachCandidate, BesidePivot, PivotAlone, SumOfAll])
def test_heads_by_hand(kind):
    head = kind(D, 7, rng=1).to(np.float64)
    model = MultiSentence(encoder(), head)
    h = model.encoder(
        IDS.reshape(B, -1), segments=np.repeat(np.arange(K + 1), M)[None].repeat(B, 0)
    ).numpy()[:, ::M]
    expected = {
        EachCandidate: lambda: np.stack([judged(head, h[:, i]) for i in (1, 2, 3)], 1),
        BesidePivot: lambda: np.stack(
            [judged(head, np.concatenate([h[:, 0], h[:, i]], -1)) for i in (1, 2, 3)], 1
        ),
        PivotAlone: lambda: judged(head, h[:, 0]),
        SumOfAll: lambda: judged(head, h.sum(1)),
    }[kind]()
    np.testing.assert_allclose(model(IDS).numpy(), expected, atol=1e-12)


def test_candidates_in_another_order_with_their_places_give_logits_in_that_order():
    model = MultiSentence(encoder(), BesidePivot(D, 1, rng=1).to(np.float64))
    before, order = model(IDS).numpy(), np.array([2, 0, 1])
    whole = np.concatenate([[0], 1 + order])
    shuffled = model(IDS[:, whole]).numpy()
    assert np.abs(shuffled - before[:, order]).max() > 1e-4  # the place of a sentence matters
    places = (whole[:, None] * M + np.arange(M)).ravel()
    (position,) = [p for n, p in model.encoder.named_parameters() if n.startswith("position")]
    position.assign(position.numpy()[places])
    model.encoder.segments.weight.assign(model.encoder.segments.weight.numpy()[whole])
    np.testing.assert_allclose(model(IDS[:, whole]).numpy(), before[:, order], atol=1e-12)


def test_every_sentence_is_heard():
    model = MultiSentence(encoder(), EachCandidate(D, 1, rng=1).to(np.float64))
    before = model(IDS).numpy()
    for sentence in range(K + 1):
        other = IDS.copy()
        other[:, sentence, 3] = (other[:, sentence, 3] + 1) % V
        assert (np.abs(model(other).numpy() - before) > 1e-9).all()


def test_one_candidate_is_a_cross_encoder():
    cross = CrossEncoder(encoder(1), rng=2).to(np.float64)
    ids = IDS[:, :2]
    model = MultiSentence(cross.encoder, lambda sentences: cross.head(sentences[:, 0]))
    segments = np.repeat(np.arange(2), M)[None].repeat(B, 0)
    expected = cross(ids.reshape(B, -1), segments=segments).numpy()
    np.testing.assert_allclose(model(ids).numpy()[:, 0], expected, atol=1e-12)


def test_the_loss_by_loop():
    model = MultiSentence(encoder(), BesidePivot(D, 1, rng=1).to(np.float64))
    labels, logits = RNG.random((B, K)) < 0.5, model(IDS).numpy()[..., 0]
    p = 1 / (1 + np.exp(-logits))
    expected = -np.log(np.where(labels, p, 1 - p)).mean()
    assert model.loss(IDS, labels).item() == pytest.approx(expected, abs=1e-12)
