"""Folders that `transformers` writes: loaded here, they say the same, and learn the same.

Logits and every gradient are compared. Their gradients are written to files and loaded as weights
are, so that they stand under our names.
"""

import numpy as np
import pytest

from minitx import Tensor, pretrained
from minitx.models import Classifier, Decoder, Encoder, MaskedLM
from minitx.models.vision import ViT

pytestmark = pytest.mark.parity
torch = pytest.importorskip("torch")

V, L, N, FF, B, T = 37, 2, 23, 20, 3, 9
DTYPES = [(np.float32, 1e-5), (np.float64, 1e-9)]
both = pytest.mark.parametrize(("dtype", "tolerance"), DTYPES, ids=["float32", "float64"])
BERT = dict(vocab_size=V, hidden_size=12, num_hidden_layers=L, num_attention_heads=3,
            intermediate_size=FF, max_position_embeddings=N)  # fmt: skip
GPT2 = dict(vocab_size=V, n_positions=N, n_embd=12, n_layer=L, n_head=3, bos_token_id=1,
            eos_token_id=2)  # fmt: skip
LLAMA = dict(vocab_size=V, hidden_size=16, intermediate_size=FF, num_hidden_layers=L,
             num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=N)  # fmt: skip
VIT = dict(image_size=12, patch_size=4, num_channels=2, hidden_size=15, num_hidden_layers=L,
           num_attention_heads=3, intermediate_size=FF)  # fmt: skip
LLAMA3 = {"rope_type": "llama3", "rope_theta": 10.0, "factor": 8.0, "low_freq_factor": 1.0,
          "high_freq_factor": 4.0, "original_max_position_embeddings": 16}  # fmt: skip
