"""Whole models against `transformers`: logits and every gradient, from the same weights."""

import numpy as np
import pytest

from minitx import Tensor
from minitx.models import Decoder, Encoder, MaskedLM
from minitx.nn import RMSNorm

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytestmark = pytest.mark.parity

V, D, H, L, N, FF, B, T = 37, 12, 3, 2, 23, 20, 2, 9
DTYPES = [(np.float32, 1e-5), (np.float64, 1e-9)]


class Pairs:
    """Pieces of weights that are the same: (ours, slice, theirs, whether theirs is transposed)."""

    def __init__(self):
        self.rows = []

    def same(self, ours, theirs, transposed=False):
        self.rows.append(([ours], [theirs], transposed))

    def linear(self, ours, theirs, transposed=False):
        self.same(ours.weight, theirs.weight, transposed)
        if ours.bias is not None:
            self.same(ours.bias, theirs.bias)

    def joined(self, ours, *theirs):
        """Ours are all of theirs, one below the other."""
        self.rows.append(([ours.weight], [x.weight for x in theirs], False))
        if ours.bias is not None:
            self.rows.append(([ours.bias], [x.bias for x in theirs], False))

    def copy(self):
        for (ours,), theirs, transposed in self.rows:
            ours.assign(_value(theirs, transposed, lambda x: x))

    def compare_gradients(self, tolerance):
        for (ours,), theirs, transposed in self.rows:
            close(ours.grad.numpy(), _value(theirs, transposed, lambda x: x.grad), tolerance)


def _value(theirs, transposed, part):
    whole = np.concatenate([part(x).detach().numpy() for x in theirs])
    return whole.T if transposed else whole


def close(ours, theirs, tolerance):
    assert ours.shape == theirs.shape
    gap = np.abs(ours - theirs).max()
    assert gap <= tolerance * max(1, np.abs(theirs).max()), gap


def stir(theirs, dtype):
    """Weights large enough for every part to matter."""
    torch.manual_seed(0)
    theirs = theirs.to(getattr(torch, np.dtype(dtype).name)).eval()
    for p in theirs.parameters():
        torch.nn.init.normal_(p, mean=1.0 if p.ndim == 1 else 0.0, std=0.3)
    return theirs


