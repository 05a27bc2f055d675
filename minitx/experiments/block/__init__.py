"""Experiments of the chapter on the block."""
