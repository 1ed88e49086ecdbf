"""Compiles kernels for a device that need not be there, and looks at its machine code: run by tests/laws/test_losses_fused.py."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import torch
import triton
from triton import language as tl
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from squarely.losses.forms import FORMS
from squarely.losses.fused.kernel import multiply, one_pass
from squarely.losses.fused.launch import TILE, warps
from squarely.losses.fused.patch_kernel import patches_in_one_pass
from squarely.losses.fused.terms import Program, of_kernel, of_likelihood
from squarely.losses.kernels import KERNELS, Bound, checked

H200 = GPUTarget("cuda", 90, 32)
POINTERS = ("pred", "target", "spread", "weight", "mask", "scale", "den", "gradient", "gradient_of_spread", "totals", "partials", "counter")
FLAGS = {
    "OMITS": True,
    "SCALED": True,
    "DIVIDED": True,
    "WEIGHTED": False,
    "WEIGHT_SPREAD": False,
    "MASKED": False,
    "MASK_SPREAD": False,
    "WRITES": True,
    "WRITES_SPREAD": False,
}
EVERYTHING = {"WEIGHTED": True, "WEIGHT_SPREAD": True, "MASKED": True, "MASK_SPREAD": True, "WIDE": True}
SHAPE = {"WIDE": False, "SPLIT": True, "PARTS": 1024, "R": 1, "C": TILE, "rows": 1}


def compiled(kernel: Any, kind: str, whole_numbers: str = "i32", **given: Any) -> Any:
    """A kernel for aligned arrays in a type, at every stage of its compilation."""
    whole = "fp64" if kind == "fp64" else "fp32"
    constants = {**FLAGS, **SHAPE, "FLOAT": tl.float64 if whole == "fp64" else tl.float32, "HAS_SPREAD": False, **given}
    constants["NARROW"] = constants.pop("NARROW", False) and kind != "fp64"
    constants = {name: value for name, value in constants.items() if name in kernel.arg_names}
    types = dict.fromkeys(POINTERS, f"*{kind}") | {
        "mask": "*i1",
        "scale": "*fp32",
        "factor": "fp64",
        "den": "*fp64",
        "divisor": "fp64",
        "eps": "fp64",
        "numbers": f"*{kind}",
        "by": "*fp32",
        "totals": f"*{whole}",
        "partials": f"*{whole}",
        "counter": "*i32",
    }
    signature = {name: types.get(name, whole_numbers) for name in kernel.arg_names} | dict.fromkeys(constants, "constexpr")
    place = kernel.arg_names.index
    aligned = {(place(name),): [["tt.divisibility", 16]] for name in (*POINTERS, "columns", "pixels") if name in kernel.arg_names}
    source = ASTSource(kernel, signature=signature, constexprs={(place(name),): value for name, value in constants.items()}, attrs=aligned)
    many = warps(constants.get("R", 1) * constants["C"], torch.float64 if whole == "fp64" else torch.float32)
    return triton.compile(source, target=H200, options={"num_warps": many, "enable_fp_fusion": False}).asm


def machine_code(cubin: bytes) -> str:
    """Machine code as text."""
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        Path(file.name).write_bytes(cubin)
        reader = Path(triton.__file__).parent / "backends" / "nvidia" / "bin" / "nvdisasm"
        return subprocess.run([reader, "-c", file.name], capture_output=True, text=True, check=True).stdout


def show(kind: str, name: str, kernel: Any, whole_numbers: str = "i32", **given: Any) -> None:
    """Tell that a kernel reads and writes 16 bytes at a time and spills nothing, or stop."""
    found = machine_code(compiled(kernel, kind, whole_numbers, **given)["cubin"])
    for what in ("LDG", "STG"):
        assert re.search(rf"{what}\.E\.128", found), f"{kind} {name}: no {what} of 16 bytes"
    assert "LDL" not in found, f"{kind} {name} spills"
    print(kind, name)


def show_wide(name: str, kernel: Any, **given: Any) -> None:
    """Tell that a kernel has 64 bits for where its programs are before it multiplies, or stop."""
    lines = compiled(kernel, "fp32", "i64", WIDE=True, **given)["ttir"].splitlines()
    programs = [found[1] for line in lines if (found := re.search(r"(%\w+) = tt.get_program_id", line))]
    narrow = [line for line in lines if any(re.search(rf"muli.*{each}\b", line) for each in programs)]
    assert programs, f"{name} has no programs"
    assert not narrow, f"{name}: {narrow}"
    print("wide", name)


def show_built(name: str, kernel: Any, kind: str = "fp32", **given: Any) -> None:
    """Tell that a kernel is compiled for arguments of which some are 1, which are part of its code then."""
    assert compiled(kernel, kind, **given)["cubin"]
    print("built", name)


def calls(program: Program | None) -> dict[str, Any]:
    """What a kernel calls, by the names that it has there."""
    assert program is not None
    return {name.upper(): function for name, function in program._asdict().items()}


def of(name: str) -> dict[str, Any]:
    """The program of a loss with the settings that it has by default."""
    return calls(of_kernel(Bound(KERNELS[name], checked(KERNELS[name], {}))))


if __name__ == "__main__":
    show("bf16", "mse_loss", one_pass, **of("mse_loss"), WEIGHTED=True, MASKED=True)
    show("fp32", "barron_loss", one_pass, **of("barron_loss"))
    likelihood = calls(of_likelihood(FORMS["gaussian_nll_loss"], False, {}))  # type: ignore[arg-type]
    show("fp16", "gaussian_nll_loss", one_pass, **likelihood, HAS_SPREAD=True, WRITES_SPREAD=True)
    show("fp64", "log_cosh_loss", one_pass, **of("log_cosh_loss"))
    show("fp32", "student_t_loss", one_pass, **of("student_t_loss"))
    show("fp32", "fair_loss", one_pass, "i64", **of("fair_loss"), **EVERYTHING)
    show("fp64", "linex_loss", one_pass, "i64", **of("linex_loss"), **EVERYTHING)
    show("bf16", "patch_mse_loss", patches_in_one_pass, MASKED=True, R=1, C=1024)
    show("fp32", "patch_mse_loss", patches_in_one_pass, "i64", R=1, C=8192, **EVERYTHING)
    show("fp64", "patch_mse_loss", patches_in_one_pass, "i64", R=1, C=4096, **EVERYTHING)
    show_wide("mse_loss", one_pass, **of("mse_loss"), WEIGHTED=True, WEIGHT_SPREAD=True)
    show_wide("patch_mse_loss", patches_in_one_pass, R=1, C=8192, MASKED=True, MASK_SPREAD=True)
    show_built("a long gradient", multiply, WIDE=True)
    show_built("many short rows", one_pass, **of("mse_loss"), WIDE=True)
    show_built("one column", one_pass, **of("mse_loss"), SPLIT=False, SCALED=False, DIVIDED=False, OMITS=False, R=2048, C=1, columns=1)
    show_built("one patch", patches_in_one_pass, kind="bf16", SPLIT=False, R=1, C=256, patches=1)
    show_built("one number", multiply, kind="bf16", length=1)
    show_built("a variance alone", one_pass, **likelihood, HAS_SPREAD=True, WRITES=False, WRITES_SPREAD=True)
