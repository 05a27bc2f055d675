"""The weights that a model starts from."""

from typing import Any, TypeVar

import numpy as np

from minitx import backend, nn

Model = TypeVar("Model", bound=nn.Module)


def initialise(model: Model, d_model: int, num_layers: int, rng: Any = None) -> Model:
    """Normal weights of deviation 1 / sqrt(3 d_model), zero biases: every Linear and Embedding.

    At GPT-2's width of 768 this is its 0.02; narrow models need more. What is added to the stream
    (``out`` of attention, ``down`` of channel mixers) starts smaller by sqrt(2 num_layers), so
    that the stream's size does not grow with depth. Returns ``model``.

    Source: Radford et al., "Language Models are Unsupervised Multitask Learners" (2019).
    """
    rng, std, done = backend.generator(rng), (3 * d_model) ** -0.5, set()
    for name, part in model.named_modules():
        if not isinstance(part, (nn.Linear, nn.Embedding)) or id(part.weight) in done:
            continue
        done.add(id(part.weight))
        added = name.rpartition(".")[2] in ("out", "down")
        size = std / np.sqrt(2 * max(num_layers, 1)) if added else std
        part.weight.assign(size * rng.standard_normal(part.weight.shape))
        if getattr(part, "bias", None) is not None:
            part.bias.assign(np.zeros(part.bias.shape))
    return model
