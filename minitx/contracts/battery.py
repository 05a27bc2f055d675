"""What all contracts share: a Variant and its traits, a list of checks, ways to compare.

A check is a function of a Variant that raises AssertionError when the variant breaks it. A trait
is a property that some fillers of a slot have and others have not (causal, equivariant). Its check
is run on all of them: who declares it must have it, who does not must be shown not to have it, and
that is said with ``NotDeclared``. ``NotOwed`` says that a check does not concern a variant.
"""

import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minitx.autograd.tensor import Tensor
from minitx.autograd.transforms import vjp
from minitx.nn.module import Module, functional_call

BATCH, LENGTH = 2, 7
CONTRACTS: dict[str, "Contract"] = {}


@dataclass(frozen=True)
class Size:
    """How large an instance is made; ``num_heads`` is for what has heads."""

    d_model: int
    num_heads: int

    @property
    def d_head(self) -> int:
        return self.d_model // self.num_heads


SMALL = Size(12, 3)  # what the checks are run on
D_MODEL, NUM_HEADS, D_HEAD = SMALL.d_model, SMALL.num_heads, SMALL.d_head


class NotDeclared(Exception):
    """The variant does not declare the trait, and it was shown to be absent."""


class NotOwed(Exception):
    """The check does not concern this variant."""


@dataclass(frozen=True)
class Variant:
    """Something that fills a slot: its name, its contract, how a small one is made.

    ``make(rng)`` gives a fresh instance of width ``D_MODEL``; ``make(rng, size)`` gives a token
    mixer of another ``Size``. ``traits`` is what it declares. ``cost`` is the exponent with which
    its work grows with the length. ``code`` says where it is.
    """

    name: str
    contract: str
    make: Callable[..., Module]
    traits: frozenset[str] = frozenset()
    cost: float = 1.0
    code: str = ""

    def instance(self, seed: int = 0, dtype: Any = np.float64) -> Module:
        """A fresh instance in evaluation mode, its numbers (zeros and ones too) a little shaken.

        Shaken, because what starts at zero or one would hide that it is there at all.
        """
        module = self.make(np.random.default_rng(seed)).to(dtype).eval()
        rng = np.random.default_rng(seed + 1)
        for parameter in module.parameters():
            shaken = parameter.numpy() + 0.1 * rng.standard_normal(parameter.shape)
            parameter.assign(shaken.astype(dtype))
        return module


@dataclass
class Contract:
    """The checks that a slot asks of what fills it, in order, and the traits it knows."""

    name: str
    traits: tuple[str, ...] = ()
    checks: list[Callable[[Variant], None]] = field(default_factory=list)

    def __post_init__(self):
        CONTRACTS[self.name] = self

    def check(self, function: Callable[[Variant], None]) -> Callable[[Variant], None]:
        """Put a function among the checks; its name is the check's."""
        self.checks.append(function)
        return function


@dataclass(frozen=True)
class Result:
    """What a check said of a variant: "pass", "fail" or "none", and why it failed."""

    contract: str
    variant: str
    check: str
    result: str
    message: str = ""

    def entry(self) -> dict[str, str]:
        """The entry of the table that the book shows."""
        return {
            "contract": self.contract,
            "variant": self.variant,
            "check": self.check.replace("_", " "),
            "result": self.result,
        }


def run_check(variant: Variant, check: Callable[[Variant], None]) -> Result:
    """Run one check; an exception of any kind is a failure."""
    outcome, message = "pass", ""
    try:
        check(variant)
    except (NotOwed, NotDeclared):
        outcome = "none"
    except Exception as error:
        outcome = "fail"
        message = f"{type(error).__name__}: {error}"
        if not isinstance(error, AssertionError):
            message += "\n" + traceback.format_exc()
    return Result(variant.contract, variant.name, check.__name__, outcome, message)


# ------------------------------------------------------------------------- inputs, comparisons


def tokens(
    length: int = LENGTH, batch: int = BATCH, dtype: Any = np.float64, seed: int = 7
) -> Tensor:
    """Random tokens (batch, length, D_MODEL)."""
    values = np.random.default_rng(seed).standard_normal((batch, length, D_MODEL))
    return Tensor(values, dtype=dtype)


def changed(x: Tensor, where: Any, seed: int = 8) -> Tensor:
    """``x`` with other random numbers at ``x[where]``."""
    values = x.numpy().copy()
    values[where] = np.random.default_rng(seed).standard_normal(values[where].shape)
    return Tensor(values, dtype=x.dtype)


def distance(a: Any, b: Any) -> float:
    """max |a - b| / max(1, max |b|); infinite where one is not finite."""
    a, b = np.asarray(a), np.asarray(b)
    assert a.shape == b.shape, f"expected shape {b.shape}, got {a.shape}"
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return np.inf
    return float(np.max(np.abs(a - b), initial=0) / max(1.0, np.max(np.abs(b), initial=0)))


def same(a: Any, b: Any, tolerance: float, what: str) -> None:
    """Raise AssertionError that says ``what`` unless a and b are as close as ``tolerance``."""
    found = distance(a, b)
    assert found <= tolerance, f"{what}: differs by {found:.2g}, expected at most {tolerance:.2g}"


def holds_if_declared(variant: Variant, trait: str, broken_by: float, tolerance: float) -> None:
    """The check of a trait: ``broken_by`` says how far the variant is from having it.

    Declared, it must be within ``tolerance``. Not declared, it must be far away: more than a
    thousandth, or else the variant has the trait and should say so.
    """
    if trait in variant.traits:
        assert broken_by <= tolerance, (
            f"{variant.name} declares {trait}, but is {broken_by:.2g} away from it"
        )
        return
    assert broken_by > 1e-3, (
        f"{variant.name} does not declare {trait}, and nothing shows that it is not: "
        f"it is only {broken_by:.2g} away from it"
    )
    raise NotDeclared


def influence(function: Callable[[Tensor], Tensor], x: Tensor, rows: Any, seed: int = 9) -> Any:
    """d (a random combination of ``function(x)[:, rows]``) / dx, an array like x."""
    y, pull = vjp(function, x)
    cotangent = np.zeros(y.shape)
    rng = np.random.default_rng(seed)
    cotangent[:, rows] = rng.standard_normal(cotangent[:, rows].shape)
    (found,) = pull(Tensor(cotangent, dtype=y.dtype))
    return found.numpy()


def as_function(module: Module, *args: Any) -> tuple[Callable, dict[str, Tensor]]:
    """(f(weights, x), weights): the module as a function of its parameters as well."""
    weights = dict(module.named_parameters())
    return lambda held, x: functional_call(module, held, x, *args), weights


def work(y: Tensor) -> float:
    """How many numbers were multiplied or made on the way to y, counted in its graph."""
    seen, waiting, total = set(), [y.node], 0.0
    while waiting:
        node = waiting.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        waiting += node.parents
        if node.primitive is None or node.shape is None:
            continue
        depth = node.inputs[0].shape[-1] if "matmul" in node.primitive.name and node.inputs else 1
        total += node.size * depth
    return total


def exponent(costs: Iterable[float], lengths: Iterable[int]) -> float:
    """The slope of log cost against log length between the last two lengths."""
    (a, b), (m, n) = list(costs)[-2:], list(lengths)[-2:]
    return float(np.log(b / a) / np.log(n / m))
