"""What a trained model is used with: sampling, generation, beam search, speculative decoding."""

from minitx.inference.beam import beam_search
from minitx.inference.generate import generate, stream
from minitx.inference.rows import on_rows
from minitx.inference.sampling import (
    Greedy,
    MinP,
    RepetitionPenalty,
    Sampler,
    Temperature,
    TopK,
    TopP,
)
from minitx.inference.speculative import speculate

__all__ = [
    "Greedy",
    "MinP",
    "RepetitionPenalty",
    "Sampler",
    "Temperature",
    "TopK",
    "TopP",
    "beam_search",
    "generate",
    "on_rows",
    "speculate",
    "stream",
]
