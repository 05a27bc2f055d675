"""Callbacks: what a Trainer does beside training. Any function of the trainer is one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from minitx.errors import missing_extra


def every(steps: int, action: Callable[[Any], None]) -> Callable[[Any], None]:
    """Call ``action(trainer)`` after every ``steps`` steps."""
    if steps < 1:
        raise ValueError(f"every expected steps of 1 or more, got {steps}")

    def callback(trainer: Any) -> None:
        if trainer.step % steps == 0:
            action(trainer)

    return callback


def save_every(steps: int, folder: str | Path) -> Callable[[Any], None]:
    """Save a checkpoint into ``folder`` after every ``steps`` steps, over the one before."""
    return every(steps, lambda trainer: trainer.save(folder))


def progress_bar(steps: int, **options: Any) -> Callable[[Any], None]:
    """A bar on the terminal that fills until step ``steps`` and shows the loss."""
    try:
        from tqdm import tqdm
    except ImportError:
        raise missing_extra("train", "tqdm") from None
    bar = tqdm(total=steps, unit="step", **options)

    def callback(trainer: Any) -> None:
        bar.set_postfix(loss=f"{trainer.history['loss'][-1]:.3f}", refresh=False)
        bar.update(trainer.step - bar.n)
        if trainer.step >= steps:
            bar.close()

    return callback
