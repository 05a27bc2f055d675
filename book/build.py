"""Build the book strictly, and say where it is: `python book/build.py [--clean] [--out FOLDER]`.

A warning, a cell that raises and a cell that writes to stderr each fail the build. `--clean` starts
from nothing, as the gate does; without it, what has not changed is not done again.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def build(out: Path, clean: bool) -> int:
    built = out / "_build"
    if clean:
        shutil.rmtree(built, ignore_errors=True)
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", str(ROOT / "book")]
    command += ["--config", str(ROOT / "_config.yml"), "--path-output", str(out)]
    status = subprocess.run([*command, "-W", "--keep-going", "-n", "-q"], cwd=ROOT).returncode
    if status:
        # Read every page again next time: Sphinx would not repeat the warnings of one that it kept.
        shutil.rmtree(built / ".doctrees", ignore_errors=True)
        print("The book was not built: see the warnings and errors above.", file=sys.stderr)
    else:
        print(f"The book is at {(built / 'html' / 'index.html').as_uri()}")
        print("To press Run in its pages, serve it: make serve")
    return status


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clean", action="store_true", help="start from nothing")
    parser.add_argument("--out", type=Path, default=ROOT, help="where to put _build")
    options = parser.parse_args()
    raise SystemExit(build(options.out.resolve(), options.clean))
