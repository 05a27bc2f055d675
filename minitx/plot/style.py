"""One look for all figures: readable in greyscale, by the colour-blind, and small.

Lines differ in colour, dashes and marker, each of which is enough to tell them apart.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from minitx.errors import missing_extra

# Okabe and Ito's colours that are dark enough for lines on white, from dark to light in grey.
COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1, 1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P")
SEQUENTIAL = "cividis"  # its lightness rises steadily: greyscale keeps the order

_LOOK = {
    "figure.figsize": (6.0, 3.6),
    "figure.constrained_layout.use": True,
    "figure.dpi": 110,
    "savefig.bbox": "tight",
    "font.size": 10.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.alpha": 0.3,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.5,
    "legend.frameon": False,
    "image.cmap": SEQUENTIAL,
    "svg.fonttype": "none",
    "svg.hashsalt": "minitx",  # the same figure gives the same file
}


def pyplot() -> Any:
    """matplotlib.pyplot, imported when a figure is wanted; ImportError says how to install it."""
    try:
        from matplotlib import pyplot
    except ImportError:
        raise missing_extra("plot", "matplotlib") from None
    return pyplot


def use() -> None:
    """Give every figure from now on this look."""
    pyplot().rcParams.update(_settings())


@contextmanager
def look() -> Iterator[Any]:
    """Within the block figures have this look; gives matplotlib.pyplot."""
    plt = pyplot()
    with plt.rc_context(_settings()):
        yield plt


def line_style(number: int) -> dict[str, Any]:
    """Colour, dashes and marker of line ``number`` (0, 1, ...), as arguments of ``plot``."""
    return {
        "color": COLOURS[number % len(COLOURS)],
        "linestyle": DASHES[number % len(DASHES)],
        "marker": MARKERS[number % len(MARKERS)],
    }


def _settings() -> dict[str, Any]:
    from matplotlib import cycler

    cycle = cycler(color=COLOURS) + cycler(linestyle=DASHES)
    return {**_LOOK, "axes.prop_cycle": cycle}
