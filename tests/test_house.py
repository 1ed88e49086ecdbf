"""The house keeps itself: layers, sizes, names, docstrings, examples and tests are checked by reading the source."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import os
import pkgutil
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import squarely

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "squarely"
MODULES = sorted(SOURCE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
FOUR_FINGERS = {"utils", "helpers", "common", "base", "util", "helper", "misc"}
OPTIONAL = ("sklearn", "pandas", "polars", "duckdb", "torch", "triton", "jax", "keras", "xgboost", "lightgbm", "catboost", "formulaic")
HEAVY = ("pyarrow", "rich", "narwhals", "pandas", "polars", "typer", "jinja2", "sklearn")

# From the top of the house to its floor: a module imports only from lines below its own, or from its own room.
LAYERS = (
    ("cli",),
    ("lab",),
    ("curves",),
    ("report", "linear"),
    ("diagnose",),
    ("compare", "decompose", "slices"),
    ("evaluate", "scorer"),
    ("catalogue", "intervals"),
    ("metric", "sources", "image", "losses"),
    ("state", "svg", "svg_file"),
    ("validate", "parameter"),  # a state is made of arrays, which the gate judges first
    ("errors", "plain", "_core"),
)
FLOOR = {room: depth for depth, rooms in enumerate(LAYERS) for room in rooms}
DOORS = {"__init__", "__main__"}  # the package's own names and `python -m`: above every layer


def room_of(path: Path) -> str:
    """The first part of a module's name inside the package."""
    return path.relative_to(SOURCE).with_suffix("").parts[0]


def tree(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(path: Path) -> Iterator[str]:
    """Absolute dotted names that a file imports, relative ones resolved; `from a import b` yields a.b."""
    package = ["squarely", *path.relative_to(SOURCE).parent.parts] if path.is_relative_to(SOURCE) else []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *(node.module or "").split(".")]).strip(".")
            yield from (f"{stem}.{alias.name}" for alias in node.names)


def relative(path: Path) -> str:
    """A path as a message shows it."""
    return path.relative_to(ROOT).as_posix()


# --- layers, sizes, names -----------------------------------------------------------------------------------------


def test_a_module_imports_only_from_below() -> None:
    broken = []
    for path in MODULES:
        here = room_of(path)
        if here in DOORS:
            continue
        for name in imports(path):
            parts = name.split(".")
            there = parts[1] if parts[0] == "squarely" and len(parts) > 1 else None
            if there and there != here and FLOOR.get(there, -1) <= FLOOR.get(here, -1):
                broken.append(f"{relative(path)} imports {name}")
    assert broken == []


def test_every_module_has_a_room() -> None:
    assert [relative(path) for path in MODULES if room_of(path) not in FLOOR and room_of(path) not in DOORS] == []


def test_catalogue_imports_no_array_library() -> None:
    libraries = {"numpy", "pyarrow", "narwhals", *OPTIONAL}
    found = [(relative(path), name) for path in MODULES if room_of(path) == "catalogue" for name in imports(path)]
    assert [pair for pair in found if pair[1].split(".")[0] in libraries] == []


@pytest.mark.parametrize("library", OPTIONAL)
def test_an_optional_dependency_has_one_door_to_a_room(library: str) -> None:
    users = [path for path in MODULES if library in {name.split(".")[0] for name in imports(path)}]
    assert len({room_of(path) for path in users}) == len(users), [relative(path) for path in users]


def test_no_file_is_longer_than_300_lines() -> None:
    files = [*MODULES, *(path for path in (ROOT / "cpp").rglob("*") if path.is_file())]
    assert {relative(p): n for p in files if (n := len(p.read_text(encoding="utf-8").splitlines())) > 300} == {}


def test_no_module_is_a_drawer() -> None:
    assert [relative(path) for path in MODULES if path.stem.strip("_") in FOUR_FINGERS] == []


def test_python_is_kept_out_of_the_numerics() -> None:
    mentions = [p for p in (ROOT / "cpp").rglob("*") if p.is_file() and re.search(r"nanobind|Python\.h", p.read_text())]
    assert [path.name for path in mentions if not path.name.startswith("bind")] == []


