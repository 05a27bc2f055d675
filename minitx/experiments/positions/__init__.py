"""Experiments of the chapter on positions."""
