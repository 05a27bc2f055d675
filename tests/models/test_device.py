"""Models and slots on the strict stand-in array: nothing leaves its device unasked."""

import numpy as np
import pytest

from minitx import Tensor, nn, no_grad
from minitx.autograd.tensor import wrap
from minitx.context import Context
from minitx.models import Decoder, Encoder, EncoderDecoder, MaskedLM, PolyEncoder, SentenceEmbedding
from minitx.positions import (
    URPE,
    ALiBi,
    Learned,
    Rotary,
    Shaw,
    Sinusoidal,
    T5Bias,
    TransformerXL,
)
from minitx.token_mixers import Causal, MultiHeadAttention, Prefix, QKNorm, SinkSoftmax, SoftCap

V, D, H, L, N, B, T = 19, 12, 3, 2, 16, 2, 5


def on_device(standin, array):
    return wrap(standin.array(array), None)


def ids(length=T, seed=0):
    return np.random.default_rng(seed).integers(0, V, (B, length))


HOOKS = {
    "none": list,
    "rotary": lambda: [Rotary(4)],
    "alibi": lambda: [ALiBi(H)],
    "t5": lambda: [T5Bias(H, 8, 20, rng=0)],
    "shaw": lambda: [Shaw(4, 2, rng=0)],
    "xl": lambda: [TransformerXL(H, 4, rng=0)],
    "urpe": lambda: [URPE(N, H)],
    "others": lambda: [QKNorm(lambda: nn.RMSNorm(4)), SoftCap(3.0)],
}


@pytest.mark.parametrize("name", HOOKS)
def test_attention(standin, name):
    def run(convert, place):
        mixer = MultiHeadAttention(D, H, 1, hooks=HOOKS[name](), mask=Causal(), rng=0)
        mixer = convert(mixer)
        x = place(np.random.default_rng(0).normal(size=(B, T, D)).astype(np.float32))
        y = mixer(x, Context.of(x, valid=place(np.arange(T) < np.array([[T], [3]])).data))
        y.sum().backward()
        return [y.numpy(), *(p.grad.numpy() for p in mixer.parameters() if p.grad is not None)]

    here = run(lambda m: m, Tensor)
    there = run(standin.convert, lambda a: on_device(standin, a))
    assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(here, there, strict=True))


@pytest.mark.parametrize("options", [{"normalise": SinkSoftmax(H)}, {"mask": Prefix(2)}])
def test_other_options(standin, options):
    mixer = standin.convert(MultiHeadAttention(D, H, rng=0, **options))
    x = on_device(standin, np.ones((B, T, D), np.float32))
    assert isinstance(mixer(x).data, standin.Array)


def test_positions_at_the_input(standin):
    x = on_device(standin, np.ones((B, T, D), np.float32))
    for position in (Sinusoidal(D), standin.convert(Learned(N, D, rng=0))):
        assert isinstance(position.input(x, Context.of(x).coords).data, standin.Array)


@pytest.mark.parametrize("make", [
    lambda: Decoder.gpt(V, D, H, L, N, rng=0),
    lambda: Decoder.llama(V, D, H, L, 1, rng=0),
])  # fmt: skip
def test_decoders_train_and_run_step_by_step(standin, make):
    model, here = standin.convert(make()), make()
    x = on_device(standin, ids())
    model.loss(x, x).backward()
    with no_grad():
        valid = np.array([[True] * T, [False] + [True] * (T - 1)])
        logits, state = model.step(x, model.init_state(B), on_device(standin, valid))
        state = state.take([1, 0, 1])
        more = on_device(standin, ids(1)[[1, 0, 1]])
        logits, state = model.step(more, state)
        expected = here(
            np.concatenate([ids(), ids(1)], 1), np.concatenate([valid, [[True]] * 2], 1)
        ).numpy()[[1, 0, 1], -1:]
    assert np.abs(logits.numpy() - expected).max() < 1e-5


def test_encoders_and_heads(standin):
    x, valid = on_device(standin, ids()), on_device(standin, np.arange(T) < [[T], [3]])
    for make in (MaskedLM, SentenceEmbedding):
        model = standin.convert(make(Encoder.bert(V, D, H, L, N, rng=0)))
        y = model(x, valid)
        assert isinstance(y.data, standin.Array)
        y.sum().backward()
    poly = standin.convert(
        PolyEncoder(*(Encoder.bert(V, D, H, L, N, rng=i) for i in range(2)), 3, rng=0)
    )
    poly.loss(x, x, valid, valid).backward()


def test_encoder_decoder(standin):
    model = standin.convert(EncoderDecoder.base(V, D, H, L, rng=0))
    x, valid = on_device(standin, ids()), on_device(standin, np.arange(T) < [[T], [3]])
    model.loss(x, x, valid).backward()
    with no_grad():
        state = model.init_state(x, valid)
        _, state = model.step(x[:, :2], state)
        logits, _ = model.step(x[:, 2:3][[1, 1]], state.take([1, 1]))
        assert isinstance(logits.data, standin.Array)
