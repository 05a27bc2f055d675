"""Primitives that multiply and add: matrix products and einsum. Linear in each argument."""

from minitx.autograd.primitive import primitive


def _flip(F, x):
    """The conjugate transpose of the last two axes."""
    x = x.swapaxes(-1, -2)  # arrays and Tensors have it as a method
    return F.conj(x) if x.dtype.kind == "c" else x


# A vector is given the axis it lacks by the public function, so here both have two axes or more.
matmul_ = primitive(
    "matmul",
    lambda xp, a, b: xp.matmul(a, b),
    vjp=(
        lambda F, g, y, a, b: F.matmul(g, _flip(F, b)),
        lambda F, g, y, a, b: F.matmul(_flip(F, a), g),
    ),
    kind="linear",
    saves="inputs",
    meets=True,
)


def _einsum_vjp(F, g, y, *operands, subscripts, argument):
    """The other operands and g, contracted to the letters of this one.

    A letter that only this operand has was summed over: its cotangent is the same along that
    axis, so it is left out of the product and broadcast afterwards.
    """
    inputs, output = subscripts.split("->")
    terms = inputs.split(",")
    mine = terms[argument]
    others = [term for i, term in enumerate(terms) if i != argument]
    known = set(output).union(*others) if others else set(output)
    found = "".join(letter for letter in mine if letter in known)
    rest = [F.conj(x) for i, x in enumerate(operands) if i != argument]
    value = F.einsum(g, *rest, subscripts=f"{','.join([output, *others])}->{found}")
    shape = tuple(
        n if letter in known else 1
        for letter, n in zip(mine, operands[argument].shape, strict=True)
    )
    return F.broadcast_to(F.reshape(value, shape=shape), shape=operands[argument].shape)


def _einsum(xp, *operands, subscripts):
    lengths: dict[str, int] = {}
    for term, x in zip(subscripts.split("->")[0].split(","), operands, strict=True):
        for letter, n in zip(term, x.shape, strict=True):
            if lengths.setdefault(letter, n) != n:
                raise ValueError(
                    f"einsum {subscripts!r} expected one length for {letter!r}, "
                    f"got {lengths[letter]} and {n}"
                )
    return xp.einsum(subscripts, *operands, optimize=len(operands) > 2)


einsum_ = primitive(
    "einsum",
    _einsum,
    vjp=_einsum_vjp,
    variadic=True,
    kind="linear",
    saves="inputs",
    meets=True,
)
