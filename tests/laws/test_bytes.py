"""Bytes of a state come back as the state; bytes of anything else are refused in words."""

from __future__ import annotations

import numpy as np
import pytest

import nasty
from squarely import PairState
from squarely.errors import StateError

KINDS = ["normal", "huge_and_tiny", "subnormal", "zeros"]


def example(kind: str = "normal") -> bytes:
    """Bytes of a weighted state."""
    y, p = nasty.pair(kind)
    return PairState.of(y, p, sample_weight=nasty.weight("uniform")).to_bytes()


@pytest.mark.parametrize("kind", nasty.KINDS)
@pytest.mark.parametrize("weights", nasty.WEIGHTS)
def test_there_and_back(kind: str, weights: str) -> None:
    y, p = nasty.pair(kind)
    state = PairState.of(y, p, sample_weight=nasty.weight(weights))
    back = PairState.from_bytes(state.to_bytes())
    assert back == state
    assert back.to_bytes() == state.to_bytes()
    assert (back + back).to_bytes() == (state + state).to_bytes()


def test_the_empty_state_comes_back() -> None:
    assert PairState.from_bytes(PairState().to_bytes()) == PairState()


def test_a_difference_comes_back_with_its_unknown_extremes() -> None:
    y, p = nasty.pair("normal")
    rest = PairState.of(y, p) - PairState.of(y[:9], p[:9])
    assert PairState.from_bytes(rest.to_bytes()).to_bytes() == rest.to_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_every_altered_byte_is_refused(kind: str) -> None:
    good = example(kind)
    rng = np.random.default_rng(0)
    places = sorted({*range(min(64, len(good))), *rng.integers(0, len(good), 200).tolist(), len(good) - 1})
    for place in places:
        for flip in (0x01, 0x80, 0xFF, int(rng.integers(1, 256))):
            altered = bytearray(good)
            altered[place] ^= flip
            with pytest.raises(StateError):
                PairState.from_bytes(bytes(altered))


@pytest.mark.parametrize("kind", KINDS)
def test_every_cut_is_refused(kind: str) -> None:
    good = example(kind)
    for length in range(len(good)):
        with pytest.raises(StateError):
            PairState.from_bytes(good[:length])
    with pytest.raises(StateError):
        PairState.from_bytes(good + b"\0")


def test_noise_is_refused() -> None:
    rng = np.random.default_rng(1)
    magic = example()[:8]
    for size in (0, 1, 8, 16, 100, 5000):
        noise = rng.bytes(size)
        with pytest.raises(StateError):
            PairState.from_bytes(noise)
        with pytest.raises(StateError):
            PairState.from_bytes(magic + noise)


def test_the_message_says_what_to_do() -> None:
    with pytest.raises(StateError) as refused:
        PairState.from_bytes(b"actual,predicted\n1,2\n")
    assert len(str(refused.value)) > 30
