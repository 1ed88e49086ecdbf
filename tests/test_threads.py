"""Threads of the core wait for the next call: many callers may share them, and a forked process has its own."""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import squarely.losses.numpy as losses
from squarely import PairState

ROWS = 1 << 19


@pytest.fixture(autouse=True)
def _several_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQUARELY_THREADS", "4")


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray]:
    y, p = np.random.default_rng(seed).standard_normal((2, ROWS))
    return y, p


def test_callers_at_once_have_their_own_sums() -> None:
    pairs = [drawn(seed) for seed in range(8)]
    expected = [(p - y) ** 2 for y, p in pairs]

    def call(at: int) -> tuple[bool, bytes]:
        y, p = pairs[at % 8]
        return np.array_equal(losses.MSELoss().loss(y, p), expected[at % 8]), PairState.of(y, p).to_bytes()

    with ThreadPoolExecutor(8) as several:
        found = list(several.map(call, range(64)))
    assert all(is_right for is_right, _ in found)
    assert [body for _, body in found] == [PairState.of(*pairs[at % 8]).to_bytes() for at in range(64)]


def test_calls_that_follow_each_other_and_calls_after_a_pause_agree() -> None:
    y, p = drawn(0)
    first = losses.MSELoss().loss_gradient(y, p)
    for pause in (0.0, 0.0, 0.00005, 0.0001, 0.0002, 0.001, 0.01):
        time.sleep(pause)
        for mine, again in zip(first, losses.MSELoss().loss_gradient(y, p), strict=True):
            assert np.array_equal(mine, again)


FORKED = """
import json, os
import numpy as np
from squarely import PairState
y, p = np.random.default_rng(0).standard_normal((2, 1 << 19))
before = PairState.of(y, p).to_bytes()
child = os.fork()
if not child:
    is_same = PairState.of(y, p).to_bytes() == before
    os._exit(0 if is_same and len(os.listdir("/proc/self/task")) > 1 else 1)
_, status = os.waitpid(child, 0)
print(json.dumps([status, PairState.of(y, p).to_bytes() == before]))
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="threads are counted in /proc")
def test_a_forked_process_has_threads_of_its_own() -> None:
    done = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, timeout=120, check=True)
    assert json.loads(done.stdout) == [0, True]


FORKED_WITH_TORCH = """
import os, signal, warnings
import torch
import squarely.losses.torch as losses
warnings.simplefilter("ignore")
torch.set_num_threads(2)
pred, target = torch.linspace(-1, 1, 1 << 20).requires_grad_(), torch.zeros(1 << 20)
losses.log_cosh_loss(pred, target).backward()
child = os.fork()
if not child:
    signal.alarm(30)
    pred.grad = None
    losses.log_cosh_loss(pred, target).backward()
    os._exit(0 if pred.grad[-1] > 0 else 1)
print(os.waitpid(child, 0)[1])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
def test_a_process_forked_beside_torch_does_not_wait_for_threads_it_has_not() -> None:
    done = subprocess.run([sys.executable, "-c", FORKED_WITH_TORCH], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == "0\n"


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="threads are counted in /proc")
def test_threads_are_started_once() -> None:
    y, p = drawn(0)
    PairState.of(y, p)
    before = len(os.listdir("/proc/self/task"))
    for _ in range(50):
        PairState.of(y, p)
    assert len(os.listdir("/proc/self/task")) == before


def test_a_daemon_thread_in_the_core_does_not_end_the_process_as_the_interpreter_exits() -> None:
    code = (
        "import threading, time, numpy as np, squarely as sq\n"
        "a = np.arange(1_000_000.0)\n"
        "def work():\n"
        "    while True: sq.mean_squared_error(a, a + 1)\n"
        "threading.Thread(target=work, daemon=True).start()\n"
        "time.sleep(0.3)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
