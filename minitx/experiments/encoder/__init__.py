"""Experiments of the chapter on encoders."""
