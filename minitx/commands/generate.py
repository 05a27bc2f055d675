"""``minitx generate``: text from a model that ``minitx train`` wrote, as it comes."""

from __future__ import annotations

import argparse
import sys

import numpy as np

from minitx.commands import text_model
from minitx.errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which model, what to begin with, and how to choose."""
    parser.add_argument("--checkpoint", metavar="DIR", default="minitx-model")
    parser.add_argument("--prompt", help="the text to go on from; default: a new line")
    parser.add_argument("--tokens", type=int, default=500, help="how many to write (500)")
    parser.add_argument("--temperature", type=float, default=0.8, help="0 takes the likeliest")
    parser.add_argument("--top-k", type=int, help="choose among the K likeliest")
    parser.add_argument("--top-p", type=float, help="choose among the likeliest, P in all")
    parser.add_argument("--min-p", type=float, help="none less likely than P times the likeliest")
    parser.add_argument("--repetition-penalty", type=float, help="above 1: repeat less")
    parser.add_argument("--seed", type=int, default=None)


def run(args: argparse.Namespace) -> int:
    """Write the prompt and what the model makes of it."""
    from minitx.inference import stream

    sampler = _sampler(args)
    if args.tokens < 0:
        raise UserError(f"--tokens expected 0 or more, got {args.tokens}")
    model, tokenizer, settings = text_model.load(args.checkpoint)
    ids = _prompt(tokenizer, args.prompt)
    if not ids:
        raise UserError("--prompt expected some text, got none")
    context = settings["length"]
    if len(ids) > context:
        print(f"minitx: the model sees the last {context} tokens of the prompt", file=sys.stderr)
    steps = stream(model, np.array([ids[-context:]]), args.tokens, sampler, context=context)
    _write(tokenizer, ids, steps)
    return 0


def _prompt(tokenizer, text: str | None) -> list[int]:
    """The ids of the prompt; without one a new line, or where there is none the first token."""
    if text is not None:
        return tokenizer.encode(text, add_special_tokens=False)
    try:
        return tokenizer.encode("\n", add_special_tokens=False)
    except ValueError:
        return [0]


def _sampler(args: argparse.Namespace):
    from minitx.inference import (
        Greedy,
        MinP,
        RepetitionPenalty,
        Sampler,
        Temperature,
        TopK,
        TopP,
    )

    if args.temperature < 0:
        raise UserError(f"--temperature expected 0 or more, got {args.temperature}")
    chosen = [
        (RepetitionPenalty, args.repetition_penalty),
        (Temperature, args.temperature or None),
        (TopK, args.top_k),
        (TopP, args.top_p),
        (MinP, args.min_p),
    ]
    rules = [rule(value) for rule, value in chosen if value is not None]
    return Greedy(*rules) if args.temperature == 0 else Sampler(*rules, rng=args.seed)


def _write(tokenizer, ids: list[int], steps) -> None:
    """Write text as it grows; a character that is not yet whole waits for its last byte."""
    shown = tokenizer.decode(ids)
    print(shown, end="", flush=True)
    for step in steps:
        ids = [*ids, int(step[0])]
        text = tokenizer.decode(ids)
        if not text.endswith("\ufffd"):
            print(text[len(shown) :], end="", flush=True)
            shown = text
    print()
