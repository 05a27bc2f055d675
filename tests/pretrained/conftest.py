"""Tiny folders in the Hugging Face layout, written by the tests themselves."""

import json

import numpy as np
import pytest

from minitx.pretrained.config import Config
from minitx.pretrained.load import read_recipe

WORDS = "river water bank money loan stone the a of in , . zebra".split()
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
CONFIGS = {
    "bert": dict(
        model_type="bert", vocab_size=len(VOCABULARY), hidden_size=12, num_hidden_layers=2,
        num_attention_heads=3, intermediate_size=20, max_position_embeddings=17,
    ),
    "gpt2": dict(model_type="gpt2", vocab_size=19, n_positions=17, n_embd=12, n_layer=2, n_head=3),
    "llama": dict(
        model_type="llama", vocab_size=19, hidden_size=16, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, intermediate_size=20,
    ),
    "vit": dict(
        model_type="vit", image_size=12, patch_size=4, num_channels=2, hidden_size=15,
        num_hidden_layers=2, num_attention_heads=3, intermediate_size=20, num_labels=5,
        architectures=["ViTForImageClassification"],
    ),
}  # fmt: skip


class Folder:
    """A model's folder: its config and tensors can be changed before they are written."""

    def __init__(self, path, family, **changes):
        self.path, self.config = path, {**CONFIGS[family], **changes}
        recipe = read_recipe(Config({**CONFIGS[family], **changes}, "config.json"))
        rng = np.random.default_rng(0)
        shapes = {name: shape for row in recipe.table.values() for name, shape in row.parts.items()}
        self.tensors = {
            name: rng.normal(size=shape).astype(np.float32) / 3 for name, shape in shapes.items()
        }

    def write(self):
        """Write everything; returns the folder's path."""
        save = pytest.importorskip("safetensors.numpy").save_file
        self.path.mkdir(parents=True, exist_ok=True)
        self.write_json("config.json", self.config)
        save(self.tensors, self.path / "model.safetensors")
        return self.path

    def write_shards(self):
        """The tensors in two files and an index; returns the folder's path."""
        save = pytest.importorskip("safetensors.numpy").save_file
        self.write()
        (self.path / "model.safetensors").unlink()
        weights = {name: f"model-{i % 2}.safetensors" for i, name in enumerate(self.tensors)}
        for file in set(weights.values()):
            part = {name: x for name, x in self.tensors.items() if weights[name] == file}
            save(part, self.path / file)
        self.write_json("model.safetensors.index.json", {"weight_map": weights})
        return self.path

    def write_json(self, name, value):
        """One JSON file, in a folder within the folder if need be."""
        (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        (self.path / name).write_text(json.dumps(value), encoding="utf-8")

    def write_sentence_files(self, pooling="pooling_mode_mean_tokens", longest=11):
        """What makes a BERT a sentence encoder; returns the folder's path."""
        self.write()
        (self.path / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
        self.write_json("1_Pooling/config.json", {"word_embedding_dimension": 12, pooling: True})
        self.write_json("sentence_bert_config.json", {"max_seq_length": longest})
        return self.path


@pytest.fixture
def folder(tmp_path):
    """``folder("bert", hidden_act="relu")``: a Folder that is not yet written."""
    return lambda family, **changes: Folder(tmp_path / "a-model", family, **changes)
