// Recipes that are logarithms of quotients: squared logarithmic error, the Poisson and the gamma deviance.
#pragma once
#include "term_rows.hpp"

template <class V>
SQUARELY_INLINE Tried<V> quick_squared_log(const Row<V>& row) {
    const V one = V::set(1.0), zero = V::set(0.0);
    Two<V> sum = two_sum(row.y, row.p), t = two_sum(sum.hi, V::set(2.0)), r = two_sum(row.y, negative(row.p));
    r.lo = V::choose(V::greater(V::absolute(r.hi - row.r), zero), zero, r.lo), t = quick_two_sum(t.hi, t.lo + sum.lo);
    V inverse = one / t.hi;
    Two<V> s = close_quotient(row.r, t, inverse);
    s.lo = s.lo + r.lo * inverse;
    Two<V> log = close_logarithm(s);
    return {log.hi * log.hi + (log.hi + log.hi) * log.lo, not_close(one + row.y, one + row.p)};
}
template <class V>
SQUARELY_INLINE V careful_squared_log(const Row<V>& row) {
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
// For close numbers y + p = 2 p + r.
template <class V>
SQUARELY_INLINE Tried<V> quick_poisson(const Row<V>& row) {
    auto some = V::greater(V::absolute(row.y), V::set(0.0));
    V twice = row.p + row.p, y = V::choose(some, row.y, row.p);
    Two<V> t = quick_two_sum(twice, row.r);
    Two<V> s = close_quotient(row.r, t, V::set(1.0) / t.hi);
    V lever = row.r + y * logarithm_series(s.hi * s.hi), half = s.hi * lever + s.lo * lever;
    return {V::choose(some, half + half, twice), not_close(y, row.p)};
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
// For close numbers, with q = (y - p)/p: 2 s (q - R). One division serves both quotients.
template <class V>
SQUARELY_INLINE Tried<V> quick_gamma(const Row<V>& row) {
    Two<V> t = quick_two_sum(row.p + row.p, row.r);
    V inverse = V::set(1.0) / (t.hi * row.p);
    Two<V> s = close_quotient(row.r, t, row.p * inverse), q = close_quotient(row.r, exactly(row.p), t.hi * inverse);
    V lever = (q.hi - logarithm_series(s.hi * s.hi)) + q.lo, half = s.hi * lever + s.lo * lever;
    return {half + half, not_close(row.y, row.p)};
}
template <class V>
SQUARELY_INLINE V careful_gamma(const Row<V>& row) {
    Logarithm<V> log = logarithm(exactly(row.y), exactly(row.p), residual(row).value);
    auto far = V::greater(V::absolute(log.k), V::set(0.0));
    return both_positive(row, V::choose(far, far_gamma(row.y, row.p, log), near_gamma(log.s, log.series)));
}
