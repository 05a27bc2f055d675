"""``minitx train``: a small transformer, trained on text in about a minute."""

from __future__ import annotations

import argparse
import importlib
import math
import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from minitx.commands import text_model
from minitx.errors import UserError

# Chosen by trying a dozen shapes for one minute each on two cores; see the page `start`.
DEFAULTS = {
    "d_model": 96,
    "num_heads": 6,
    "num_layers": 2,
    "length": 64,
    "batch_size": 16,
    "steps": 1600,
    "lr": 8e-3,
}
_BITS = 1 / math.log(2)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to train on, what to train, for how long, and where to put it."""
    parser.add_argument("--text", metavar="FILE", help="UTF-8 text; default: prose inside Python")
    parser.add_argument("--tokenizer", choices=["char", "bpe"], default="char")
    parser.add_argument("--vocab-size", type=int, default=1000, help="for bpe (default 1000)")
    parser.add_argument("--out", metavar="DIR", help="where the model goes; default: minitx-model")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    for name, default in DEFAULTS.items():
        option = "--" + name.removeprefix("num_").replace("_", "-")
        parser.add_argument(
            option, dest=name, type=type(default), default=None, help=f"default {default}"
        )
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--weight-decay", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=None, help="default: all cores")
    parser.add_argument("--samples", type=int, default=300, help="tokens of sample text to write")


def run(args: argparse.Namespace) -> int:
    """Train, show what the model writes, and print its loss on held-out text."""
    _expect_extra()
    folder = _folder(args)
    text, settings = _text(args), _settings(args, folder)
    tokenizer, train_ids, held_ids, held_characters = _prepare(args, text, folder, settings)
    trainer = _trainer(args, settings, tokenizer, train_ids, folder)
    print(
        f"{len(text):,} characters, {tokenizer.vocab_size:,} tokens in the vocabulary, "
        f"{sum(p.size for p in trainer.model.parameters()):,} parameters"
    )
    if args.resume:
        print(f"going on from step {trainer.resume(folder)}")
    else:
        _start_folder(folder, tokenizer, settings)
    if not _train(trainer, settings["steps"], folder):
        return 130
    model = trainer.model.eval()
    if args.samples:
        _show_sample(model, tokenizer, train_ids, settings, args)
    bits = bits_per_character(model, train_ids, held_ids, settings["length"], held_characters)
    print(f"saved in {folder}; write more with: minitx generate --checkpoint {folder}")
    print(f"validation: {bits:.3f} bits per character")
    return 0


def bits_per_character(
    model: Any, train_ids: np.ndarray, held_ids: np.ndarray, length: int, characters: int
) -> float:
    """The loss in bits, summed over every held-out token and divided by held-out characters."""
    from minitx import functional as F
    from minitx.autograd.graph import no_grad
    from minitx.data import Windows

    windows, total = Windows(np.concatenate([train_ids, held_ids]), length), 0.0
    with no_grad():
        for inputs, targets, mask in windows.covering(64, first=len(train_ids)):
            total += F.cross_entropy(model(inputs), targets, mask=mask, reduction="sum").item()
    return total * _BITS / characters


# ---------------------------------------------------------------------------------- the steps


def _expect_extra() -> None:
    missing = []
    for package in ("tqdm", "safetensors"):
        try:
            importlib.import_module(package)
        except ImportError:
            missing.append(package)
    if missing:
        raise UserError(f'training needs {" and ".join(missing)}: pip install "minitx[train]"')


def _folder(args: argparse.Namespace) -> Path:
    """Where the model goes; a folder that holds a model already is not written over."""
    holds = lambda path: any((path / n).exists() for n in ("model.safetensors", ".saved"))  # noqa: E731
    if args.resume:
        folder = Path(args.out or "minitx-model")
        text_model.read_config(folder)
        return folder
    if args.out:
        folder = Path(args.out)
        if holds(folder):
            raise UserError(f"{folder} holds a model already: give another --out, or --resume")
        if folder.exists() and not folder.is_dir():
            raise UserError(f"--out expected a folder, {folder} is a file")
        return folder
    names = ["minitx-model", *(f"minitx-model-{i}" for i in range(2, 1000))]
    return next(Path(name) for name in names if not holds(Path(name)))


def _text(args: argparse.Namespace) -> str:
    from minitx.data import bundled_prose, read_text

    return read_text(args.text) if args.text else bundled_prose()


def _settings(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Sizes of the model and of the training; with --resume those that the folder names."""
    before = text_model.read_config(folder) if args.resume else {}
    settings = {}
    for name, default in DEFAULTS.items():
        given = getattr(args, name)
        known = before.get(name, default)
        if args.resume and given is not None and given != known and name != "steps":
            raise UserError(f"--resume expected {name} {known} as before, got {given}")
        settings[name] = known if given is None else given
        if not settings[name] > 0:
            raise UserError(f"{name} expected a number above 0, got {settings[name]}")
    if settings["d_model"] % settings["num_heads"]:
        raise UserError(
            f"--d-model expected a multiple of --heads {settings['num_heads']}, "
            f"got {settings['d_model']}"
        )
    if not 0 <= args.dropout < 1:
        raise UserError(f"--dropout expected a number from 0 to below 1, got {args.dropout}")
    settings["dropout"] = before.get("dropout", args.dropout)
    return settings