def run(ours, theirs, pairs, dtype, tolerance, *, our=None, their=None, counts=None):
    rng = np.random.default_rng(0)
    ids = rng.integers(1, V, (B, T))  # transformers gives BERT's token 0 no gradient
    pairs.copy()
    y = ours(ids, **(our or {}))
    ty = theirs(torch.tensor(ids), **(their or {})).logits
    counts = np.ones((B, T), bool) if counts is None else counts  # what padding says is not read
    close(y.numpy()[counts], ty.detach().numpy()[counts], tolerance)
    g = rng.normal(size=y.shape).astype(dtype) * counts[..., None].astype(dtype)
    y.backward(Tensor(g, dtype=dtype))
    ty.backward(torch.tensor(g))
    pairs.compare_gradients(tolerance)
    assert len(ours.parameters()) == len(pairs.rows)


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
def test_gpt2(dtype, tolerance):
    config = transformers.GPT2Config(
        vocab_size=V, n_positions=N, n_embd=D, n_layer=L, n_head=H, attn_pdrop=0, embd_pdrop=0,
        resid_pdrop=0, attn_implementation="eager",
    )  # fmt: skip
    theirs = stir(transformers.GPT2LMHeadModel(config), dtype)
    ours = Decoder.gpt(V, D, H, L, N, tied=True, rng=0).to(dtype)
    pairs = Pairs()
    pairs.same(ours.tokens.weight, theirs.transformer.wte.weight)
    pairs.same(ours.position.weight, theirs.transformer.wpe.weight)
    pairs.linear(ours.norm, theirs.transformer.ln_f)
    for block, layer in zip(ours.depth.blocks, theirs.transformer.h, strict=True):
        attention, mlp = block.sublayers
        pairs.linear(attention.qkv, layer.attn.c_attn, transposed=True)
        pairs.linear(attention.out, layer.attn.c_proj, transposed=True)
        pairs.linear(mlp.up, layer.mlp.c_fc, transposed=True)
        pairs.linear(mlp.down, layer.mlp.c_proj, transposed=True)
        pairs.linear(block.norms[0], layer.ln_1)
        pairs.linear(block.norms[1], layer.ln_2)
    run(ours, theirs, pairs, dtype, tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
def test_llama(dtype, tolerance):
    heads, kv, width = 4, 2, 16
    config = transformers.LlamaConfig(
        vocab_size=V, hidden_size=width, intermediate_size=FF, num_hidden_layers=L,
        num_attention_heads=heads, num_key_value_heads=kv, max_position_embeddings=N,
        rms_norm_eps=1e-6, attn_implementation="sdpa",
    )  # fmt: skip
    theirs = stir(transformers.LlamaForCausalLM(config), dtype)
    ours = Decoder.llama(V, width, heads, L, kv, FF, rng=0).to(dtype)
    pairs = Pairs()
    pairs.same(ours.tokens.weight, theirs.model.embed_tokens.weight)
    pairs.same(ours.norm.weight, theirs.model.norm.weight)
    pairs.same(ours.head.weight, theirs.lm_head.weight)
    assert isinstance(ours.norm, RMSNorm)
    for block, layer in zip(ours.depth.blocks, theirs.model.layers, strict=True):
        attention, glu = block.sublayers
        theirs_qkv = layer.self_attn
        pairs.joined(attention.qkv, theirs_qkv.q_proj, theirs_qkv.k_proj, theirs_qkv.v_proj)
        pairs.linear(attention.out, theirs_qkv.o_proj)
        pairs.linear(glu.gate, layer.mlp.gate_proj)
        pairs.linear(glu.up, layer.mlp.up_proj)
        pairs.linear(glu.down, layer.mlp.down_proj)
        pairs.same(block.norms[0].weight, layer.input_layernorm.weight)
        pairs.same(block.norms[1].weight, layer.post_attention_layernorm.weight)
    if dtype == np.float64:
        in_full_precision(theirs.model, width // heads)
    run(ours, theirs, pairs, dtype, tolerance)


def in_full_precision(llama, d):
    """transformers computes Llama's angles and norms in float32, whatever the model's dtype."""

    def angles(x, position_ids):
        frequencies = 10000.0 ** (-torch.arange(0, d, 2, dtype=torch.float64) / d)
        turned = position_ids[..., None] * torch.cat([frequencies, frequencies])
        return turned.cos(), turned.sin()

    llama.rotary_emb.forward = angles
    for part in llama.modules():
        if type(part).__name__ == "LlamaRMSNorm":
            part.forward = lambda x, w=part.weight: torch.nn.functional.rms_norm(
                x, x.shape[-1:], w, 1e-6
            )


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
def test_bert(dtype, tolerance):
    config = transformers.BertConfig(
        vocab_size=V, hidden_size=D, num_hidden_layers=L, num_attention_heads=H,
        intermediate_size=FF, max_position_embeddings=N, hidden_dropout_prob=0,
        attention_probs_dropout_prob=0, attn_implementation="eager",
    )  # fmt: skip
    theirs = stir(transformers.BertForMaskedLM(config), dtype)
    ours = MaskedLM(Encoder.bert(V, D, H, L, N, FF, rng=0), rng=0).to(dtype)
    pairs, encoder, bert = Pairs(), ours.encoder, theirs.bert
    pairs.same(encoder.tokens.weight, bert.embeddings.word_embeddings.weight)
    pairs.same(encoder.position.weight, bert.embeddings.position_embeddings.weight)
    pairs.same(encoder.segments.weight, bert.embeddings.token_type_embeddings.weight)
    pairs.linear(encoder.input_norm, bert.embeddings.LayerNorm)
    for block, layer in zip(encoder.depth.blocks, bert.encoder.layer, strict=True):
        attention, mlp = block.sublayers
        heads = layer.attention.self
        pairs.joined(attention.qkv, heads.query, heads.key, heads.value)
        pairs.linear(attention.out, layer.attention.output.dense)
        pairs.linear(mlp.up, layer.intermediate.dense)
        pairs.linear(mlp.down, layer.output.dense)
        pairs.linear(block.norms[0], layer.attention.output.LayerNorm)
        pairs.linear(block.norms[1], layer.output.LayerNorm)
    pairs.linear(ours.transform, theirs.cls.predictions.transform.dense)
    pairs.linear(ours.norm, theirs.cls.predictions.transform.LayerNorm)
    pairs.same(ours.bias, theirs.cls.predictions.bias)
    valid = np.arange(T) < np.array([[T], [T - 4]])
    segments = (np.arange(T) > 3).astype(np.int64) * np.ones((B, 1), np.int64)
    run(
        ours, theirs, pairs, dtype, tolerance, counts=valid,
        our={"valid": valid, "segments": segments},
        their={"attention_mask": torch.tensor(valid), "token_type_ids": torch.tensor(segments)},
    )  # fmt: skip
