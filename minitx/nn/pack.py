"""Parameters end to end in one array, for decoding, which reads each of them once a token."""

from minitx import backend
from minitx.backend.arena import Arena
from minitx.nn.module import Module


def pack(module: Module) -> Module:
    """Lay all parameters and buffers end to end in memory, in place; the numbers stay the same.

    Decoding one text at GPT-2's shape and 10 million parameters takes 0.85 of the time then (see
    ``minitx.backend.arena`` why). What lies on a GPU stays where it is.
    """
    tensors = [*module.parameters(), *(buffer for _, buffer in module.named_buffers())]
    tensors = [tensor for tensor in tensors if tensor.device == "cpu"]
    arena = Arena(sum(tensor.data.nbytes + 64 for tensor in tensors))
    for tensor in tensors:
        room = arena.empty(backend.namespace(tensor.data), tensor.shape, tensor.dtype)
        room[...] = tensor.data
        tensor.data = room
        tensor.changed()
    return module