def _prepare(args, text: str, folder: Path, settings: dict) -> tuple[Any, Any, Any, int]:
    """The tokenizer, and the ids of the text to train on and of the text held out."""
    from minitx import tokens
    from minitx.data import split

    train, held = split(text)
    if args.resume:
        tokenizer = tokens.load(folder)
    elif args.tokenizer == "char":
        tokenizer = tokens.CharTokenizer.from_text(text)
    else:
        tokenizer = tokens.ByteBPE.train(train, args.vocab_size)
    ids = [np.array(tokenizer.encode(part, add_special_tokens=False)) for part in (train, held)]
    if len(ids[0]) <= settings["length"]:
        raise UserError(
            f"the text is too short: {len(ids[0])} tokens to train on, "
            f"a window takes --length {settings['length']} and one more"
        )
    return tokenizer, *ids, len(held)


def _trainer(args, settings: dict, tokenizer: Any, ids: np.ndarray, folder: Path) -> Any:
    from minitx.data import Windows
    from minitx.training import AdamW, Trainer, progress_bar, save_every, schedules
    from minitx.training.processes import on_processes

    model = text_model.build(settings, tokenizer.vocab_size, args.seed)
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim == 1]
    groups = [
        {"params": matrices, "weight_decay": args.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    rng, steps = np.random.default_rng(args.seed), settings["steps"]
    return Trainer(
        model,
        AdamW(groups, lr=settings["lr"], betas=(0.9, 0.99)),
        Windows(ids, settings["length"]).batches(settings["batch_size"], rng),
        on_processes(lambda model, batch: model.loss(batch[0], batch[1]), args.threads),
        schedule=schedules.warm_up_cosine(max(1, steps // 20), steps + 1, end=0.02),
        clip=1.0,
        callbacks=[
            progress_bar(steps, disable=not sys.stderr.isatty(), mininterval=0.2),
            save_every(max(1, steps // 4), folder),
        ],
        generators={"windows": rng},
    )


def _start_folder(folder: Path, tokenizer: Any, settings: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(folder)
    text_model.write_config(folder, settings)


class _Stopped(Exception):
    """Somebody pressed Ctrl-C, and the step that was under way is done."""


def _train(trainer: Any, steps: int, folder: Path) -> bool:
    """Train and save; False if it was stopped before the last step."""
    from minitx.training import NonFiniteLoss

    try:
        with warnings.catch_warnings(), _stopping_between_steps(trainer):
            warnings.simplefilter("ignore", RuntimeWarning)  # an overflow ends as NonFiniteLoss
            trainer.train(steps)
    except NonFiniteLoss as error:
        raise UserError(f"{error}; a smaller --lr may help") from None
    except _Stopped:
        trainer.save(folder)
        on = f"minitx train --resume --out {folder}"
        print(f"\nstopped at step {trainer.step}; go on with: {on}", file=sys.stderr)
        return False
    trainer.save(folder)
    return True


@contextmanager
def _stopping_between_steps(trainer: Any) -> Iterator[None]:
    """Let Ctrl-C wait for the end of the step: half a step must not be saved. Twice is at once."""
    asked = []

    def ask(*_: Any) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(True)

    def stop(_: Any) -> None:
        if asked:
            raise _Stopped

    trainer.callbacks.append(stop)
    before = signal.signal(signal.SIGINT, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        trainer.callbacks.remove(stop)


def _show_sample(model, tokenizer, ids: np.ndarray, settings: dict, args) -> None:
    from minitx.inference import Sampler, Temperature, stream

    prompt = ids[: min(8, settings["length"])]
    sampler = Sampler(Temperature(0.8), rng=args.seed)
    found = stream(model, prompt[None], args.samples, sampler, context=settings["length"])
    text = tokenizer.decode([*prompt, *(int(step[0]) for step in found)])
    print("-" * 72, text, "-" * 72, sep="\n")