# --- public names and their words ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_all_is_true(path: Path) -> None:
    name = ".".join(["squarely", *path.relative_to(SOURCE).with_suffix("").parts]).removesuffix(".__init__")
    if name.endswith("__main__"):
        assert "import" in path.read_text(encoding="utf-8")
        return
    module = importlib.import_module(name)
    declared = module.__all__
    assert [public for public in declared if not hasattr(module, public)] == []
    assert len(set(declared)) == len(declared)


def test_every_public_name_is_declared() -> None:
    metrics = {name for metric in squarely.METRICS.values() for name in (metric.name, *metric.aliases)}
    assert set(squarely.__all__) == metrics | {
        "METRICS",
        "BiasVariance",
        "Comparison",
        "Decomposition",
        "Diagnosis",
        "Evaluation",
        "Finding",
        "LearningCurve",
        "PairState",
        "Slices",
        "ValidationCurve",
        "compare",
        "decompose",
        "learning_curve",
        "linear",
        "losses",
        "bias_variance",
        "diagnose",
        "errors",
        "evaluate",
        "report",
        "scorer",
        "slices",
        "validation_curve",
    }


@pytest.mark.parametrize(
    "name", [*squarely.METRICS, "PairState", "evaluate", "compare", "decompose", "bias_variance", "slices", "learning_curve", "validation_curve"]
)
def test_what_computes_explains_itself(name: str) -> None:
    thing = getattr(squarely, name)
    words = "\n".join(inspect.getdoc(each) or "" for each in (thing, getattr(thing, "of", None)) if each)  # a class is made by its of()
    lacking = [
        part
        for part, pattern in {
            "formula": r"math::",
            "unit": r"unit",
            "shapes": r"Parameters\n-+\n[\s\S]*\(n,",
            "returns": r"Returns\n-+\n",
            "raises": r"Raises\n-+\n",
            "reference": r"References?\n-+\n",
            "example": r">>> ",
        }.items()
        if not re.search(pattern, words)
    ]
    assert lacking == []


@pytest.mark.parametrize("name", [name for name in squarely.__all__ if name not in squarely.METRICS])
def test_a_public_name_explains_itself(name: str) -> None:
    thing = getattr(squarely, name)
    if not (inspect.isclass(thing) or callable(thing)):
        assert name.startswith("__") or name.isupper() or inspect.ismodule(thing), name
        return
    words = inspect.getdoc(thing) or ""
    assert words.splitlines()[:1] not in ([], [""])
    if not (inspect.isclass(thing) and issubclass(thing, (Exception, Warning))):
        assert ">>> " in words, f"{name} has no runnable example"


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_modules_classes_and_public_functions_have_docstrings(path: Path) -> None:
    module = tree(path)
    assert ast.get_docstring(module), "the module says nothing of itself"
    named = [node for node in module.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))]
    assert [node.name for node in named if not node.name.startswith("_") and not ast.get_docstring(node)] == []


# --- examples run -------------------------------------------------------------------------------------------------


@pytest.fixture
def beside_the_examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A throw-away working folder that holds a copy of examples/."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def module_names() -> list[str]:
    """Every importable module of the package."""
    found = pkgutil.walk_packages(squarely.__path__, "squarely.")
    return ["squarely", *(m.name for m in found if not m.name.endswith(("__main__", "._core")))]


@pytest.mark.parametrize("name", module_names())
def test_doctests(name: str, beside_the_examples: Path) -> None:
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    assert doctest.testmod(importlib.import_module(name), optionflags=flags).failed == 0


