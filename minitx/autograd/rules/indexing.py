"""Primitives that pick entries, and their transposes, which add entries up where they came from.

``getitem`` takes any index that NumPy takes; ``scatter_add`` is its transpose, with repeated
indices adding up. ``embedding`` is the common case, rows of a table, and has a transpose of its
own, because adding up rows by sorting them first is several times faster.
"""

from minitx.autograd.primitive import primitive


def _is_basic(index) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    return all(part is None or part is Ellipsis or isinstance(part, (int, slice)) for part in parts)


def _scatter_add(xp, values, index, shape):
    found = xp.zeros(shape, values.dtype)
    if _is_basic(index):
        found[index] = values
    elif hasattr(xp, "scatter_add"):
        xp.scatter_add(found, index, values)
    else:
        xp.add.at(found, index, values)
    return found


getitem = primitive(
    "getitem",
    lambda xp, x, index: x[index],
    vjp=lambda F, g, y, x, index: F.scatter_add(g, index=index, shape=x.shape),
    kind="linear",
    saves="nothing",
)
scatter_add = primitive(
    "scatter_add",
    _scatter_add,
    vjp=lambda F, g, y, values, index, shape: F.getitem(g, index=index),
    kind="linear",
    saves="nothing",
)


def _add_rows(xp, values, ids, rows):
    """sum of values over equal ids: sort the ids, then add up each run of equal ones."""
    width = values.shape[ids.ndim :]
    found = xp.zeros((rows, *width), values.dtype)
    if not values.size:
        return found
    flat, values = ids.reshape(-1), values.reshape(ids.size, -1)
    if not hasattr(xp.add, "reduceat"):
        xp.add.at(found.reshape(rows, -1), flat, values)
        return found
    order = xp.argsort(flat, kind="stable")
    flat = flat[order]
    starts = xp.flatnonzero(xp.concatenate([xp.ones(1, bool), flat[1:] != flat[:-1]]))
    found.reshape(rows, -1)[flat[starts]] = xp.add.reduceat(values[order], starts, axis=0)
    return found


embedding_ = primitive(
    "embedding",
    lambda xp, table, ids: xp.take(table, ids, axis=0),
    vjp=lambda F, g, y, table, ids: F.add_rows(g, ids=ids, rows=table.shape[0]),
    kind="linear",
    saves="nothing",
)
add_rows_ = primitive(
    "add_rows",
    _add_rows,
    vjp=lambda F, g, y, values, ids, rows: F.embedding(g, ids=ids),
    kind="linear",
    saves="nothing",
)
