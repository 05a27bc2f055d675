"""Triangular systems by blocks: the diagonal blocks are inverted at once, the rest is products.

NumPy has no triangular solve. Substituting row by row costs a Python step per row; here it costs
one per block of rows, and a product of matrices each.
"""

_BLOCK = 16


def _invert(xp, a):
    """The inverses of small lower triangular matrices (..., n, n), a row at a time for all."""
    n = a.shape[-1]
    a = xp.ascontiguousarray(xp.moveaxis(a.reshape(-1, n, n), 0, -1))  # (n, n, batch)
    found = xp.zeros_like(a)
    for i in range(n):
        found[i, i] = 1
        if i:
            found[i, :i] = -xp.einsum("jb,jkb->kb", a[i, :i], found[:i, :i])
        found[i, : i + 1] /= a[i, i]
    return xp.moveaxis(found, -1, 0)


def _padded_blocks(xp, a, blocks, unit_diagonal):
    """The diagonal blocks of ``a``, the last completed by the identity: (..., blocks, n, n)."""
    n = a.shape[-1]
    found = xp.zeros((*a.shape[:-2], blocks, _BLOCK, _BLOCK), a.dtype)
    found[...] = xp.eye(_BLOCK, dtype=a.dtype)
    for i in range(blocks):
        start, stop = i * _BLOCK, min((i + 1) * _BLOCK, n)
        size = stop - start
        block = xp.tril(a[..., start:stop, start:stop], -1 if unit_diagonal else 0)
        if unit_diagonal:
            block = block + xp.eye(size, dtype=a.dtype)
        found[..., i, :size, :size] = block
    return found


def solve_triangular(xp, a, b, lower, unit_diagonal):
    """x with A x = b, for the lower (or upper) triangle A of ``a`` (..., n, n), b (..., n, k)."""
    if not lower:  # turned by half a circle, an upper triangle is a lower one
        turned = solve_triangular(xp, a[..., ::-1, ::-1], b[..., ::-1, :], True, unit_diagonal)
        return turned[..., ::-1, :]
    n = a.shape[-1]
    if not n:
        return a @ b
    blocks = -(-n // _BLOCK)
    inverses = _padded_blocks(xp, a, blocks, unit_diagonal)
    inverses = _invert(xp, inverses).reshape(inverses.shape)
    x = None
    for i in range(blocks):
        start, stop = i * _BLOCK, min((i + 1) * _BLOCK, n)
        rest = b[..., start:stop, :]
        if i:
            rest = rest - a[..., start:stop, :start] @ x[..., :start, :]
        found = inverses[..., i, : stop - start, : stop - start] @ rest
        if x is None:
            x = xp.empty((*found.shape[:-2], *b.shape[-2:]), found.dtype)
        x[..., start:stop, :] = found
    return x