LINEAR = {"rope_type": "linear", "rope_theta": 100.0, "factor": 2.5}
PLAIN = {"rope_type": "default", "rope_theta": 500.0}


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a random model of transformers, with weights large enough for all parts to matter."""

    def write(kind, settings, dtype, shards="1GB"):
        transformers = pytest.importorskip("transformers")
        if dtype == np.float64:  # it computes angles in torch.float, whatever the model's dtype
            monkeypatch.setattr(torch, "float", torch.float64)
        torch.manual_seed(0)
        kind = getattr(transformers, kind)
        config = kind.config_class(**settings, attn_implementation="sdpa")
        model = kind(config).to(getattr(torch, np.dtype(dtype).name)).eval()
        for p in model.parameters():
            torch.nn.init.normal_(p, mean=1.0 if p.ndim == 1 else 0.0, std=0.3)
        model.save_pretrained(tmp_path, max_shard_size=shards)
        for part in model.modules():
            if dtype == np.float64 and type(part).__name__.endswith("RMSNorm"):
                part.forward = exact_norm(part)
        return model, tmp_path

    return write


def exact_norm(part):
    """Their norm without its detour through float32."""
    shape, weight, eps = part.weight.shape, part.weight, part.variance_epsilon
    return lambda x: torch.nn.functional.rms_norm(x, shape, weight, eps)


def close(ours, theirs, tolerance, what):
    ours, theirs = np.asarray(ours), theirs.detach().numpy()
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype, what
    gap = np.abs(ours - theirs).max()
    assert gap <= tolerance * max(1, np.abs(theirs).max()), (what, gap)


def compare(folder, theirs, y, their_y, model, tolerance, read=None):
    """Outputs where ``read`` (B, T), and all gradients of a random weighting of them."""
    read = np.ones(y.shape[:-1], bool) if read is None else read
    close(y.numpy()[read], their_y[torch.tensor(read)], tolerance, "outputs")
    g = np.random.default_rng(1).normal(size=y.shape) * read[..., None]
    y.backward(Tensor(g.astype(y.dtype), dtype=y.dtype))
    their_y.backward(torch.tensor(g.astype(y.dtype)))
    for p in theirs.parameters():  # their gradients take the way that their weights took
        p.data = p.data if p.grad is None else p.grad
    theirs.save_pretrained(folder / "gradients")
    expected = pretrained.load(folder / "gradients", y.dtype).model.state_dict()
    for name, parameter in model.named_parameters():
        close(parameter.grad.numpy(), torch.tensor(expected[name]), tolerance, name)


def draw_ids():
    return np.random.default_rng(0).integers(1, V, (B, T))  # token 0 is BERT's padding


def padded(side):
    """Rows of 9, 5 and 2 tokens."""
    places = np.arange(T)[:: 1 if side == "right" else -1]
    return places < np.array([[9], [5], [2]])


@both
@pytest.mark.parametrize(
    ("kind", "ours", "settings"),
    [
        ("BertForMaskedLM", MaskedLM, {"hidden_act": "gelu_new", "layer_norm_eps": 1e-3}),
        ("BertForSequenceClassification", Classifier, {"num_labels": 5, "type_vocab_size": 3}),
        ("BertModel", Encoder, {"hidden_act": "relu"}),
    ],
)
def test_bert(write, dtype, tolerance, kind, ours, settings):
    theirs, folder = write(kind, {**BERT, **settings}, dtype)
    loaded = pretrained.load(folder, dtype)
    assert type(loaded.model) is ours
    ids, valid, segments = draw_ids(), padded("right"), np.arange(T)[None] % 2 + np.zeros((B, 1))
    segments = segments.astype(np.int64)
    y = loaded.model(ids, valid, segments)
    found = theirs(
        torch.tensor(ids), attention_mask=torch.tensor(valid), token_type_ids=torch.tensor(segments)
    )
    their_y = found.last_hidden_state if kind == "BertModel" else found.logits
    compare(folder, theirs, y, their_y, loaded.model, tolerance, valid if y.ndim == 3 else None)
    assert bool(loaded.unused) == (kind == "BertModel")  # its pooler


DECODERS = {
    "gpt2": ("GPT2LMHeadModel", {**GPT2, "layer_norm_epsilon": 1e-3}),
    "gpt2 untied": ("GPT2LMHeadModel", {**GPT2, "tie_word_embeddings": False, "n_inner": 19}),
    "llama": ("LlamaForCausalLM", {**LLAMA, "rope_parameters": PLAIN, "rms_norm_eps": 1e-3}),
    "llama3": ("LlamaForCausalLM", {**LLAMA, "rope_parameters": LLAMA3, "attention_bias": True}),
    "llama tied": (
        "LlamaForCausalLM",
        {**LLAMA, "rope_parameters": LINEAR, "tie_word_embeddings": True, "mlp_bias": True},
    ),
    "mistral": ("MistralForCausalLM", {**LLAMA, "head_dim": 6, "sliding_window": 4}),
}


@both
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("name", DECODERS)
def test_decoders(write, dtype, tolerance, name, side):
    theirs, folder = write(*DECODERS[name], dtype)
    loaded = pretrained.load(folder, dtype)
    assert type(loaded.model) is Decoder and not loaded.unused
    ids, valid = draw_ids(), padded(side)
    places = np.maximum(valid.cumsum(1) - 1, 0)
    their_y = theirs(
        torch.tensor(ids), attention_mask=torch.tensor(valid), position_ids=torch.tensor(places)
    ).logits
    y = loaded.model(ids, valid)
    compare(folder, theirs, y, their_y, loaded.model, tolerance, valid)


@both
@pytest.mark.parametrize("qkv_bias", [True, False])
def test_vit(write, dtype, tolerance, qkv_bias):
    settings = {**VIT, "num_labels": 5, "qkv_bias": qkv_bias}
    theirs, folder = write("ViTForImageClassification", settings, dtype)
    loaded = pretrained.load(folder, dtype)
    assert type(loaded.model) is ViT
    images = np.random.default_rng(0).normal(size=(B, 12, 12, 2)).astype(dtype)
    their_y = theirs(torch.tensor(images.transpose(0, 3, 1, 2).copy())).logits
    y = loaded.model(Tensor(images, dtype=dtype))
    compare(folder, theirs, y, their_y, loaded.model, tolerance)


def test_vit_without_a_head(write):
    theirs, folder = write("ViTModel", VIT, np.float32)
    images = np.random.default_rng(0).normal(size=(B, 12, 12, 2)).astype(np.float32)
    found = theirs(torch.tensor(images.transpose(0, 3, 1, 2).copy())).last_hidden_state
    model = pretrained.load(folder).model
    close(model.hidden(images).numpy(), found, 1e-5, "all tokens")
    close(model(images).numpy(), found[:, 0], 1e-5, "the class token")


@pytest.mark.parametrize("name", ["gpt2", "llama"])
def test_shards(write, name):
    theirs, folder = write(*DECODERS[name], np.float32, shards="6KB")
    assert len(list(folder.glob("model-*.safetensors"))) > 2
    loaded = pretrained.load(folder)
    their_y = theirs(torch.tensor(draw_ids())).logits
    compare(folder, theirs, loaded.model(draw_ids()), their_y, loaded.model, 1e-5)


@pytest.mark.parametrize("half", ["float16", "bfloat16"])
def test_halves_are_widened(write, half):
    theirs, folder = write("LlamaForCausalLM", LLAMA, np.float32)
    theirs.to(getattr(torch, half)).save_pretrained(folder)
    model = pretrained.load(folder).model
    theirs = type(theirs).from_pretrained(folder, dtype=torch.float32)
    their_y = theirs(torch.tensor(draw_ids())).logits
    close(model(draw_ids()).numpy(), their_y, 1e-5, half)


# ------------------------------------------------------------------------------ real weights


def sentences():
    """200 of many lengths: words, accents, other scripts, numbers, nothing, and far too much."""
    rng = np.random.default_rng(0)
    words = (
        "the a of attention memory river quick Zürich naïve 東京 मौसम 3.14 don't e-mail C++ 😀 "
        "theory transformers unbelievably antidisestablishmentarianism [MASK] \t we are"
    ).split()
    lengths = [1, 2, 400, *rng.integers(3, 60, 195)]
    return ["", "   \n", *(" ".join(rng.choice(words, n)) for n in lengths)]


def minilm():
    try:
        return pretrained.find("all-MiniLM-L6-v2")
    except FileNotFoundError as error:
        pytest.skip(str(error))


def theirs_of(folder, batches, tokenizer):
    """Mean over the tokens of transformers' BertModel, as unit vectors, batch by batch."""
    from transformers import BertModel

    model = BertModel.from_pretrained(folder).eval()

    def run(texts):
        ids, valid = (torch.tensor(x) for x in tokenizer.batch(texts, 256))
        with torch.no_grad():
            h = model(ids, attention_mask=valid).last_hidden_state
        mean = (h * valid[..., None]).sum(1) / valid.sum(1, keepdim=True)
        return torch.nn.functional.normalize(mean, dim=1).numpy()

    return np.concatenate([run(batch) for batch in batches])


def test_sentence_vectors_of_real_weights():
    folder, texts = minilm(), sentences()
    assert len(texts) == 200
    loaded = pretrained.load(folder)
    vectors = loaded.embed(texts)
    batches = [texts[i : i + 32] for i in range(0, 200, 32)]
    expected = theirs_of(folder, batches, loaded.tokenizer)
    assert vectors.dtype == np.float32 and vectors.shape == (200, 384)
    assert np.abs(vectors - expected).max() <= 1e-5


def test_ids_of_real_texts():
    """The tokenizer beside the real weights, against the tokenizers library."""
    library, folder = pytest.importorskip("tokenizers"), minilm()
    theirs = library.Tokenizer.from_file(str(folder / "tokenizer.json"))
    theirs.no_padding()
    theirs.no_truncation()
    ours = pretrained.load(folder).tokenizer
    for text in sentences():
        assert ours.encode(text) == theirs.encode(text).ids
