"""Products and quotients of float64 in two numbers, of which the second is what rounding leaves out of the first, and their one rounding."""

from squarely.losses.fused.device import INTERPRETED, tl, triton

__all__ = ["difference", "exact_slope", "to_one", "typed"]

_FUSES = tl.constexpr(not INTERPRETED)  # the interpreter rounds a product before something is added to it
_TRUNCATES = tl.constexpr(INTERPRETED)  # and cuts a float32 off where a device rounds it to bfloat16


@triton.jit
def difference(a, b):
    """Difference in two numbers, without error (Knuth); where the first is infinite, the second is nan."""
    high = a - b
    part = high - a
    return high, (a - (high - part)) - (b + part)


@triton.jit
def _halves(x):
    """A number of 53 bits as two of 26 (Veltkamp)."""
    shifted = x * 134217729.0
    upper = shifted - (shifted - x)
    return upper, x - upper


@triton.jit
def _product(a, b):
    """Product in two numbers, without error; where it is too large for that, the second is nan."""
    high = a * b
    if _FUSES:
        low = tl.fma(a, b, -high)
    else:  # Dekker
        a_upper, a_lower = _halves(a)
        b_upper, b_lower = _halves(b)
        low = ((a_upper * b_upper - high) + a_upper * b_lower + a_lower * b_upper) + a_lower * b_lower
    return high, low


@triton.jit
def _settled(high, low):
    """The same sum, whose high part is the nearest number to it; the high part alone where the low one is nan."""
    total = high + low
    rest = low - (total - high)
    return tl.where(rest == rest, total, high), tl.where(rest == rest, rest, 0.0)


@triton.jit
def to_one(scale, den):
    """Both over the power of two that brings ``den`` to at most 1, so that no product is too large that is not when it is divided."""
    bits = (tl.abs(den).to(tl.int64, bitcast=True) - 1) & 0x7FF0000000000000
    power = bits.to(tl.float64, bitcast=True)  # half of it, which is a number whatever den is
    is_normal = (power > 0.0) & (power < float("inf"))
    power = tl.where(is_normal, power, 1.0)
    return tl.where(is_normal, 0.5 * scale / power, scale), tl.where(is_normal, 0.5 * den / power, den)


@triton.jit
def exact_slope(a, u, rest, w, scale, den, DTYPE: tl.constexpr):
    """a (u + rest) w scale / den, rounded once: every rounding before that is known, and goes into the last."""
    high, low = _product(w, scale)
    factor, left = _product(a, high)
    left += a * low
    high, low = _product(u, factor)
    high, low = _settled(high, low + (u * left + rest * factor))
    if den != 1.0:
        quotient = high / den
        back, lost = _product(quotient, den)
        high, low = _settled(quotient, (((high - back) - lost) + low) / den)
    if DTYPE == tl.float64:
        return high
    else:
        bits = high.to(tl.int64, bitcast=True)  # to odd, so that what is a tie of the type without the low part is none with it
        toward = tl.where((low < 0) != (high < 0), bits - 1, bits) | 1
        return typed(tl.where(low != 0, toward, bits).to(tl.float64, bitcast=True), DTYPE)


@triton.jit
def typed(x, DTYPE: tl.constexpr):
    """A float in another type, rounded to nearest once: on its way to a half type by float32, a float64 is rounded to odd."""
    if x.dtype == tl.float64 and (DTYPE == tl.bfloat16 or DTYPE == tl.float16):
        bits = x.to(tl.int64, bitcast=True)
        beyond = bits & 0x1FFFFFFF
        x = ((bits ^ beyond) | ((beyond != 0).to(tl.int64) << 29)).to(tl.float64, bitcast=True).to(tl.float32)
    if DTYPE == tl.bfloat16 and _TRUNCATES:
        x = x.to(tl.float32)
        bits = x.to(tl.uint32, bitcast=True)
        x = tl.where(x == x, ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).to(tl.float32, bitcast=True), x)
    return x.to(DTYPE)
