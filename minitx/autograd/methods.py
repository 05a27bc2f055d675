"""Gives the Tensor its operators and methods, all of them functions of ``functions``."""

from minitx.autograd import functions as f
from minitx.autograd.tensor import Tensor
from minitx.backend import move


def _left(function):
    return lambda self, other: function(self, other)


def _right(function):
    return lambda self, other: function(other, self)


for _name, _function in {
    "add": f.add, "sub": f.sub, "mul": f.mul, "truediv": f.div, "pow": f.power, "matmul": f.matmul,
}.items():  # fmt: skip
    setattr(Tensor, f"__{_name}__", _left(_function))
    setattr(Tensor, f"__r{_name}__", _right(_function))

for _name, _function in {
    "lt": f.less, "le": f.less_equal, "gt": f.greater, "ge": f.greater_equal, "eq": f.equal,
    "ne": f.not_equal, "and": f.logical_and, "or": f.logical_or, "rand": f.logical_and,
    "ror": f.logical_or, "getitem": f.getitem,
}.items():  # fmt: skip
    setattr(Tensor, f"__{_name}__", _left(_function))

Tensor.__neg__ = lambda self: f.neg(self)
Tensor.__abs__ = lambda self: f.abs(self)
Tensor.__invert__ = lambda self: f.logical_not(self)
Tensor.__hash__ = object.__hash__  # == compares entries, so hashing goes by identity

for _name in (
    "exp log sqrt square tanh sin cos abs sigmoid relu conj clip astype sum mean var std max min "
    "prod norm logsumexp argmax argmin reshape transpose swapaxes moveaxis squeeze expand_dims "
    "broadcast_to split flip roll repeat tril triu cumsum cumprod sort argsort topk"
).split():
    # A method is the function with the Tensor as its first argument.
    setattr(
        Tensor,
        _name,
        (lambda function: lambda self, *args, **kwargs: function(self, *args, **kwargs))(
            getattr(f, _name)
        ),
    )
    getattr(Tensor, _name).__doc__ = getattr(f, _name).__doc__


def _to(self: Tensor, target: object) -> Tensor:
    """The same numbers on a device ("cpu", "cuda") or in a dtype; the Tensor itself if they are."""
    if target not in ("cpu", "cuda"):
        return f.astype(self, target)
    if self.device == target:
        return self
    if self.node is not None and self.node.primitive is not None:
        raise ValueError("only leaves move between devices; move the parameters and the inputs")
    moved = Tensor(move(self.data, target), dtype=self.dtype, requires_grad=self.requires_grad)
    moved.role = self.role
    return moved


Tensor.to = _to
Tensor.T = property(lambda self: f.transpose(self), doc="The axes in reverse order.")
