"""The weights that a model starts from."""

from typing import Any

import numpy as np

from minitx import backend, nn


def initialise(model: nn.Module, num_layers: int, rng: Any = None, std: float = 0.02) -> Any:
    """Normal weights of deviation ``std`` and zero biases, in every Linear and Embedding.

    What is added to the stream (``out`` of attention, ``down`` of channel mixers) starts smaller
    by sqrt(2 num_layers), so that the stream's size does not grow with depth. Returns ``model``.

    Source: Radford et al., "Language Models are Unsupervised Multitask Learners" (2019).
    """
    rng, done = backend.generator(rng), set()
    for name, part in model.named_modules():
        if not isinstance(part, (nn.Linear, nn.Embedding)) or id(part.weight) in done:
            continue
        done.add(id(part.weight))
        last = name.rpartition(".")[2] in ("out", "down")
        size = std / np.sqrt(2 * max(num_layers, 1)) if last else std
        part.weight.assign(size * rng.standard_normal(part.weight.shape))
        if getattr(part, "bias", None) is not None:
            part.bias.assign(np.zeros(part.bias.shape))
    return model
