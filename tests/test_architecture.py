"""The house rules that a program can hold: imports, sizes, docstrings, what is banned.

Sizes fail only far beyond what is usual here (200 lines a file, 30 a function, 7 arguments); run
``python -m tests.test_architecture`` to see the largest.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "minitx"
FILES = sorted(ROOT.rglob("*.py"))
# From the ground up. A room may import from the rooms of earlier lines, and from itself; rooms
# of one line are neighbours and may not import each other.
STOREYS = [
    {"errors", "backend"},
    {"autograd"},
    {"functional"},
    {"nn"},
    {"context"},
    {"positions", "channel_mixers", "connections"},
    {"token_mixers"},
    {"block"},
    {"depth"},
    {"tokens"},
    {"data", "plot"},
    {"models"},
    {"training", "inference"},
    {"pretrained"},
    {"programs", "compress", "adapt", "interpret", "incontext"},
    {"contracts", "catalogue"},
    {"experiments"},
    {"checks"},
    {"commands"},
    {"cli"},
    {"__main__"},
]
LEVEL = {room: level for level, rooms in enumerate(STOREYS) for room in rooms}
MOST_LINES, MOST_FUNCTION_LINES, MOST_ARGUMENTS = 450, 80, 12
BANNED_MODULES = {"pickle", "cPickle", "dill", "shelve", "marshal", "joblib", "cloudpickle"}
BANNED_CALLS = {"eval", "exec", "compile", "__import__"}
OPTIONAL = {
    "matplotlib", "tqdm", "safetensors", "sklearn", "cupy", "huggingface_hub", "torch", "jax",
    "transformers", "tokenizers", "scipy", "pandas", "PIL", "IPython",
}  # fmt: skip


def parse(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def room_of(file: Path) -> str:
    return file.relative_to(ROOT).with_suffix("").parts[0]


def module_of(file: Path) -> list[str]:
    return ["minitx", *file.relative_to(ROOT).with_suffix("").parts]


def imports(file: Path) -> Iterator[tuple[str, int]]:
    """(dotted name, line) of everything that a file imports, also inside functions."""
    package = module_of(file)[:-1]
    for node in ast.walk(parse(file)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            source = ".".join(part for part in (base, node.module) if part)
            yield from ((f"{source}.{alias.name}", node.lineno) for alias in node.names)


def names(file: Path) -> str:
    return str(file.relative_to(ROOT.parent))


def upwards(file: Path, found: Iterator[tuple[str, int]]) -> list[str]:
    """Imports that do not go down: ``file:line imports room``."""
    room, wrong = room_of(file), []
    for name, line in found:
        parts = name.split(".")
        if parts[0] != "minitx" or len(parts) < 2 or parts[1] == room or parts[1] not in LEVEL:
            continue
        if LEVEL[parts[1]] >= LEVEL[room]:
            wrong.append(f"{names(file)}:{line} imports {parts[1]}")
    return wrong


def test_every_room_has_its_storey():
    rooms = {room_of(file) for file in FILES} - {"__init__"}
    assert not rooms - set(LEVEL), "say in STOREYS where these rooms stand"


def test_imports_run_downwards():
    wrong = [one for f in FILES if room_of(f) != "__init__" for one in upwards(f, imports(f))]
    assert not wrong, "\n".join(wrong)


def test_an_import_upwards_is_seen():
    file = ROOT / "autograd" / "tensor.py"
    assert upwards(file, iter([("minitx.nn.module", 3)])) == [
        "minitx/autograd/tensor.py:3 imports nn"
    ]
    assert not upwards(file, iter([("minitx.backend", 1), ("numpy", 2), ("minitx.autograd.x", 4)]))


def test_only_numpy_and_the_standard_library_are_imported_at_the_top():
    wrong = []
    for file in FILES:
        for node in parse(file).body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                found = (
                    [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module]
                )
                wrong += [
                    f"{names(file)}:{node.lineno} imports {name}"
                    for name in found
                    if name and name.split(".")[0] in OPTIONAL
                ]
    assert not wrong, "\n".join(wrong)


def test_nothing_is_pickled_or_evaluated():
    wrong = []
    for file in FILES:
        wrong += [f"{names(file)}:{line} imports {name}" for name, line in imports(file)
                  if name.split(".")[0] in BANNED_MODULES]  # fmt: skip
        for node in ast.walk(parse(file)):
            if isinstance(node, ast.Call):
                called = node.func
                if isinstance(called, ast.Name) and called.id in BANNED_CALLS:
                    wrong.append(f"{names(file)}:{node.lineno} calls {called.id}")
                if any(
                    k.arg == "allow_pickle" and getattr(k.value, "value", True)
                    for k in node.keywords
                ):
                    wrong.append(f"{names(file)}:{node.lineno} allows pickle")
    assert not wrong, "\n".join(wrong)


def test_slots_do_not_compute_with_numpy():
    """Their methods compute with functions of Tensors; NumPy may make numbers in a constructor."""
    rooms = {"positions", "token_mixers", "channel_mixers", "connections", "depth"}
    allowed = {"Generator", "random", "ndarray", "float32", "float64", "int64", "dtype", "array",
               "arange", "clip"}  # fmt: skip
    wrong = []
    for file in FILES:
        if room_of(file) not in rooms:
            continue
        methods = [
            node for name, node in functions_in(file) if "." in name and "__init__" not in name
        ]
        for node in (inner for method in methods for inner in ast.walk(method)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):  # noqa: SIM102
                if node.value.id in ("np", "numpy") and node.attr not in allowed:
                    wrong.append(f"{names(file)}:{node.lineno} uses numpy.{node.attr}")
    assert not wrong, "\n".join(wrong)


# ---------------------------------------------------------------------------- docstrings, sizes


def functions_in(file: Path) -> Iterator[tuple[str, ast.FunctionDef]]:
    """(full name, function) for every function and method."""

    def walk(node, prefix):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                name = f"{prefix}{child.name}"
                if not isinstance(child, ast.ClassDef):
                    yield name, child
                yield from walk(child, f"{name}.")
            else:
                yield from walk(child, prefix)

    yield from walk(parse(file), "")


def public_in(file: Path) -> Iterator[tuple[str, ast.AST]]:
    """Public classes and functions of a file, and the public methods of public classes."""
    for node in parse(file).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            yield node.name, node
            if isinstance(node, ast.ClassDef):
                for inner in node.body:
                    if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("_"):
                        yield f"{node.name}.{inner.name}", inner


@pytest.mark.parametrize("file", FILES, ids=names)
def test_a_file_says_what_it_holds(file):
    text = file.read_text(encoding="utf-8")
    assert not text.strip() or ast.get_docstring(ast.parse(text)), f"{names(file)} has no docstring"


# What people call: of commands, checks, contracts and experiments they call the whole alone, and
# what is public among the rules is so for the rules.
CALLED = [
    file
    for file in FILES
    if room_of(file) not in {"commands", "checks", "contracts", "experiments", "cli", "__main__"}
    and not {"rules", "fused"} & set(file.parts)
]
SELF_EXPLAINING = {"forward", "hear", "names", "all", "pull", "push", "ndim", "size", "zeros_like",
                   "where", "conj", "sample", "begin", "apply", "end", "input", "config",
                   "exact"}  # fmt: skip


def bases() -> dict[str, tuple[set[str], set[str]]]:
    """For every class by name: the names of its bases, and of its methods."""
    found = {}
    for file in FILES:
        for node in ast.walk(parse(file)):
            if isinstance(node, ast.ClassDef):
                parents = {base.id for base in node.bases if isinstance(base, ast.Name)}
                methods = {n.name for n in node.body if isinstance(n, ast.FunctionDef)}
                found[node.name] = (parents, methods)
    return found


BASES = bases()


def explained_above(name: str) -> bool:
    """Whether a method is one that a base class has, and explains."""
    owner, _, method = name.rpartition(".")
    waiting = list(BASES.get(owner, ((), ()))[0])
    while waiting:
        parents, methods = BASES.get(waiting.pop(), ((), ()))
        if method in methods:
            return True
        waiting += parents
    return False


def owing(file: Path) -> Iterator[tuple[str, ast.AST]]:
    """The public names of a file that must explain themselves."""
    for name, node in public_in(file):
        setter = any(isinstance(d, ast.Attribute) for d in getattr(node, "decorator_list", ()))
        if not setter and name.split(".")[-1] not in SELF_EXPLAINING and not explained_above(name):
            yield name, node


def test_public_names_have_docstrings():
    wrong = [
        f"{names(file)}:{node.lineno} {name}"
        for file in CALLED
        for name, node in owing(file)
        if not ast.get_docstring(node)
    ]
    assert not wrong, "no docstring:\n" + "\n".join(wrong)


def test_public_functions_have_annotations():
    wrong = []
    for file in CALLED:
        for name, node in owing(file):
            if isinstance(node, ast.ClassDef):
                continue
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            bare = [a.arg for a in given if a.annotation is None and a.arg not in ("self", "cls")]
            if bare or node.returns is None:
                wrong.append(f"{names(file)}:{node.lineno} {name} {bare or 'returns'}")
    assert not wrong, "no annotation:\n" + "\n".join(wrong)


def sizes() -> dict[str, list[tuple[int, str]]]:
    """The largest files, functions and argument lists, largest first."""
    lines = [(file.read_text(encoding="utf-8").count("\n"), names(file)) for file in FILES]
    functions, arguments = [], []
    for file in FILES:
        for name, node in functions_in(file):
            where = f"{names(file)}:{node.lineno} {name}"
            functions.append((node.end_lineno - node.lineno + 1, where))
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            arguments.append((len([a for a in given if a.arg not in ("self", "cls")]), where))
    return {
        "lines of a file": sorted(lines, reverse=True),
        "lines of a function": sorted(functions, reverse=True),
        "arguments": sorted(arguments, reverse=True),
    }


def test_nothing_grows_out_of_hand():
    bounds = zip(sizes().items(), (MOST_LINES, MOST_FUNCTION_LINES, MOST_ARGUMENTS), strict=True)
    for (what, found), bound in bounds:
        beyond = [f"{n} {what}: {where}" for n, where in found if n > bound]
        assert not beyond, "\n".join(beyond)


if __name__ == "__main__":
    for what, found in sizes().items():
        print(what)
        for count, where in found[:12]:
            print(f"  {count:5}  {where}")
