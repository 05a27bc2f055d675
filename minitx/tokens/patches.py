"""Images and series as sequences: an image in square patches, a series in windows.

Slot: tokens. A patch is a token, its pixels the token's features. ``to_patches`` and
``from_patches`` are exact inverses; both only reshape and transpose, so that they also take a
Tensor and a gradient goes through them. ``windows`` takes NumPy arrays.

Source: Dosovitskiy et al. 2021, "An Image is Worth 16x16 Words" (N patches = T, P = size).
"""

from typing import TypeVar

import numpy as np

A = TypeVar("A")


def to_patches(images: A, size: int | tuple[int, int]) -> A:
    """Images (B, H, W, C) -> patches (B, T, p*q*C), row by row, T = (H/p) (W/q).

    Within a patch the order is again rows, columns, channels. Raises ``ValueError`` if the patches
    do not tile the image.
    """
    p, q = _sides(size)
    if len(images.shape) != 4:
        raise ValueError(f"to_patches expected images (B, H, W, C), got {tuple(images.shape)}")
    b, h, w, c = images.shape
    _check_tiles(h, w, p, q)
    grid = images.reshape(b, h // p, p, w // q, q, c)
    grid = grid.transpose(0, 1, 3, 2, 4, 5)  # (B, H/p, W/q, p, q, C)
    return grid.reshape(b, (h // p) * (w // q), p * q * c)


def from_patches(patches: A, height: int, width: int, size: int | tuple[int, int]) -> A:
    """Patches (B, T, p*q*C) -> images (B, H, W, C); the inverse of ``to_patches``."""
    p, q = _sides(size)
    _check_tiles(height, width, p, q)
    rows, columns = height // p, width // q
    shape = tuple(patches.shape)
    if len(shape) != 3 or shape[1] != rows * columns or shape[2] % (p * q):
        raise ValueError(
            f"from_patches expected (B, {rows * columns}, a multiple of {p * q}), got {shape}"
        )
    b, _, features = shape
    grid = patches.reshape(b, rows, columns, p, q, features // (p * q))
    grid = grid.transpose(0, 1, 3, 2, 4, 5)  # (B, H/p, p, W/q, q, C)
    return grid.reshape(b, height, width, features // (p * q))


def windows(series: np.ndarray, length: int, stride: int = 1) -> np.ndarray:
    """Windows of a series: (..., T, C) -> (..., N, length, C), N = (T - length) // stride + 1.

    A read-only view, nothing is copied; what is left over at the end is not shown. Raises
    ``ValueError`` for a series shorter than one window.
    """
    if series.ndim < 2:
        raise ValueError(f"windows expected a series (..., T, C), got {series.shape}")
    if length < 1 or stride < 1:
        raise ValueError(f"windows expected length and stride of 1 or more, got {length}, {stride}")
    if series.shape[-2] < length:
        raise ValueError(f"a series of {series.shape[-2]} steps has no window of {length}")
    view = np.lib.stride_tricks.sliding_window_view(series, length, axis=-2)  # (..., T', C, length)
    return np.moveaxis(view, -1, -2)[..., ::stride, :, :]  # (..., N, length, C)


def _sides(size: int | tuple[int, int]) -> tuple[int, int]:
    p, q = (size, size) if isinstance(size, int) else size
    if p < 1 or q < 1:
        raise ValueError(f"a patch expected sides of 1 or more, got {p} x {q}")
    return p, q


def _check_tiles(height: int, width: int, p: int, q: int) -> None:
    if height % p or width % q:
        raise ValueError(f"patches of {p} x {q} do not tile an image of {height} x {width}")
