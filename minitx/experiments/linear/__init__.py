"""The experiments of the chapter on linear attention."""
