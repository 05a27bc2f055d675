"""What there is to learn from: real text, images and series, and tasks made by rule.

The real data come with Python, scikit-learn and matplotlib, nothing is downloaded; everything
random comes from a generator, so that a seed gives the same data everywhere.
"""

from minitx.data.batch import Batch
from minitx.data.burgers import burgers, random_fields
from minitx.data.digits import Images, digits, train_test_split
from minitx.data.in_context import (
    LinearRegression,
    MixturePrior,
    NormalPrior,
    Prompts,
    interleaved_tokens,
    joint_tokens,
)
from minitx.data.representation import Perceptron, RepresentationRegression, questions
from minitx.data.series import (
    Scaler,
    eeg,
    forecast_pairs,
    share_price,
    sines,
    split_series,
)
from minitx.data.tasks import (
    Addition,
    Copy,
    MultiQueryRecall,
    Parity,
    Recall,
    Reverse,
    Sort,
    Task,
)
from minitx.data.text import Windows, bundled_prose, read_text, split

__all__ = [
    "Addition",
    "Batch",
    "Copy",
    "Images",
    "LinearRegression",
    "MixturePrior",
    "MultiQueryRecall",
    "NormalPrior",
    "Parity",
    "Perceptron",
    "Prompts",
    "Recall",
    "RepresentationRegression",
    "Reverse",
    "Scaler",
    "Sort",
    "Task",
    "Windows",
    "bundled_prose",
    "burgers",
    "digits",
    "eeg",
    "forecast_pairs",
    "interleaved_tokens",
    "joint_tokens",
    "questions",
    "random_fields",
    "read_text",
    "share_price",
    "sines",
    "split",
    "split_series",
    "train_test_split",
]
