// Recipes that are logarithms of quotients: squared logarithmic error and the Tweedie deviances.
#pragma once
#include "term_rows.hpp"

template <class V>
SQUARELY_INLINE V squared_log(const Row<V>& row) {
    const V one = V::set(1.0), minus_one = V::set(-1.0);
    Two<V> log = logarithm(two_sum(one, row.y), two_sum(one, row.p), residual(row).value).value();
    V term = log.hi * log.hi + (log.hi + log.hi) * log.lo;
    return only_where(V::greater(row.y, minus_one), only_where(V::greater(row.p, minus_one), term));
}

// 2 (y log(y/p) - y + p). Near: with s = (y - p)/(y + p) and log(y/p) = 2 s + s R it is 2 s ((y - p) + y R), where nothing cancels.
template <class V>
SQUARELY_INLINE V far_poisson(V y, V p, const Logarithm<V>& log) {
    const V zero = V::set(0.0), tiny = V::set(0x1p-200);
    Split<V> top = split(V::choose(V::greater(y, p), y, p));
    V a = top.apply(y), b = top.apply(p);
    a = V::choose(V::greater(a, tiny), a, zero), b = V::choose(V::greater(b, tiny), b, zero);
    return scale(add(multiply(log.value(), a), two_sum(b, negative(a))).hi, top.exponent + V::set(1.0));
}
template <class V>
SQUARELY_INLINE V near_poisson(V y, Two<V> s, V series, Two<V> difference) {
    V lever = difference.hi + (y * series + difference.lo), half = s.hi * lever + s.lo * lever;
    return half + half;
}
template <class V>
SQUARELY_INLINE V poisson_ends(const Row<V>& row, V term) {  // y = 0, and rows outside the domain
    const V zero = V::set(0.0);
    term = V::choose(V::greater(row.y, zero), term, row.p + row.p);
    return only_where(V::greater(row.p, zero), V::choose(V::greater(zero, row.y), V::set(__builtin_nan("")), term));
}
template <class V>
SQUARELY_INLINE Tried<V> quick_poisson(const Row<V>& row) {
    V y = V::choose(V::greater(row.y, V::set(0.0)), row.y, row.p);
    Two<V> difference = residual(row).value;
    NearLogarithm<V> log = near_logarithm(y, row.p, difference);
    return {poisson_ends(row, near_poisson(y, log.s, log.series, difference)), V::set(1.0) - log.near};
}
template <class V>
SQUARELY_INLINE V careful_poisson(const Row<V>& row) {
    const V zero = V::set(0.0);
    V y = V::choose(V::greater(row.y, zero), row.y, row.p);
    Two<V> difference = residual(row).value;
    Logarithm<V> log = logarithm(exactly(y), exactly(row.p), difference);
    auto far = V::greater(V::absolute(log.k), zero);
    return poisson_ends(row, V::choose(far, far_poisson(y, row.p, log), near_poisson(y, log.s, log.series, difference)));
}

// 2 (log(p/y) + y/p - 1). Near: 2 s (2 s + 2 s^2/(1 - s) - R), since (y - p)/p = 2 s/(1 - s).
template <class V>
SQUARELY_INLINE V far_gamma(V y, V p, const Logarithm<V>& log) {
    Split<V> a = split(y), b = split(p);
    Two<V> ratio = divide(exactly(a.mantissa), exactly(b.mantissa));
    V k = a.exponent - b.exponent, power = V::power_of_two(clamp(k, -200.0, 200.0));
    Two<V> bracket = add(add(times(ratio, power), V::set(-1.0)), negative(log.value()));
    return V::choose(V::greater(k, V::set(100.0)), scale(ratio.hi, k + V::set(1.0)), bracket.hi + bracket.hi);
}
template <class V>
SQUARELY_INLINE V near_gamma(Two<V> s, V series) {
    V twice = s.hi + s.hi, lever = twice + ((s.lo + s.lo) + ((twice * s.hi) / (V::set(1.0) - s.hi) - series)), half = s.hi * lever + s.lo * lever;
    return half + half;
}
template <class V>
SQUARELY_INLINE V both_positive(const Row<V>& row, V term) {
    const V zero = V::set(0.0);
    return only_where(V::greater(row.y, zero), only_where(V::greater(row.p, zero), term));
}
template <class V>
SQUARELY_INLINE Tried<V> quick_gamma(const Row<V>& row) {
    NearLogarithm<V> log = near_logarithm(row.y, row.p, residual(row).value);
    return {both_positive(row, near_gamma(log.s, log.series)), V::set(1.0) - log.near};
}
template <class V>
SQUARELY_INLINE V careful_gamma(const Row<V>& row) {
    Logarithm<V> log = logarithm(exactly(row.y), exactly(row.p), residual(row).value);
    auto far = V::greater(V::absolute(log.k), V::set(0.0));
    return both_positive(row, V::choose(far, far_gamma(row.y, row.p, log), near_gamma(log.s, log.series)));
}

