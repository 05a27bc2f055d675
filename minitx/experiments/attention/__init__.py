"""Experiments of the chapter on attention."""
