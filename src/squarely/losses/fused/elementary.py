"""Logarithms, exponentials and their kin in Triton, of the operations that every device rounds alike.

In float32 they are within about 2 units in the last place, by the polynomials of Cephes (exponential) and FreeBSD's libm (logarithm). In float64
they start from the device's own.
"""

from squarely.losses.fused.device import tl, triton

__all__ = ["divide", "exp", "expm1", "hypot", "log", "log1p", "power", "sinh", "sqrt", "tanh"]


@triton.jit
def divide(a, b):
    """Quotient, rounded to nearest."""
    a, b = tl.broadcast(a, b)
    if a.dtype == tl.float64:
        return a / b
    else:
        return tl.div_rn(a, b)


@triton.jit
def sqrt(x):
    """Root, rounded to nearest."""
    if x.dtype == tl.float64:
        return tl.sqrt(x)
    else:
        return tl.sqrt_rn(x)


@triton.jit
def hypot(a, b):
    """Root of the sum of two squares, without the squares of large numbers."""
    a, b = tl.broadcast(tl.abs(a), tl.abs(b))
    large = tl.where(a < b, b, a)
    small = tl.where(a < b, a, b)
    ratio = divide(small, tl.where(large > 0, large, 1.0))
    return large * sqrt(1.0 + ratio * ratio)


@triton.jit
def _two_to(n):
    """2^n, for whole n between -126 and 127."""
    return ((n.to(tl.int32) + 127) << 23).to(tl.float32, bitcast=True)


@triton.jit
def _scaled(x, n):
    """x 2^n, for whole n between -252 and 254."""
    half = tl.floor(0.5 * n)
    return x * _two_to(half) * _two_to(n - half)


@triton.jit
def _expm1_near(r):
    """exp(r) - 1, for r between -log(2) / 2 and log(2) / 2 (Cephes, expf)."""
    p = tl.fma(r, 1.9875691500e-4, 1.3981999507e-3)
    p = tl.fma(p, r, 8.3334519073e-3)
    p = tl.fma(p, r, 4.1665795894e-2)
    p = tl.fma(p, r, 1.6666665459e-1)
    p = tl.fma(p, r, 5.0000001201e-1)
    return tl.fma(p * r, r, r)


@triton.jit
def _whole_and_rest(x):
    """x = n log(2) + r, for x that is a number of less than 128 in size."""
    n = tl.floor(tl.fma(x, 1.44269504088896341, 0.5))
    return n, tl.fma(n, 2.12194440e-4, tl.fma(n, -0.693359375, x))


@triton.jit
def exp(x):
    """Exponential."""
    if x.dtype == tl.float64:
        return tl.exp(x)
    else:
        near = tl.where(x < 89.0, tl.where(x > -104.0, x, -104.0), 89.0)
        n, r = _whole_and_rest(near)
        return tl.where(x == x, _scaled(_expm1_near(r) + 1.0, n), x)


@triton.jit
def expm1(x):
    """Exponential less 1, which is x for small x."""
    if x.dtype == tl.float64:
        near = tl.where(x < 40.0, tl.where(x > -40.0, x, -40.0), 40.0)
        e = tl.exp(near)
        is_one = e == 1.0
        small = (e - 1.0) * (near / tl.log(tl.where(is_one, 2.0, e)))  # Kahan: the errors of both cancel
        return tl.where(x == x, tl.where(x > 40.0, tl.exp(x), tl.where(is_one, x, small)), x)
    else:
        near = tl.where(x < 18.0, tl.where(x > -18.0, x, -18.0), 18.0)
        n, r = _whole_and_rest(near)
        scale = _two_to(n)
        small = _expm1_near(r) * scale + (scale - 1.0)
        return tl.where(x == x, tl.where(x > 18.0, exp(x), small), x)


@triton.jit
def _exponent_and_rest(x):
    """x = 2^k (1 + f), with 1 + f between the roots of 1/2 and 2, for x that is a normal number above 0."""
    bits = x.to(tl.int32, bitcast=True) + (0x3F800000 - 0x3F3504F3)
    f = ((bits & 0x7FFFFF) + 0x3F3504F3).to(tl.float32, bitcast=True) - 1.0
    return ((bits >> 23) - 127).to(tl.float32), f


