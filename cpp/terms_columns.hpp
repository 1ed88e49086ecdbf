// Recipes of probabilistic predictions: a Gaussian with mean p and standard deviation sigma, in a column of its own.
#pragma once
#include "terms_algebraic.hpp"

// log(2 pi sigma^2)/2 + (r/sigma)^2/2
template <class V>
SQUARELY_INLINE V gaussian_nll(const Row<V>& row) {
    const V one = V::set(1.0), half = V::set(0.5);
    Residual<V> r = residual(row);
    Ratio<V> ratio = squared_ratio(r, split(row.x0));
    Two<V> log = logarithm(exactly(row.x0), exactly(one), two_sum(row.x0, V::set(-1.0))).value();
    Two<V> norm = add(log, Two<V>{V::set(0x1.d67f1c864beb5p-1), V::set(-0x1.65b5a1b7ff5dfp-55)});  // log(2 pi)/2
    Two<V> both = add(norm, times(ratio.v, half));
    return with_scale(row.x0, V::choose(ratio.small, norm.hi, V::choose(ratio.large, half_square((r.value.hi / row.x0) * r.unit), both.hi)));
}

// sigma (z (2 Phi(z) - 1) + 2 phi(z) - 1/sqrt(pi)) with z = r/sigma: a series in z^2 near 0; elsewhere |r| - sigma/sqrt(pi) and
// sigma exp(-z^2/2) H(z) with H(z) = sqrt(2/pi) - z exp(z^2/2) erfc(z/sqrt(2)), a polynomial in u = (z - 7/2)/(z + 7/2): the Chebyshev
// interpolant of degree 18 for |u| <= 1/2, in powers of u. Beyond z = 9 the second part is too small to matter.
template <class V>
SQUARELY_INLINE V crps_gaussian(const Row<V>& row) {
    constexpr double kNear[] = {  // sqrt(2/pi) (-1)^n / (2^n n! (2n+1) (2n+2))
        0x1.9884533d43651p-2, -0x1.1058377e2cee0p-5, 0x1.b3c058c9e17cdp-9, -0x1.37403f6ba1100p-12, 0x1.8355a441abfd3p-16,
        -0x1.a68bf901d2e5bp-20, 0x1.989ddd1b15166p-24, -0x1.62226a4aabe03p-28, 0x1.15c0a3ae044b7p-32, -0x1.8d9fe7a031439p-37,
        0x1.05a3f464f9a0dp-41, -0x1.3e84d07aed1cdp-46, 0x1.68a94a9637cebp-51, -0x1.7da6f42d2edd7p-56, 0x1.7b0523ed50163p-61,
        -0x1.62913220111d0p-66, 0x1.397c440bec732p-71};
    constexpr double kFar[] = {
        0x1.b6038a80903c9p-5, -0x1.6e4b24565f96fp-3, 0x1.0023df973a2b3p-2, -0x1.98516ad41ae9dp-3, 0x1.940ac87c70ad2p-4,
        -0x1.8750f90bbafdfp-6, -0x1.aed95f850d312p-9, 0x1.dc54a198fa170p-9, -0x1.09734952e0f78p-15, -0x1.1d0ce5a5d1a0fp-11,
        0x1.1ef09bfe1cd03p-17, 0x1.8bd63c57c57dap-14, 0x1.e8a0bb0526921p-18, -0x1.2004c4656a27ap-16, -0x1.2c8270ac7bfabp-18,
        0x1.6795bc6c73236p-19, 0x1.a9cfb311f4a3dp-20, -0x1.f18a0e17cfb9ap-23, -0x1.6facbb42bf9e7p-22};
    const V one = V::set(1.0), center = V::set(3.5);
    Residual<V> r = residual(row);
    Ratio<V> ratio = squared_ratio(r, split(row.x0));
    V square = V::choose(ratio.small, V::set(0.0), V::choose(ratio.large, V::set(100.0), ratio.v.hi));
    V sigma = row.x0, near = sigma * (square * polynomial(square, kNear) + V::set(0x1.de9b78e466b8ep-3));  // (sqrt(2) - 1)/sqrt(pi)
    V bounded = clamp(V::sqrt(square), 0.0, 9.5);
    Exponential<V> exp = exponential(exactly(V::set(-0.5) * (bounded * bounded)));
    V density = exp.fraction().hi * V::power_of_two(exp.k), tail = density * polynomial((bounded - center) / (bounded + center), kFar);
    Two<V> size = absolute(r.value);
    V share = sigma * V::choose(V::greater(r.unit, one), V::set(0.5), one);
    V far = (size.hi - (share * (V::set(0x1.20dd750429b6dp-1) - tail) - size.lo)) * r.unit;  // 1/sqrt(pi)
    return with_scale(sigma, V::choose(V::greater(bounded, V::set(1.4)), far, near));
}

// The pinball loss of a forecast in a column of its own.
template <class V>
SQUARELY_INLINE V quantile_loss(const Row<V>& row, V alpha) {
    const Row<V> forecast{row.y, row.x0, row.y - row.x0, row.x0, row.x1};
    return only_where(V::greater(V::set(__builtin_inf()), V::absolute(row.x0)), pinball(forecast, alpha));
}
