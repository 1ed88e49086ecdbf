"""Compiles kernels for a device that need not be there, and looks at its machine code: run by tests/laws/test_losses_fused.py."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import triton
from triton import language as tl
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from squarely.losses.forms import FORMS
from squarely.losses.fused.kernel import one_pass
from squarely.losses.fused.launch import TILE, WARPS
from squarely.losses.fused.patch_kernel import patches_in_one_pass
from squarely.losses.fused.terms import of_kernel, of_likelihood
from squarely.losses.kernels import KERNELS, Bound, checked

H200 = GPUTarget("cuda", 90, 32)
POINTERS = ("pred", "target", "spread", "weight", "mask", "scale", "gradient", "gradient_of_spread", "totals", "partials", "counter")
FLAGS = {
    "OMITS": True,
    "SCALED": True,
    "WEIGHTED": False,
    "WEIGHT_SPREAD": False,
    "MASKED": False,
    "MASK_SPREAD": False,
    "WRITES": True,
    "WRITES_SPREAD": False,
}
SHAPE = {"WIDE": False, "SPLIT": True, "PARTS": 1024, "R": 1, "C": TILE, "rows": 1}


def code(kernel: Any, kind: str, **given: Any) -> str:
    """Machine code of a kernel for aligned arrays in a type."""
    whole = "fp64" if kind == "fp64" else "fp32"
    constants = {**FLAGS, **SHAPE, "FLOAT": tl.float64 if whole == "fp64" else tl.float32, "HAS_SPREAD": False, **given}
    constants = {name: value for name, value in constants.items() if name in kernel.arg_names}
    types = dict.fromkeys(POINTERS, f"*{kind}") | {
        "mask": "*i1",
        "scale": "*fp32",
        "factor": "fp64",
        "eps": "fp64",
        "totals": f"*{whole}",
        "partials": f"*{whole}",
    }
    signature = {name: types.get(name, "i32") for name in kernel.arg_names} | {"counter": "*i32"} | dict.fromkeys(constants, "constexpr")
    place = kernel.arg_names.index
    aligned = {(place(name),): [["tt.divisibility", 16]] for name in (*POINTERS, "columns", "pixels") if name in kernel.arg_names}
    source = ASTSource(kernel, signature=signature, constexprs={(place(name),): value for name, value in constants.items()}, attrs=aligned)
    cubin = triton.compile(source, target=H200, options={"num_warps": WARPS, "enable_fp_fusion": False}).asm["cubin"]
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        Path(file.name).write_bytes(cubin)
        reader = Path(triton.__file__).parent / "backends" / "nvidia" / "bin" / "nvdisasm"
        return subprocess.run([reader, "-c", file.name], capture_output=True, text=True, check=True).stdout


def show(kind: str, name: str, kernel: Any, **given: Any) -> None:
    """Tell that a kernel reads and writes 16 bytes at a time and spills nothing, or stop."""
    found = code(kernel, kind, **given)
    for what in ("LDG", "STG"):
        assert re.search(rf"{what}\.E\.128", found), f"{kind} {name}: no {what} of 16 bytes"
    assert "LDL" not in found, f"{kind} {name} spills"
    print(kind, name)


def of(name: str) -> Any:
    """The function of a loss with the settings that it has by default."""
    return of_kernel(Bound(KERNELS[name], checked(KERNELS[name], {})))


if __name__ == "__main__":
    show("bf16", "mse_loss", one_pass, TERMS=of("mse_loss"), WEIGHTED=True, MASKED=True)
    show("fp32", "barron_loss", one_pass, TERMS=of("barron_loss"))
    likelihood = of_likelihood(FORMS["gaussian_nll_loss"], False, {})  # type: ignore[arg-type]
    show("fp16", "gaussian_nll_loss", one_pass, TERMS=likelihood, HAS_SPREAD=True, WRITES_SPREAD=True)
    show("fp64", "log_cosh_loss", one_pass, TERMS=of("log_cosh_loss"))
    show("bf16", "patch_mse_loss", patches_in_one_pass, MASKED=True, R=2, C=1024)