@triton.jit
def _log_near(f, k, rest):
    """log(2^k (1 + f)) + rest (FreeBSD, logf)."""
    s = tl.div_rn(f, 2.0 + f)
    z = s * s
    w = z * z
    series = tl.fma(z, tl.fma(w, 0.28498786688, 0.66666662693), w * tl.fma(w, 0.24279078841, 0.40000972152))
    half = 0.5 * f * f
    return tl.fma(k, 6.9313812256e-1, (tl.fma(s, half + series, tl.fma(k, 9.0580006145e-6, rest)) - half) + f)


@triton.jit
def _edges(x, zero, value):
    """A logarithm where x is 0, below, infinite or none, given it elsewhere."""
    value = tl.where(x > zero, value, tl.where(x == zero, float("-inf"), float("nan")))
    return tl.where(x == float("inf"), x, value)


@triton.jit
def log(x):
    """Logarithm."""
    if x.dtype == tl.float64:
        return _edges(x, 0.0, tl.log(tl.where(x > 0.0, x, 1.0)))
    else:
        is_tiny = x < 1.17549435e-38
        k, f = _exponent_and_rest(tl.where((x > 0.0) & (x < float("inf")), tl.where(is_tiny, x * 33554432.0, x), 1.0))
        return _edges(x, 0.0, _log_near(f, tl.where(is_tiny, k - 25.0, k), 0.0))


@triton.jit
def log1p(x):
    """Logarithm of 1 + x, which is x for small x."""
    there = tl.where((x > -1.0) & (x < float("inf")), x, 0.0)
    u = 1.0 + there
    lost = tl.where(there > 1.0, 1.0 - (u - there), there - (u - 1.0))  # of x, by the rounding of 1 + x
    if x.dtype == tl.float64:
        is_one = u == 1.0
        small = tl.log(u) * (there / tl.where(is_one, 1.0, u - 1.0))  # Kahan
        return _edges(x, -1.0, tl.where(tl.abs(there) < 1.0, tl.where(is_one, there, small), tl.log(u)))
    else:
        k, f = _exponent_and_rest(u)
        is_near = k == 0.0
        rest = tl.where(is_near, 0.0, tl.div_rn(lost, u))
        return _edges(x, -1.0, _log_near(tl.where(is_near, there, f), k, rest))


@triton.jit
def power(x, p):
    """x^p for x >= 0 and one number p. The exponent of 2 is exact, so that powers of large numbers keep their digits."""
    if x.dtype == tl.float64:
        value = tl.exp(p * tl.log(tl.where(x > 0.0, x, 1.0)))
    else:
        k, f = _exponent_and_rest(tl.where((x > 1.17549435e-38) & (x < float("inf")), x, 1.0))
        k, p = tl.broadcast(k, p)
        whole = p * k
        part = p * _log_near(f, 0.0, 0.0)
        n = tl.floor(whole + part * 1.44269504088896341 + 0.5)
        r = ((whole - n) + tl.fma(p, k, -whole)) * 0.693147180559945 + part
        value = _scaled(_expm1_near(r) + 1.0, tl.where(n > 200.0, 200.0, tl.where(n < -200.0, -200.0, n)))
    at_end = tl.where((x == 0.0) == (p > 0.0), 0.0, float("inf"))  # of 0 and of infinity, one is 0 and one infinite
    value = tl.where((x == 0.0) | (x == float("inf")), at_end, value)
    return tl.where(x >= 0.0, value, float("nan"))


@triton.jit
def tanh(x):
    """Hyperbolic tangent."""
    t = expm1(-2.0 * tl.abs(x))
    positive = divide(-t, 2.0 + t)
    return tl.where(x < 0.0, -positive, positive)


@triton.jit
def sinh(x):
    """Hyperbolic sine."""
    size = tl.abs(x)
    t = expm1(tl.where(size < 16.0, size, 16.0))
    half = exp(0.5 * tl.where(size < 1000.0, size, 1000.0))
    positive = tl.where(size < 16.0, 0.5 * (t + divide(t, 1.0 + t)), 0.5 * half * half)
    positive = tl.where(x == x, positive, x)
    return tl.where(x < 0.0, -positive, positive)
