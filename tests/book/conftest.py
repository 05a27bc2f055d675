"""The built book, served on this machine, and a headless Chromium that reads it."""

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HTML = ROOT / "_build" / "html"
PYODIDE = "314.0.7"
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


def pages_of_contents() -> list[str]:
    """The pages of the book, as its table of contents names them."""
    contents = (ROOT / "book" / "_toc.yml").read_text("utf8")
    return ["index", *re.findall(r"file:\s*([\w./-]+)", contents)]


def pytest_generate_tests(metafunc):
    if "page_name" in metafunc.fixturenames:
        metafunc.parametrize("page_name", pages_of_contents())


@pytest.fixture(scope="session")
def page_names():
    return pages_of_contents()


@pytest.fixture(scope="session")
def html(build) -> Path:
    """The folder of the built book."""
    return HTML


@pytest.fixture(scope="session")
def build():
    """Build the book as `make book` does; the second build, of the same book, and its seconds."""
    command = [sys.executable, str(ROOT / "book" / "build.py")]
    first = subprocess.run(command, capture_output=True, text=True)
    assert first.returncode == 0, first.stdout + first.stderr
    start = time.perf_counter()
    again = subprocess.run(command, capture_output=True, text=True)
    return again, time.perf_counter() - start


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="session")
def site(build):
    """The address of the built book."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(HTML)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """Chromium with a new profile; it is an error if it is missing."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium, "the tests of the book expected chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        profile = tmp_path_factory.mktemp("profile")
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=chromium, headless=True, args=FLAGS
        )
        yield context
        context.close()


class Visit:
    """A page that notes what went wrong, and what it asked other sites for."""

    def __init__(self, browser, site: str):
        self.site, self.errors, self.outside = site, [], []
        self.page = browser.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self.note_console)
        self.page.on("request", self.note_request)

    def note_console(self, message):
        if message.type == "error":
            self.errors.append(message.text)

    def note_request(self, request):
        if not request.url.startswith((self.site, "data:", "blob:")):
            self.outside.append(request.url)

    def open(self, name: str, width: int = 1200, until: str = "load"):
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.goto(f"{self.site}/{name}.html", wait_until=until)
        return self.page


@pytest.fixture
def visit(browser, site):
    visit = Visit(browser, site)
    yield visit
    visit.page.close()


@pytest.fixture(scope="session")
def pyodide(tmp_path_factory) -> Path:
    """A local copy of Pyodide: Python itself, without NumPy. npm brings it, once."""
    home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "minitx" / "pyodide"
    folder = home / PYODIDE / "package"
    if not (folder / "pyodide.mjs").exists():
        npm = shutil.which("npm")
        assert npm, "the tests of the Run button expected npm: apt-get install npm"
        folder.parent.mkdir(parents=True, exist_ok=True)
        command = [npm, "pack", "--silent", f"pyodide@{PYODIDE}"]
        subprocess.run(command, cwd=folder.parent, check=True, capture_output=True)
        archive = next(folder.parent.glob("*.tgz"))
        shutil.unpack_archive(archive, folder.parent, "gztar", filter="data")
        archive.unlink()
    return folder


@pytest.fixture
def runner(visit, pyodide):
    """A visit in which Pyodide's address is answered from the local copy, and by nothing else."""
    types = {".mjs": "text/javascript", ".wasm": "application/wasm", ".json": "application/json"}

    def answer(route):
        file = pyodide / route.request.url.rsplit("/", 1)[-1]
        if file.suffix == ".whl" or not file.exists():
            return route.abort()
        headers = {"Access-Control-Allow-Origin": "*"}
        kind = types.get(file.suffix, "application/octet-stream")
        return route.fulfill(path=file, headers=headers, content_type=kind)

    visit.page.context.route("**/cdn.jsdelivr.net/**", answer)
    yield visit
    visit.page.context.unroute("**/cdn.jsdelivr.net/**")