// The unit deviance of any other power q. With a = 2 - q, d = 1 - q and L = log(y/p) it is 2 p^a times
//     h = L^2/2! + (1 + a) L^3/3! + (1 + a + a^2) L^4/4! + ...                    where |L| max(1, |a|) is small,
//     h = (expm1(a L)/a - expm1(L)) / d,  or  (exp(L) expm1(d L)/d - expm1(L)) / a  elsewhere:
// the first for a smaller |a|, the second for a smaller |d|, so that a power near 2 or 1 costs no digits.
template <class V>
struct Tweedie {
    static constexpr int kTerms = 15;
    Two<V> a, inverse_a, inverse_d, inner, inverse_inner, inverse_outer;  // inner and outer: a and d, or d and a
    V lead, reach, lowest;  // lead: 1 where exp(L) leads; reach: of the series in L; y must exceed `lowest`
    double series[kTerms];
    explicit Tweedie(double power) {
        const bool near_one = power < 1.5;
        const V one = V::set(1.0), q = V::set(-power);
        const Two<V> d = two_sum(one, q);
        a = two_sum(V::set(2.0), q), inverse_a = divide(exactly(one), a), inverse_d = divide(exactly(one), d);
        inner = near_one ? d : a, inverse_inner = near_one ? inverse_d : inverse_a, inverse_outer = near_one ? inverse_a : inverse_d;
        lead = V::set(near_one ? 1.0 : 0.0);
        lowest = V::set(power < 0 ? -__builtin_inf() : power < 2 ? -0x1p-1074 : 0.0);
        double base = 2.0 - power, size = base < 0 ? -base : base, sum = 1.0, next = 1.0, factorial = 2.0;
        reach = V::set(0.35 / (size > 1.0 ? size : 1.0));
        for (int k = 0; k < kTerms; k++) {
            series[k] = sum / factorial;
            next = next * base, sum = sum + next, factorial = factorial * (k + 3);
        }
    }
};
// 2^k (1 + less_one) - 2^floor, for k, floor <= 0: what lies below 2^-1000 is lost.
template <class V>
SQUARELY_INLINE Two<V> lowered(Two<V> less_one, V k, V floor) {
    V power = V::power_of_two(clamp(k, -1000.0, 0.0)), base = V::power_of_two(clamp(floor, -1000.0, 0.0));
    return add(two_sum(power, negative(base)), times(less_one, power));
}
// h where the series does not reach, or y < 0, as 2^k times a double-double; `ratio` is exp(L).
template <class V>
SQUARELY_INLINE Two<V> far_tweedie(const Row<V>& row, const Tweedie<V>& of, Two<V> log, V& k) {
    const V zero = V::set(0.0), one = V::set(1.0);
    auto below = V::greater(zero, row.y);
    Exponential<V> ratio = exponential(log), inner = exponential(multiply(log, of.inner));
    V lead = of.lead * ratio.k, top = lead + inner.k;
    k = V::choose(below, zero, V::choose(V::greater(lead, top), lead, top));
    k = V::choose(V::greater(ratio.k, k), ratio.k, k), k = V::choose(V::greater(zero, k), zero, k);
    Two<V> less_one = ratio.less_one(), factor = add(times(less_one, of.lead), one);
    Two<V> first = multiply(multiply(lowered(inner.less_one(), top - k, lead - k), factor), of.inverse_inner);
    Two<V> far = multiply(add(first, negative(lowered(less_one, ratio.k - k, negative(k)))), of.inverse_outer);
    if (!V::any(below)) return far;
    V power = V::power_of_two(clamp(ratio.k - k, -1000.0, 0.0)), base = V::power_of_two(clamp(negative(k), -1000.0, 0.0));
    Two<V> fraction = ratio.fraction(), last = times(of.inverse_a, base);
    return choose(below, add(multiply(times(fraction, power), of.inverse_d), last), far);  // all of one sign
}
template <class V>
SQUARELY_INLINE V tweedie_deviance(const Row<V>& row, const Tweedie<V>& of) {
    const V zero = V::set(0.0), one = V::set(1.0);
    auto below = V::greater(zero, row.y), some = V::greater(V::absolute(row.y), zero);
    V y = V::choose(some, V::absolute(row.y), row.p), k = zero;
    Two<V> difference = choose(below, two_sum(y, negative(row.p)), residual(row).value);
    Two<V> log = logarithm(exactly(y), exactly(row.p), choose(some, difference, exactly(zero))).value();
    Two<V> h = multiply(multiply(log, log), polynomial(log.hi, of.series));
    auto far = V::greater(V::choose(below, V::set(__builtin_inf()), V::absolute(log.hi)), of.reach);
    if (V::any(far)) {
        h = choose(far, far_tweedie(row, of, log, k), h);
        k = V::choose(far, k, zero);
    }
    h = choose(some, h, of.inverse_a);
    Two<V> log_p = logarithm(exactly(row.p), exactly(one), two_sum(row.p, V::set(-1.0))).value();
    Exponential<V> scaled = exponential(multiply(log_p, of.a));  // p^a
    V term = scale(multiply(h, scaled.fraction()).hi, (scaled.k + k) + one);
    return only_where(V::greater(row.p, zero), only_where(V::greater(row.y, of.lowest), term));
}
