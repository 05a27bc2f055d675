"""Keep every figure twice: as the PNG that a page shows, and as the SVG that a teacher takes away.

Cells draw in a kernel whose profile asks for both; `book/slides.py` and `book/figures.py` find the
SVG in the execution cache by the PNG's name, which is its hash.
"""

import os
from pathlib import Path

from .assets import build_folder

PROFILE = 'c.InlineBackend.figure_formats = {"png", "svg"}\n'


def use_profile(folder: Path) -> None:
    """Let kernels that are started from now on draw figures in both forms."""
    profile = folder / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "ipython_kernel_config.py").write_text(PROFILE)
    os.environ["IPYTHONDIR"] = str(folder)


def draw_both(app, config) -> None:
    use_profile(Path(build_folder(app)) / "ipython")
    # An SVG alone is still shown; where there are both, a page shows the smaller one.
    config.nb_mime_priority_overrides = [
        *config.nb_mime_priority_overrides,
        ("html", "image/png", 39),
    ]


def setup(app) -> None:
    app.connect("config-inited", draw_both, priority=100)
