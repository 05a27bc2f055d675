"""Files of the site that are made by the build and never committed: MathJax and the wheel.

They lie in `_build/assets`, which becomes one more static folder. MathJax comes out of the
package `sphinx-mathjax-offline`, so that no page asks another site for it; the wheel of minitx is
what the Run button and downloaded notebooks install.
"""

import hashlib
import importlib.metadata
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

MATHJAX = ("tex-mml-chtml.js", "output/chtml/fonts/woff-v2/")


def project_root(app) -> Path:
    return Path(app.srcdir).parent


def build_folder(app) -> Path:
    return Path(app.outdir).parent


def digest_of(*folders: Path) -> str:
    """A hash of all files in these folders that a page may depend on."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix in {".py", ".toml", ".json", ".cu"}:
                name = path.relative_to(folder.parent).as_posix()
                digest.update(name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def wheel_name(root: Path) -> str:
    version = tomllib.loads((root / "pyproject.toml").read_text("utf8"))["project"]["version"]
    return f"minitx-{version}-py3-none-any.whl"


def copy_mathjax(target: Path) -> None:
    """Copy the one combined script and its fonts (2 MB) out of the installed package."""
    if target.exists():
        return
    marker = "static/mathjax/"
    for file in importlib.metadata.files("sphinx-mathjax-offline") or ():
        name = file.as_posix().partition(marker)[2]
        if name.startswith(MATHJAX):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file.locate(), target / name)


def build_wheel(root: Path, target: Path, digest: str) -> None:
    """Build the wheel again if the package has changed since the last one."""
    stamp = target / "digest.txt"
    if stamp.exists() and stamp.read_text() == digest and (target / wheel_name(root)).exists():
        return
    shutil.rmtree(target, ignore_errors=True)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    stamp.write_text(digest)


def prepare(app, config) -> None:
    root, assets = project_root(app), build_folder(app) / "assets"
    config.minitx_digest = digest_of(root / "minitx")
    config.machine_digest = digest_of(root / "book" / "_ext", root / "book" / "_data")
    copy_mathjax(assets / "mathjax")
    build_wheel(root, assets / "wheels", config.minitx_digest)
    config.html_static_path.append(str(assets))


def setup(app) -> None:
    app.add_config_value("book_url", "", "html")
    app.add_config_value("pyodide_url", "", "html")
    # A change of either makes every page be read again, so that none shows what is no longer so.
    app.add_config_value("minitx_digest", "", "env")
    app.add_config_value("machine_digest", "", "env")
    app.connect("config-inited", prepare, priority=100)
