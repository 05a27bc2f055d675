"""The Run button, with a local copy of Pyodide behind it, from which NumPy is missing."""

import hashlib
import io
import json
import zipfile

import pytest

pytestmark = pytest.mark.book
PAGE = "about/run"  # its cells are plain Python
PATIENCE = 90_000  # milliseconds: Python has to be compiled first


class Cell:
    def __init__(self, page, number: int):
        self.element = page.locator("div.cell").nth(number)
        self.page = page

    def write(self, code: str):
        self.element.locator(".cell_input pre").fill(code)

    def press(self, name: str):
        self.element.get_by_role("button", name=name, exact=True).click()

    def run(self) -> str:
        """Press Run, wait, and return what appeared."""
        self.press("Run")
        state = self.element.locator(".run-state")
        state.filter(has_text=r"s").first.wait_for()
        self.page.wait_for_function(
            "e => /^(done|this cell did|Python did|stopped|cell )/.test(e.textContent)",
            arg=state.element_handle(),
            timeout=PATIENCE,
        )
        return self.output()

    def output(self) -> str:
        return self.element.locator(".run-output").inner_text()


@pytest.fixture
def page(runner):
    return runner.open(PAGE)


def test_a_cell_runs_after_those_above_it_and_shows_what_was_stored(page):
    second = Cell(page, 1)
    stored = second.element.locator(".cell_output").inner_text().strip()
    assert second.run().strip() == stored
    assert Cell(page, 0).output().strip() == "[6, 3, 10, 5, 16, 8, 4, 2, 1]"


def test_a_changed_cell_runs_as_changed_and_is_shared_down_the_page(page):
    first, second = Cell(page, 0), Cell(page, 1)
    first.write("word = 'abc' * 2\nprint(word)\nword[::-1]")
    assert first.run().strip() == "abcabc\n'cbacba'"
    second.write("len(word)")
    assert second.run().strip() == "6"
    first.press("Reset")
    assert "def collatz" in first.element.locator(".cell_input pre").inner_text()


def test_an_error_shows_the_line_of_the_cell_and_not_our_own(page):
    cell = Cell(page, 0)
    cell.write("def f(x):\n    return 1 / x\n\nf(0)")
    output = cell.run()
    assert "ZeroDivisionError" in output
    assert "return 1 / x" in output
    assert "run_cell" not in output


def test_stop_ends_an_endless_loop_and_run_works_again(page):
    cell = Cell(page, 0)
    cell.write("print('on', flush=True)\nwhile True:\n    pass")
    cell.press("Run")
    cell.element.locator(".run-output pre").filter(has_text="on").wait_for(timeout=PATIENCE)
    cell.press("Stop")
    assert "stopped" in cell.element.locator(".run-state").inner_text()
    cell.write("6 * 7")
    assert cell.run().strip() == "42"


def test_restart_forgets(page):
    cell = Cell(page, 0)
    cell.write("globals().setdefault('count', []).append(1); len(count)")
    assert cell.run().strip() == "1"
    assert cell.run().strip() == "2"
    cell.press("Restart Python")
    assert cell.run().strip() == "1"


@pytest.mark.parametrize("code", ["import numpy", "import minitx"])
def test_numpy_out_of_reach_is_said_plainly(page, code):
    cell = Cell(page, 0)
    cell.write(code)
    output = cell.run()
    assert "NumPy could not be loaded from https://cdn.jsdelivr.net/pyodide/" in output
    assert "Traceback" not in output
    cell.write("1 + 1")
    assert cell.run().strip() == "2"


def test_python_out_of_reach_is_said_plainly(visit):
    visit.page.context.route("**/cdn.jsdelivr.net/**", lambda route: route.abort())
    output = Cell(visit.open(PAGE), 0).run()
    visit.page.context.unroute("**/cdn.jsdelivr.net/**")
    assert "Python could not be loaded from https://cdn.jsdelivr.net/pyodide/" in output


def test_nothing_is_fetched_from_outside_before_run_is_pressed(runner):
    runner.open(PAGE)
    assert runner.outside == []


# NumPy and Matplotlib for Pyodide come from its own address alone, so two packages of these names
# stand in for them here: they show that the page fetches what a cell imports, and draws figures.
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
STAND_INS = {
    "numpy": {"numpy/__init__.py": "name = 'stand-in'\n"},
    "matplotlib": {
        "matplotlib/__init__.py": "",
        "matplotlib/pyplot.py": f"""
import base64
numbers = [1, 2]
class figure:
    def __init__(self, number): pass
    def savefig(self, file, **options): file.write(base64.b64decode("{PIXEL}"))
def get_fignums(): return list(numbers)
def close(which): numbers.clear()
""",
    },
}


def stand_in_wheel(name: str) -> bytes:
    files = {
        **STAND_INS[name],
        f"{name}-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{name}-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n",
    }
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return data.getvalue()


@pytest.fixture
def stocked(runner, pyodide):
    """The same, with stand-ins in the list of packages."""
    lock = json.loads((pyodide / "pyodide-lock.json").read_text("utf8"))
    files = {}
    for name in STAND_INS:
        wheel, entry = stand_in_wheel(name), lock["packages"][name]
        files[entry["file_name"]] = wheel
        entry.update(sha256=hashlib.sha256(wheel).hexdigest(), depends=[])
    files["pyodide-lock.json"] = json.dumps(lock).encode()

    def answer(route):
        body = files.get(route.request.url.rsplit("/", 1)[-1])
        if body is None:
            return route.fallback()
        return route.fulfill(body=body, headers={"Access-Control-Allow-Origin": "*"})

    runner.page.context.route("**/cdn.jsdelivr.net/**", answer)
    return runner.open(PAGE)


def test_what_a_cell_imports_is_fetched(stocked):
    cell = Cell(stocked, 0)
    cell.write("import numpy\nnumpy.name")
    assert cell.run().strip() == "'stand-in'"


def test_figures_appear_under_the_cell(stocked):
    cell = Cell(stocked, 0)
    cell.write("import matplotlib.pyplot as plt")
    cell.run()
    images = cell.element.locator(".run-output img")
    assert images.count() == 2
    assert images.first.get_attribute("alt")
    assert images.first.evaluate("image => image.decode().then(() => image.naturalWidth)") == 1


def test_the_wheel_of_minitx_is_there_and_compiles_in_the_page(stocked):
    cell = Cell(stocked, 0)
    cell.write(
        "import compileall, importlib.util, pathlib\n"
        "try:\n    import minitx\nexcept Exception:\n    pass  # the stand-in is no NumPy\n"
        "folder = pathlib.Path(importlib.util.find_spec('minitx').origin).parent\n"
        "files = len(list(folder.rglob('*.py')))\n"
        "print(files > 20, bool(compileall.compile_dir(folder, quiet=1)))"
    )
    assert cell.run().strip() == "True True"
