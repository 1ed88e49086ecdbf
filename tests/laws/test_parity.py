"""Every estimator and every check has a test that holds it to nine digits of a peer, or of its definition where no peer has it.

Such a test says so by its mark, ``@pytest.mark.parity("SQ005", peer="statsmodels linear_reset")``: whom it holds, and to what.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from squarely import linear
from squarely.diagnose.checks import CHECKS
from squarely.linear.checks_with_instruments import FIT_CHECKS
from squarely.linear.inference import Certainty
from squarely.linear.model import LinearModel

DIGITS = 1e-9
CHECKED = {*CHECKS, *FIT_CHECKS}
CLASSES = [each for each in vars(linear).values() if inspect.isclass(each)]
ESTIMATORS = {each.__name__ for each in CLASSES if issubclass(each, LinearModel) and each is not linear.GramEstimator}
INFERENCES = {each.__name__ for each in CLASSES if issubclass(each, Certainty)}


class Marked(NamedTuple):
    """A test that is marked, in the module it stands in."""

    where: str
    module: ast.Module
    function: ast.FunctionDef
    mark: ast.Call

    @property
    def subjects(self) -> list[str]:
        return [subject.value for each in self.mark.args for subject in ast.walk(each) if isinstance(subject, ast.Constant)]

    def read(self) -> Iterator[ast.AST]:
        """The nodes of the test and of the functions of its module that it calls."""
        functions = {node.name: node for node in self.module.body if isinstance(node, ast.FunctionDef)}
        waiting, seen = [self.function.name], set()
        while waiting:
            name = waiting.pop()
            seen.add(name)
            for node in ast.walk(functions[name]):
                yield node
                if isinstance(node, ast.Name) and node.id in functions and node.id not in seen:
                    waiting.append(node.id)


def marked() -> Iterator[Marked]:
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        for function in module.body:
            for mark in function.decorator_list if isinstance(function, ast.FunctionDef) else ():
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.parity":
                    yield Marked(f"{path.name}::{function.name}", module, function, mark)


MARKED = list(marked())


def constants_of(module: ast.Module) -> dict[str, float]:
    """What names stand for: constants of a module, and what its functions take where nothing is given."""
    found = {ast.unparse(n.targets[0]): n.value.value for n in module.body if isinstance(n, ast.Assign) and isinstance(n.value, ast.Constant)}
    for node in module.body:
        for name, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True) if isinstance(node, ast.FunctionDef) else ():
            if isinstance(default, ast.Name) and default.id in found:
                found[name.arg] = found[default.id]
    return found


def too_wide(call: ast.Call, constants: dict[str, float]) -> bool:
    """Whether a comparison asks for fewer than nine digits: by what it says, or by what it leaves to NumPy (1e-7) and pytest (1e-6)."""
    said = {each.arg: each.value for each in call.keywords}
    name = ast.unparse(call.func).rsplit(".")[-1]
    if (name == "assert_allclose" and "rtol" not in said) or (name == "approx" and not {"rel", "abs"} & set(said)):
        return True
    values = [said[each] for each in ("rel", "rtol") if each in said]
    known = [constants.get(each.id) if isinstance(each, ast.Name) else ast.literal_eval(each) for each in values]
    return any(each is not None and each > DIGITS for each in known)


def test_every_estimator_and_every_check_has_its_parity() -> None:
    held = {subject for each in MARKED for subject in each.subjects}
    assert sorted((CHECKED | ESTIMATORS | INFERENCES) - held) == []
    assert sorted(held - CHECKED - set(linear.__all__)) == []


def test_what_every_check_judges_has_its_parity() -> None:
    """Findings come of the effect, so no check is held by its other statistics alone."""
    judged = {subject for each in MARKED for subject in each.subjects if '"effect"' in ast.unparse(each.function).replace("'", '"')}
    assert sorted(CHECKED - judged) == []


@pytest.mark.parametrize("test", MARKED, ids=[each.where for each in MARKED])
def test_a_parity_is_of_what_it_says_and_of_nine_digits(test: Marked) -> None:
    nodes = [node for statement in test.function.body for node in ast.walk(statement)]
    strings = {node.value for node in nodes if isinstance(node, ast.Constant)}
    names = {node.id for node in ast.walk(test.module) if isinstance(node, ast.Name)}
    assert [each for each in test.subjects if each in CHECKED and each not in strings] == [], "it asks for no number of this check"
    assert [each for each in test.subjects if each in ESTIMATORS and each not in names] == [], "its module has no such estimator"
    assert [each.arg for each in test.mark.keywords] == ["peer"], "it says whom it holds its subjects to"
    constants = constants_of(test.module)
    wide = [ast.unparse(node) for node in test.read() if isinstance(node, ast.Call) and too_wide(node, constants)]
    assert wide == []
