// The Tweedie deviances of powers other than 0, 1 and 2.
#pragma once
#include "term_rows.hpp"

// The unit deviance of any other power q. With a = 2 - q, d = 1 - q and L = log(y/p) it is 2 p^a times
//     h = L^2/2! + (1 + a) L^3/3! + (1 + a + a^2) L^4/4! + ...                    where |L| max(1, |a|) is small,
//     h = (expm1(a L)/a - expm1(L)) / d,  or  (exp(L) expm1(d L)/d - expm1(L)) / a  elsewhere:
// the first for a smaller |a|, the second for a smaller |d|, so that a power near 2 or 1 costs no digits.
template <class V>
struct Tweedie {
    static constexpr int kTerms = 18;
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
        reach = V::set(0.7 / (size > 1.0 ? size : 1.0));
        for (int k = 0; k < kTerms; k++) {
            series[k] = sum / factorial;
            next = next * base, sum = sum + next, factorial = factorial * (k + 3);
        }
    }
};
// Power 3/2 for close numbers: 4 (y - p)^2 / (sqrt p (sqrt y + sqrt p)^2) = 4 r s g(s^2) / sqrt p, where g(x) = 1 / (1 + sqrt(1 - x)).
// g(x) = 1/2 + x G(x), and G goes through the true values at 10 Chebyshev nodes of [0, 1/9]. Where y = 0 it is 4 sqrt p.
template <class V>
SQUARELY_INLINE Tried<V> quick_three_halves(const Row<V>& row) {
    constexpr double kSeries[] = {0x1.0000000000000p-3, 0x1.000000000033dp-4, 0x1.3fffffff8807fp-5, 0x1.c000006b76843p-6, 0x1.4fffe7a031dffp-6,
                                  0x1.080329d928dc3p-6, 0x1.ac80befeda8d2p-7, 0x1.6ba10f557338dp-7, 0x1.030d8ab6d91aap-7, 0x1.b388026f08353p-7};
    const V one = V::set(1.0), half = V::set(0.5), four = V::set(4.0);
    auto some = V::greater(V::absolute(row.y), V::set(0.0));
    Two<V> t = quick_two_sum(row.p + row.p, row.r);
    V root = V::sqrt(row.p), square = root * root, error = (row.p - square) - V::product_error(root, root, square);
    V inverse = one / (t.hi * root), of_root = t.hi * inverse;  // 1 / root, roughly
    Two<V> s = close_quotient(row.r, t, root * inverse), share = close_quotient(one, {root, error * (half * of_root)}, of_root);
    V x = s.hi * s.hi, more = x * polynomial(x, kSeries);
    Two<V> g = quick_two_sum(half, more);
    V first = row.r * s.hi, first_rest = V::product_error(row.r, s.hi, first) + row.r * s.lo;
    V second = share.hi * g.hi, second_rest = V::product_error(share.hi, g.hi, second) + (share.hi * g.lo + share.lo * g.hi);
    V quarter = V::choose(some, first * second + (first * second_rest + first_rest * second), root);
    return {quarter * four, not_close(V::choose(some, row.y, row.p), row.p)};
}

// Power 3 for close numbers: (y - p)^2 / (y p^2).
template <class V>
SQUARELY_INLINE Tried<V> quick_third(const Row<V>& row) {
    V product = row.y * row.p, cube = product * row.p, square = row.r * row.r;
    V cube_rest = V::product_error(product, row.p, cube) + V::product_error(row.y, row.p, product) * row.p, inverse = V::set(1.0) / cube;
    Two<V> quotient = close_quotient(square, {cube, cube_rest}, inverse);
    return {quotient.hi + (quotient.lo + V::product_error(row.r, row.r, square) * inverse), not_close(row.y, row.p)};
}

// Any power where the series reaches, for close numbers.
template <class V>
SQUARELY_INLINE Tried<V> quick_tweedie(const Row<V>& row, const Tweedie<V>& of) {
    const V zero = V::set(0.0), one = V::set(1.0), two = V::set(2.0);
    auto some = V::greater(V::absolute(row.y), zero);
    Two<V> t = quick_two_sum(row.p + row.p, row.r), log = close_logarithm(close_quotient(row.r, t, one / t.hi));
    V square = log.hi * log.hi, square_rest = V::product_error(log.hi, log.hi, square) + (log.hi + log.hi) * log.lo;
    V series = polynomial(log.hi, of.series), h = square * series, rest = V::product_error(square, series, h) + square_rest * series;

    V mantissa = V::mantissa(row.p);
    auto above = V::greater(mantissa, V::set(0x1.6a09e667f3bcdp0));
    V k = V::exponent(row.p) + V::choose(above, one, zero), less_one = V::choose(above, mantissa * V::set(0.5), mantissa) - one;
    Two<V> sum = quick_two_sum(two, less_one), s = close_quotient(less_one, sum, one / sum.hi);
    Exponential<V> scaled = exponential(multiply(Logarithm<V>{k, s, logarithm_series(s.hi * s.hi)}.value(), of.a));  // p^a
    Two<V> fraction = scaled.fraction(), bracket = choose(some, {h, rest}, of.inverse_a);
    V term = bracket.hi * fraction.hi + (bracket.hi * fraction.lo + bracket.lo * fraction.hi);
    V away = not_close(V::choose(some, row.y, row.p), row.p);
    away = V::choose(V::greater(V::absolute(log.hi), of.reach), V::choose(some, one, away), away);
    return {scale(term, scaled.k + one), V::choose(V::greater(row.y, of.lowest), away, one)};
}

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
SQUARELY_INLINE V careful_tweedie(const Row<V>& row, const Tweedie<V>& of) {
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
