"""Reading an image between its pixels."""

from typing import Any

from minitx import backend
from minitx.autograd.functions.arithmetic import clip
from minitx.autograd.functions.indexing import embedding
from minitx.autograd.functions.shape import reshape
from minitx.autograd.tensor import Tensor, wrap_constant

Like = Any


def grid_sample(x: Like, grid: Like, padding: str = "zeros", align_corners: bool = False) -> Tensor:
    """Bilinear interpolation of images at any points.

    With pixel coordinates u, v and their fractions, y = sum over the four pixels around (u, v) of
    (1 - |u - column|) (1 - |v - row|) x[row, column].

    x (B, H, W, C), grid (B, H', W', 2) -> (B, H', W', C). The grid holds (horizontal, vertical)
    coordinates from -1 to 1: the centres of the first and last pixels if ``align_corners``, the
    edges of the image if not. Beyond it there are zeros, or with ``padding="border"`` the nearest
    pixel. The gradient reaches both ``x`` and ``grid``. Raises ValueError when shapes do not fit.

    Source: Jaderberg et al., Spatial Transformer Networks (2015): U = x, V = y.
    """
    x, grid = wrap_constant(x), wrap_constant(grid)
    if x.ndim != 4 or grid.ndim != 4 or grid.shape[0] != x.shape[0] or grid.shape[-1] != 2:
        raise ValueError(
            f"grid_sample expected (B, H, W, C) and a grid (B, H', W', 2), "
            f"got shapes {x.shape} and {grid.shape}"
        )
    if padding not in ("zeros", "border"):
        raise ValueError(f'grid_sample expected padding "zeros" or "border", got {padding!r}')
    batch, height, width, channels = x.shape
    if not (height and width):
        raise ValueError(f"grid_sample expected images with pixels, got shape {x.shape}")
    xp = backend.namespace(x.data)
    u = _pixels(grid[..., 0], width, padding, align_corners)  # (B, H', W')
    v = _pixels(grid[..., 1], height, padding, align_corners)
    left, top = xp.floor(u.data), xp.floor(v.data)
    pixels = reshape(x, batch * height * width, channels)
    image = xp.arange(batch).reshape(-1, 1, 1)
    total = None
    for row, down in ((top, 1 - (v - top)), (top + 1, v - top)):
        for column, across in ((left, 1 - (u - left)), (left + 1, u - left)):
            inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            r = xp.where(inside, row, 0).astype(xp.int64)
            c = xp.where(inside, column, 0).astype(xp.int64)
            seen = embedding(pixels, (image * height + r) * width + c)  # (B, H', W', C)
            term = seen * reshape(down * across * inside, *u.shape, 1)
            total = term if total is None else total + term
    return total


def _pixels(coordinate: Tensor, length: int, padding: str, align_corners: bool) -> Tensor:
    """From -1 .. 1 to pixel numbers, 0 .. length - 1."""
    if align_corners:
        found = (coordinate + 1) * ((length - 1) / 2)
    else:
        found = ((coordinate + 1) * length - 1) * 0.5
    return clip(found, 0, length - 1) if padding == "border" else found


__all__ = ["grid_sample"]
