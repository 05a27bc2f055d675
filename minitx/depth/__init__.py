"""Depth: how often, how far? Blocks stacked, looped, tied, left early; ``depth(x, ctx)``."""

from minitx.depth.adaptive import AdaptiveLoop
from minitx.depth.early_exit import EarlyExit
from minitx.depth.groups import Group
from minitx.depth.halting import (
    After,
    Confident,
    Poisson,
    exit_distribution,
    first_right,
    likelihood_oracle,
    never,
)
from minitx.depth.loop import InjectedLoop, iterate
from minitx.depth.pre_loop_post import PreLoopPost
from minitx.depth.stack import Loop, Stack

__all__ = [
    "AdaptiveLoop",
    "After",
    "Confident",
    "EarlyExit",
    "Group",
    "InjectedLoop",
    "Loop",
    "Poisson",
    "PreLoopPost",
    "Stack",
    "exit_distribution",
    "first_right",
    "iterate",
    "likelihood_oracle",
    "never",
]
