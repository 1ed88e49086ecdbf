"""The same loss under the conventions of other libraries: what the page says is evaluated."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
import torch

import squarely.losses.torch as losses

TABLE = tomllib.loads((Path(__file__).parent.parent / "conventions.toml").read_text(encoding="utf-8"))
ROWS = [(library, row) for library, rows in TABLE.items() for row in rows]
RNG = np.random.default_rng(8)
Y = RNG.gamma(2.0, 1.5, 200)
P = Y * np.exp(RNG.normal(0, 0.4, 200))


def names_of(library: str) -> dict[str, Any]:
    """What an expression of a library may use, in its own kind of arrays."""
    arrays = {"p": P, "y": Y, "v": 0.5 + Y / 4, "e": P - Y}
    if library == "torch":
        return {"F": torch.nn.functional, **{name: torch.tensor(each) for name, each in arrays.items()}}
    if library == "keras":
        return {"keras": pytest.importorskip("keras"), **{name: torch.tensor(each) for name, each in arrays.items()}}
    if library == "optax":
        return {"optax": pytest.importorskip("optax"), **{name: jax.numpy.asarray(each) for name, each in arrays.items()}}
    if library == "scikit-learn":
        import sklearn._loss

        return {"sklearn": sklearn, **arrays}
    if library == "statsmodels":
        from statsmodels.robust import norms

        return {"norms": norms, **arrays}
    from scipy.optimize._lsq.least_squares import IMPLEMENTED_LOSSES

    def triple(name: str, e: Any) -> Any:
        """The first of scipy's three numbers, of the square of each residual."""
        rho = np.empty((3, len(e)))
        IMPLEMENTED_LOSSES[name](e**2, rho, cost_only=True)
        return rho[0].mean()

    return {"triple": triple, **arrays}


@pytest.mark.parametrize(("library", "row"), ROWS, ids=[row["theirs"] for _, row in ROWS])
def test_a_convention_is_what_the_page_says(library: str, row: dict[str, Any]) -> None:
    with jax.enable_x64(True):
        theirs = float(eval(row["theirs"], names_of(library)))
    arrays = {name: torch.tensor(each) for name, each in {"p": P, "y": Y, "v": 0.5 + Y / 4}.items()}
    ours = float(eval(row["ours"], {**vars(losses), **arrays}))
    exact = 2e-7 if library == "keras" else 1e-12  # Keras computes in float32
    assert theirs == pytest.approx(row.get("times", 1.0) * ours, rel=exact)


def test_every_library_of_the_page_is_one_we_compare_with() -> None:
    assert list(TABLE) == ["torch", "keras", "optax", "scikit-learn", "statsmodels", "scipy"]
