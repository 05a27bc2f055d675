"""Attention maps: who hears whom, a square for each head."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minitx.plot.style import SEQUENTIAL, look


def attention_maps(
    weights: Any,
    tokens: Sequence[str] | None = None,
    keys: Sequence[str] | None = None,
    columns: int = 4,
) -> Any:
    """A figure of attention weights (H, T, S), one grid per head, all on one scale from 0 to 1.

    Rows are queries, columns are keys. ``tokens`` names the queries, and the keys too unless
    ``keys`` does. Raises ValueError for other shapes or numbers of names.
    """
    weights = np.asarray(weights)
    if weights.ndim != 3:
        raise ValueError(f"attention_maps expected (H, T, S), got {weights.shape}")
    heads, queries, heard = weights.shape
    names = (tokens, (keys or tokens))
    for what, given, count in zip(("tokens", "keys"), names, (queries, heard), strict=True):
        if given is not None and len(given) != count:
            raise ValueError(f"attention_maps expected {count} {what}, got {len(given)}")
    columns = min(columns, heads)
    rows = math.ceil(heads / columns)
    with look() as plt:
        size = (2.2 * columns + 0.8, 2.2 * rows + 0.4)
        figure, grid = plt.subplots(rows, columns, figsize=size, squeeze=False)
        for head, axes in enumerate(grid.flat):
            if head >= heads:
                axes.set_axis_off()
                continue
            image = axes.imshow(weights[head], cmap=SEQUENTIAL, vmin=0, vmax=1, aspect="auto")
            axes.set_title(f"head {head}", fontsize="medium")
            axes.grid(False)
            _label(axes, *names)
        figure.colorbar(image, ax=grid, label="weight", shrink=0.8)
        figure.supxlabel("key", fontsize="medium")
        figure.supylabel("query", fontsize="medium")
    return figure


def _label(axes: Any, tokens: Sequence[str] | None, keys: Sequence[str] | None) -> None:
    if keys is not None:
        axes.set_xticks(range(len(keys)), keys, rotation=90)
    if tokens is not None:
        axes.set_yticks(range(len(tokens)), tokens)