@pytest.mark.parametrize("name", squarely.METRICS)
def test_examples_of_metrics(name: str, beside_the_examples: Path) -> None:
    examples = doctest.DocTestParser().get_doctest(inspect.getdoc(getattr(squarely, name)) or "", {}, name, None, 0)
    assert examples.examples
    assert doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(examples).failed == 0


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_python_blocks_of_pages_run(page: Path, beside_the_examples: Path) -> None:
    blocks = blocks_of(page, "python")
    names: dict[str, object] = {"__name__": "page"}
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    for block in blocks:
        examples = doctest.DocTestParser().get_doctest(block, names, page.name, str(page), 0)
        assert examples.examples, block
        assert doctest.DocTestRunner(optionflags=flags).run(examples, clear_globs=False).failed == 0
        names = examples.globs
    assert {kind for kind, _ in every_block(page)} <= {"python", "console", "sh", "yaml"}


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_console_blocks_of_pages_run(page: Path, beside_the_examples: Path) -> None:
    for block in blocks_of(page, "console"):
        for asked, expected in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, flags=re.MULTILINE):
            environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
            run = subprocess.run(asked, shell=True, capture_output=True, text=True, timeout=60, check=False, env=environment)
            plain = run.stdout.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")
            said = "".join(f"{line.rstrip()}\n" for line in plain.splitlines())
            assert doctest.OutputChecker().check_output(expected, said, doctest.ELLIPSIS), f"{asked}\n{said}{run.stderr}"


def test_commands_of_workflows_run(beside_the_examples: Path) -> None:
    """A step over several lines is one line, as the mark ">" says."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "GITHUB_STEP_SUMMARY": "summary.md"}
    commands = [
        " ".join(step.split())
        for page in PAGES
        for block in blocks_of(page, "yaml")
        for step in re.findall(r"^ *- run: >\n((?: +[^ -].*\n| +--.*\n)+)", block, flags=re.MULTILINE)
    ]
    assert [command.split()[:2] for command in commands] == [["squarely", "evaluate"]]
    for command in commands:
        assert subprocess.run(command, shell=True, capture_output=True, timeout=60, check=False, env=environment).returncode == 0
        written = {"summary.md", *re.findall(r"(?:--report|--junit) (\S+)", command)}
        assert written <= set(os.listdir(beside_the_examples))


def test_set_up_commands_are_targets() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    for page in PAGES:
        for block in blocks_of(page, "sh"):
            assert {line.split()[1] for line in block.splitlines()} <= set(targets), page
            assert {line.split()[0] for line in block.splitlines()} == {"make"}, page


def every_block(page: Path) -> list[tuple[str, str]]:
    """The kind and the text of each fenced block."""
    return re.findall(r"^```(\w*)\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def blocks_of(page: Path, kind: str) -> list[str]:
    """The fenced blocks of one kind."""
    return [text for each, text in every_block(page) if each == kind]


@pytest.mark.parametrize("page", ["metrics", "checks", "losses"])
def test_a_list_is_up_to_date(page: str) -> None:
    run = subprocess.run([sys.executable, ROOT / "docs" / f"{page}.py"], capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout == (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")


def test_the_examples_are_the_scripts_output_in_shape() -> None:
    lines = (ROOT / "examples" / "diabetes.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "actual,linear,ridge,boosting,sex,age_band"
    assert len(lines) == 443


def test_import_is_light() -> None:
    code = f"import sys, squarely; print([m for m in {HEAVY!r} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert run.stdout.strip() == "[]", run.stdout + run.stderr


# --- tests assert -------------------------------------------------------------------------------------------------


def test_every_test_asserts() -> None:
    silent = [f"{relative(path)}: {node.name}" for path in TESTS for node in _tests_in(path) if not _asserts(node)]
    assert silent == []


def _tests_in(path: Path) -> Iterator[ast.FunctionDef]:
    return (n for n in ast.walk(tree(path)) if isinstance(n, ast.FunctionDef) and n.name.startswith("test_"))


def _asserts(function: ast.FunctionDef) -> bool:
    return any(
        isinstance(node, ast.Assert) or (isinstance(node, ast.Attribute) and node.attr in ("raises", "warns", "assert_close", "assert_allclose"))
        for node in ast.walk(function)
    )


def test_no_comparison_is_thrown_away() -> None:
    idle = []
    for path in TESTS:
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.Expr):
                continue
            value = node.value
            called = value.func if isinstance(value, ast.Call) else None
            name = getattr(called, "attr", getattr(called, "id", ""))
            if isinstance(value, ast.Compare) or name in ("allclose", "isclose", "array_equal", "equals"):
                idle.append(f"{relative(path)}:{node.lineno}")
    assert idle == []
