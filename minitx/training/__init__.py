"""Training: what changes parameters, how fast, and how it is kept.

Optimisers, schedules, the trainer, checkpoints. Above the layers and models, which know nothing
of it.
"""

from minitx.training import schedules
from minitx.training.adam import Adam, AdamW
from minitx.training.batches import Cycle, Shuffled
from minitx.training.callbacks import every, progress_bar, save_every
from minitx.training.checkpoints import load_checkpoint, load_weights, save_checkpoint, save_weights
from minitx.training.clipping import clip_norm, clip_value, global_norm
from minitx.training.ema import EMA
from minitx.training.lion import Lion
from minitx.training.optimiser import Group, Optimiser
from minitx.training.sam import SAM
from minitx.training.sgd import SGD
from minitx.training.trainer import NonFiniteLoss, Trainer

__all__ = [
    "Optimiser",
    "Group",
    "SGD",
    "Adam",
    "AdamW",
    "Lion",
    "SAM",
    "EMA",
    "schedules",
    "clip_norm",
    "clip_value",
    "global_norm",
    "Cycle",
    "Shuffled",
    "Trainer",
    "NonFiniteLoss",
    "every",
    "save_every",
    "progress_bar",
    "save_checkpoint",
    "load_checkpoint",
    "save_weights",
    "load_weights",
]
