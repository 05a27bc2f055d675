"""The three shapes of transformer: contracts of whole models."""

import numpy as np
import pytest

from minitx import Tensor, nn, no_grad
from minitx import functional as F
from minitx.block import Block
from minitx.channel_mixers import MLP, SigmaMoE
from minitx.connections import PeriNorm, PostNorm
from minitx.context import Context
from minitx.depth import AdaptiveLoop, Group, Stack
from minitx.models import (
    BiEncoder,
    Classifier,
    CrossEncoder,
    Decoder,
    Encoder,
    EncoderDecoder,
    MaskedLM,
    PolyEncoder,
    SentenceEmbedding,
    first_token,
    max_pool,
    mean_pool,
)
from minitx.positions import TransformerXL
from minitx.token_mixers import Causal, CrossAttention, SegmentMemory

V, D, H, L, N = 31, 12, 3, 2, 24


def ids(seed=0, batch=3, length=9):
    return np.random.default_rng(seed).integers(0, V, (batch, length))


def left_padded(rows):
    """Rows of different lengths as (ids, valid), the padding at the left."""
    longest = max(map(len, rows))
    padded, valid = np.zeros((len(rows), longest), np.int64), np.zeros((len(rows), longest), bool)
    for i, row in enumerate(rows):
        padded[i, longest - len(row) :], valid[i, longest - len(row) :] = row, True
    return padded, valid


def gap(a, b):
    return np.abs(np.asarray(a) - np.asarray(b)).max()


def lively(model, seed=9):
    """Larger weights, so that what happens is seen."""
    rng = np.random.default_rng(seed)
    for p in model.parameters():
        p.assign(0.3 * rng.normal(size=p.shape) + (p.numpy() == 1))
    return model


DECODERS = {
    "gpt": lambda: Decoder.gpt(V, D, H, L, N, rng=0),
    "gpt tied": lambda: Decoder.gpt(V, D, H, L, N, tied=True, rng=0),
    "llama": lambda: Decoder.llama(V, D, H, L, num_kv_heads=1, rng=0),
}
every_decoder = pytest.mark.parametrize("name", DECODERS)


@every_decoder
def test_decoders_predict_from_the_past_alone(name):
    model, x = lively(DECODERS[name]()), ids()
    y = model(x)
    assert y.shape == (3, 9, V) and y.dtype == np.float32
    changed = x.copy()
    changed[:, 5] = (changed[:, 5] + 1) % V
    other = model(changed).numpy()
    assert np.array_equal(y.numpy()[:, :5], other[:, :5])
    assert gap(y.numpy()[:, 5:], other[:, 5:]) > 1e-3


@every_decoder
def test_a_fresh_decoder_knows_nothing_and_all_of_it_learns(name):
    model, x = DECODERS[name](), ids(batch=50)
    loss = model.loss(x[:, :-1], x[:, 1:])
    assert abs(loss.item() - np.log(V) - 1 / 6) < 0.15  # logits of variance 1/3 at the start
    loss.backward()
    assert all(np.abs(p.grad.numpy()).max() > 0 for p in model.parameters())
    masked = np.zeros((50, 8), bool)
    masked[:, 3] = True
    only = model.loss(x[:, :-1], x[:, 1:], masked).item()
    assert abs(only - model.loss(x[:, :4], x[:, 1:5], masked[:, :4]).item()) < 1e-6


def leaves_losses(seed, cross=False):
    """A depth whose experts leave a balance, and whose loop leaves a price for its passes."""
    sublayers = [CrossAttention(D, H, rng=seed)] if cross else []
    block = Block(
        *sublayers,
        SigmaMoE(D, 5, 7, 3, balance=0.5, rng=seed),
        norm=lambda: nn.LayerNorm(D),
        connection=PeriNorm(),
    )
    loop = AdaptiveLoop(MLP(D, 11, rng=seed), D, 3, cost=0.5, rng=seed)
    return Stack([Group([block], 2), loop])


