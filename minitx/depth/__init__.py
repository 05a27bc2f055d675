"""Depth: how often, how far? Blocks stacked, looped, tied; called as ``depth(x, ctx)``."""

from minitx.depth.stack import Loop, Stack

__all__ = ["Loop", "Stack"]
