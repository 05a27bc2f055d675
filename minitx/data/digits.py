"""Real images: the 1,797 handwritten digits, 8 x 8 pixels, that come with scikit-learn."""

from typing import NamedTuple

import numpy as np


class Images(NamedTuple):
    """Images (N, H, W, C) float32 between 0 and 1, and labels (N,) int64."""

    images: np.ndarray
    labels: np.ndarray


def digits() -> Images:
    """All digits: images (1797, 8, 8, 1) float32 in [0, 1], labels 0 to 9.

    Raises ``ImportError`` where scikit-learn is missing.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise ImportError('the digits come with scikit-learn: pip install "minitx[data]"') from None
    bunch = load_digits()
    images = (bunch.images / 16).astype(np.float32)[..., None]  # (N, 8, 8, 1)
    return Images(images, bunch.target.astype(np.int64))


def train_test_split(
    data: Images, rng: np.random.Generator, test: float = 0.2
) -> tuple[Images, Images]:
    """Two parts drawn at random, no image in both; the second has ``test`` of the images."""
    count = len(data.labels)
    held = round(count * test)
    if not 0 < held < count:
        raise ValueError(f"test expected to leave both parts some of {count}, got {test}")
    order = rng.permutation(count)
    cut = count - held
    return (
        Images(data.images[order[:cut]], data.labels[order[:cut]]),
        Images(data.images[order[cut:]], data.labels[order[cut:]]),
    )