def test_what_parts_leave_is_added_to_the_loss():
    x, y, mask = ids(), ids(1), ids(2) % 2 == 0
    model = lively(Decoder(nn.Embedding(V, D, rng=0), leaves_losses(1), nn.LayerNorm(D), rng=2))
    ctx = Context.of(x)
    z = model.head(model.norm(model.depth(model.tokens(Tensor(x)), ctx)))
    assert [name for name, _ in ctx.losses] == ["balance", "ponder"]
    left = [value.item() for _, value in ctx.losses]
    assert min(map(abs, left)) > 0.1
    loss = model.loss(x, y, mask)
    assert loss.item() == pytest.approx(F.cross_entropy(z, y, mask=mask).item() + sum(left), 1e-5)
    plain = F.cross_entropy(model(x), y, mask=mask)
    assert loss.item() != plain.item()
    loss.backward()
    with_it = model.depth.blocks[1].stop.bias.grad.numpy()
    model.zero_grad()
    plain.backward()
    assert gap(with_it, model.depth.blocks[1].stop.bias.grad.numpy()) > 1e-3


def test_what_the_parts_of_an_encoder_decoder_leave_is_added_too():
    tokens, valid = nn.Embedding(V, D, rng=0), np.arange(7) < np.array([[7], [3], [5]])
    encoder = Encoder(tokens, Stack([MLP(D, 11, rng=1)]))
    model = lively(EncoderDecoder(encoder, tokens, leaves_losses(2, cross=True), rng=3))
    source, target = ids(0, 3, 7), ids(1, 3, 9)
    ctx = Context.of(target[:, :-1], source=model.encode(source, valid))
    z = model.head(model.depth(tokens(Tensor(target[:, :-1])), ctx))
    left = [value.item() for _, value in ctx.losses]
    assert len(left) == 2 and min(map(abs, left)) > 0.1
    expected = F.cross_entropy(z, target[:, 1:]).item() + sum(left)
    assert model.loss(source, target, valid).item() == pytest.approx(expected, 1e-5)


def test_what_the_parts_of_an_encoder_leave_is_added_too():
    x, y, mask = ids(), ids(1), ids(2) % 2 == 0
    encoder = Encoder(nn.Embedding(V, D, rng=0), leaves_losses(3))
    ctx = Context.of(x)
    encoder.depth(encoder.tokens(Tensor(x)), ctx)
    left = sum(value.item() for _, value in ctx.losses)
    assert abs(left) > 0.1
    words, classes = MaskedLM(encoder, rng=1), Classifier(encoder, 4, rng=2)
    plain = F.cross_entropy(words(x), y, mask=mask).item()
    assert words.loss(x, y, mask).item() == pytest.approx(plain + left, 1e-5)
    plain = F.cross_entropy(classes(x), y[:, 0] % 4).item()
    assert classes.loss(x, y[:, 0] % 4).item() == pytest.approx(plain + left, 1e-5)


def test_where_nothing_is_left_a_loss_is_the_cross_entropy_to_the_bit():
    x, y = ids(), ids(1)
    model = DECODERS["gpt"]()
    assert model.loss(x, y).item() == F.cross_entropy(model(x), y).item()
    both = EncoderDecoder.base(V, D, H, L, rng=0)
    assert both.loss(x, y).item() == F.cross_entropy(both(x, y[:, :-1]), y[:, 1:]).item()


@every_decoder
def test_left_padding_and_caches_change_no_logit(name):
    model = lively(DECODERS[name]()).eval()
    rows = [ids(i, 1, n)[0] for i, n in enumerate((7, 2, 5))]
    more = ids(8, 3, 6)
    with no_grad():
        logits, state = model.step(*_arguments(left_padded(rows), model))
        for t in range(6):
            for i, row in enumerate(rows):
                alone = model(np.concatenate([row, more[i, :t]])[None]).numpy()[0, -1]
                assert gap(logits[i, -1], alone) < 1e-5
            logits, state = model.step(more[:, t : t + 1], state)


