"""Experiments of the chapter on looped transformers."""