def _arguments(padded, model):
    return padded[0], model.init_state(len(padded[0])), padded[1]


@every_decoder
def test_states_can_be_gone_back_to_and_rearranged(name):
    model, x = lively(DECODERS[name]()), ids()
    with no_grad():
        _, state = model.step(x[:, :4], model.init_state(3))
        first, _ = model.step(x[:, 4:5], state)
        again, _ = model.step(x[:, 4:5], state)
        assert np.array_equal(first.numpy(), again.numpy())
        order = [2, 2, 0]
        taken, _ = model.step(x[order, 4:5], state.take(order))
    assert gap(taken, first.numpy()[order]) < 1e-6


def test_one_state_may_be_carried_along():
    model, x = lively(DECODERS["gpt"]()), ids()
    with no_grad():
        state = model.init_state(3)
        parts = [model.hidden(x[:, part], None, state) for part in (slice(0, 4), slice(4, 9))]
    assert gap(np.concatenate([p.numpy() for p in parts], 1), model.hidden(x)) < 1e-5


def transformer_xl(memory, layers=3):
    def block(seed):
        position = TransformerXL(H, D // H, rng=seed)
        cross = CrossAttention(D, H, position=position, mask=Causal(), rng=seed)
        mlp = MLP(D, rng=seed)
        return Block(SegmentMemory(cross, memory), mlp, norm=lambda: nn.LayerNorm(D))

    depth = Stack([block(i) for i in range(layers)])
    return lively(Decoder(nn.Embedding(V, D, rng=0), depth, nn.LayerNorm(D), rng=0))


def by_segments(model, x, size):
    state, found = model.init_state(len(x)), []
    for start in range(0, x.shape[1], size):
        logits, state = model.step(x[:, start : start + size], state)
        found.append(logits)
    return found


def test_segments_with_enough_memory_are_one_causal_pass():
    x = ids(length=14)
    model = transformer_xl(14)
    whole, parts = model(x).numpy(), by_segments(model, x, 5)
    assert gap(np.concatenate([p.numpy() for p in parts], 1), whole) < 1e-5
    parts[2].sum().backward()
    assert np.abs(model.tokens.weight.grad.numpy()).max() > 0
    changed = x.copy()
    changed[:, 0] = (changed[:, 0] + 1) % V
    short = transformer_xl(1)  # each of three layers hears one token further back than a segment
    old, new = by_segments(short, x, 2)[-1].numpy(), by_segments(short, changed, 2)[-1].numpy()
    assert gap(old, new) == 0
    assert gap(whole[:, -1], model(changed).numpy()[:, -1]) > 1e-5


def test_tied_heads_are_one_tensor():
    tied, loose = DECODERS["gpt tied"](), DECODERS["gpt"]()
    assert len(loose.parameters()) == len(tied.parameters()) + 1
    assert tied.head.weight is tied.tokens.weight


@every_decoder
def test_same_seed_same_bits_and_state_round_trip(name):
    one, two = DECODERS[name](), DECODERS[name]()
    assert np.array_equal(one(ids()).numpy(), two(ids()).numpy())
    state = lively(one).state_dict()
    two.load_state_dict(state)
    assert np.array_equal(one(ids()).numpy(), two(ids()).numpy())


def test_bad_input_is_named():
    model = DECODERS["gpt"]()
    with pytest.raises(ValueError, match="positions 0 to 23, got 0 to 24"):
        model(ids(length=25))
    with pytest.raises(ValueError, match=r"T of at least 1, got shape \(3, 0\)"):
        model(ids(length=0))
    with pytest.raises(ValueError, match=r"ids \(B, T\)"):
        model(ids()[0])
    with pytest.raises(TypeError, match="integer ids, got float"):
        model(np.ones((2, 3)))
    with pytest.raises(IndexError, match="ids from 0 to 30, got 0 to 31"):
        model(np.array([[0, 31]]))
    with pytest.raises(ValueError, match=r"shape \(3, 9\).*got bool \(3, 8\)"):
        model(ids(), np.ones((3, 8), bool))
    with pytest.raises(ValueError, match="divide d_model 12, got 5"):
        Decoder.gpt(V, D, 5, L, N)
    _, state = model.step(ids(length=20), model.init_state(3))
    with pytest.raises(ValueError, match="positions 0 to 23, got 20 to 24"):
        model.step(ids(length=5), state)


def test_a_row_of_padding_alone_harms_nobody():
    for model in (lively(DECODERS["gpt"]()), lively(Encoder.bert(V, D, H, L, N, rng=0))):
        valid = np.array([[True] * 9, [False] * 9, [True] * 9])
        y = model(ids(), valid).numpy()
        assert np.isfinite(y).all()
        assert gap(y[[0, 2]], model(ids()[[0, 2]])) < 1e-5


# ------------------------------------------------------------------------------------- encoder


def bert(seed=0):
    return lively(Encoder.bert(V, D, H, L, N, rng=0), seed)


def test_encoders_hear_both_sides_but_no_padding():
    model, x = bert(), ids()
    y = model(x).numpy()
    changed = x.copy()
    changed[0, 8] = (changed[0, 8] + 1) % V
    assert gap(model(changed).numpy()[0, 0], y[0, 0]) > 1e-3
    valid = np.arange(9) < np.array([[9], [4], [6]])
    short = model(np.where(valid, x, 0), valid).numpy()
    assert gap(short[1, :4], model(x[1:2, :4])[0]) < 1e-5
    segments = np.ones_like(x)
    assert gap(model(x, segments=segments), y) > 1e-3
    assert gap(model(x, segments=0 * segments), y) == 0


def test_masked_lm_learns_through_its_tied_head():
    model, x = MaskedLM(bert(), rng=0), ids()
    assert model(x).shape == (3, 9, V)
    mask = np.zeros(x.shape, bool)
    mask[:, 4] = True
    model.loss(np.where(mask, 0, x), x, mask).backward()
    assert all(np.abs(p.grad.numpy()).max() > 0 for p in model.parameters())


def test_pooling():
    x = Tensor(np.random.default_rng(0).normal(size=(2, 5, 3)))
    valid = np.array([[True, True, True, False, False], [False, False, True, True, False]])
    a = x.numpy()
    assert gap(mean_pool(x, valid), [a[0, :3].mean(0), a[1, 2:4].mean(0)]) < 1e-6
    assert gap(max_pool(x, valid), [a[0, :3].max(0), a[1, 2:4].max(0)]) == 0
    assert gap(first_token(x, valid), [a[0, 0], a[1, 2]]) == 0
    assert gap(mean_pool(x), a.mean(1)) < 1e-6 and gap(first_token(x), a[:, 0]) == 0


def test_sentence_embeddings_are_unit_vectors_blind_to_padding():
    model, x = SentenceEmbedding(bert()), ids()
    valid = np.arange(9) < np.array([[9], [4], [6]])
    e = model(x, valid).numpy()
    assert gap(np.linalg.norm(e, axis=1), 1) < 1e-6
    assert gap(e[1], model(x[1:2, :4])[0]) < 1e-5


def test_classifier():
    model = Classifier(bert(), 5, rng=0)
    assert model(ids()).shape == (3, 5)
    model.loss(ids(), np.array([0, 4, 2])).backward()
    assert np.abs(model.pooler.weight.grad.numpy()).max() > 0


# ----------------------------------------------------------------------------- encoder-decoder


@pytest.mark.parametrize("connection", [None, PostNorm])
def test_encoder_decoder(connection):
    extra = {} if connection is None else {"connection": connection}
    model = lively(EncoderDecoder.base(V, D, H, L, rng=0, **extra))
    source, target = ids(0, 3, 7), ids(1, 3, 9)
    valid = np.arange(7) < np.array([[7], [3], [5]])
    y = model(source, target, valid).numpy()
    assert y.shape == (3, 9, V)
    assert gap(y[1], model(source[1:2, :3], target[1:2])[0]) < 1e-5
    changed = target.copy()
    changed[:, 4] = (changed[:, 4] + 1) % V
    other = model(source, changed, valid).numpy()
    assert np.array_equal(y[:, :4], other[:, :4]) and gap(y[:, 4:], other[:, 4:]) > 1e-3
    changed = source.copy()
    changed[0, 6] = (changed[0, 6] + 1) % V
    assert gap(model(changed, target, valid).numpy()[0, 0], y[0, 0]) > 1e-4
    with no_grad():
        state, found = model.init_state(source, valid), []
        for part in (slice(0, 2), slice(2, 3), slice(3, 9)):
            logits, state = model.step(target[:, part], state)
            found.append(logits.numpy())
        assert gap(np.concatenate(found, 1), y) < 1e-5
        taken = model.init_state(source, valid)
        _, taken = model.step(target[:, :2], taken)
        logits, _ = model.step(target[[1, 1], 2:3], taken.take([1, 1]))
    assert gap(logits[:, 0], y[[1, 1], 2]) < 1e-5
    model.loss(source, target, valid).backward()
    assert all(np.abs(p.grad.numpy()).max() > 0 for p in model.parameters())


# ------------------------------------------------------------------------------------- scoring


def test_a_poly_encoder_of_one_code_is_a_bi_encoder_that_pools_by_attention():
    poly = PolyEncoder(bert(1), bert(2), 1, rng=0)
    contexts, candidates = poly.contexts(ids(0)), poly.candidates(ids(1, 5))
    assert contexts.shape == (3, 1, D)
    expected = contexts.numpy()[:, 0] @ candidates.numpy().T
    assert gap(poly.score(contexts, candidates), expected) < 1e-4


def test_poly_scores_by_loop_and_one_candidate_at_a_time():
    poly = PolyEncoder(bert(1), bert(2), 4, rng=0)
    valid = np.arange(9) < np.array([[9], [4], [6]])
    hidden = poly.context_encoder(ids(0), valid).numpy()
    contexts, candidates = poly.contexts(ids(0), valid), poly.candidates(ids(1, 5))
    scores = poly.score(contexts, candidates).numpy()
    assert contexts.shape == (3, 4, D) and scores.shape == (3, 5)
    softmax = lambda s: np.exp(s - s.max()) / np.exp(s - s.max()).sum()  # noqa: E731
    for b in range(3):
        h = hidden[b, : valid[b].sum()]
        y = np.stack([softmax(code @ h.T) @ h for code in poly.codes.numpy()])
        for c, candidate in enumerate(candidates.numpy()):
            expected = candidate @ (softmax(y @ candidate) @ y)
            assert abs(scores[b, c] - expected) < 1e-4 * max(1, abs(expected))
    one = poly.score(contexts, candidates[2:3])
    assert gap(one[:, 0], scores[:, 2]) < 1e-4


def test_scorers_learn():
    bi = BiEncoder(bert(1), bert(2))
    assert bi.score(bi.contexts(ids(0)), bi.candidates(ids(1, 5))).shape == (3, 5)
    poly, cross = PolyEncoder(bert(1), bert(2), 4, rng=0), CrossEncoder(bert(3), rng=0)
    for model in (bi, poly):
        model.loss(ids(0), ids(1)).backward()
    assert np.abs(poly.codes.grad.numpy()).max() > 0
    together = np.stack([ids(i, 4, 6) for i in range(3)])
    assert cross(together[0]).shape == (4,)
    loss = cross.loss(together)
    scores = np.stack([cross(part).numpy() for part in together])
    expected = np.log(np.exp(scores - scores[:, :1]).sum(1)).mean()
    assert abs(loss.item() - expected) < 1e-4
