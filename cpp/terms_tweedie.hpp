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
    V at_zero;              // 1 where y = 0 has no deviance, and else 0
    double series[kTerms];
    explicit Tweedie(double power) {
        const bool near_one = power < 1.5;
        const V one = V::set(1.0), q = V::set(-power);
        const Two<V> d = two_sum(one, q);
        a = two_sum(V::set(2.0), q), inverse_a = divide(exactly(one), a), inverse_d = divide(exactly(one), d);
        inner = near_one ? d : a, inverse_inner = near_one ? inverse_d : inverse_a, inverse_outer = near_one ? inverse_a : inverse_d;
        lead = V::set(near_one ? 1.0 : 0.0);
        lowest = V::set(power < 0 ? -__builtin_inf() : power < 2 ? -0x1p-1074 : 0.0);
        at_zero = V::set(power < 2 ? 0.0 : 1.0);
        double base = 2.0 - power, size = base < 0 ? -base : base, sum = 1.0, next = 1.0, factorial = 2.0;
        reach = V::set(0.7 / (size > 1.0 ? size : 1.0));
        for (int k = 0; k < kTerms; k++) {
            series[k] = sum / factorial;
            next = next * base, sum = sum + next, factorial = factorial * (k + 3);
        }
    }
};
// Power 3/2: 4 (y - p)^2 / (sqrt p (sqrt y + sqrt p)^2), whose divisor sqrt p (y + p) + 2 p sqrt y has no difference. At y = 0 it is 4 sqrt p.
template <class V>
SQUARELY_INLINE Tried<V> quick_three_halves(const Row<V>& row, V root_p) {
    const V zero = V::set(0.0), one = V::set(1.0), twice = row.p + row.p, root_y = V::sqrt(row.y);
    Two<V> r = residual(row).value, t = two_sum(row.y, row.p);
    V larger = root_p * t.hi, larger_rest = V::product_error(root_p, t.hi, larger) + root_p * t.lo, smaller = twice * root_y;
    Two<V> sum = quick_two_sum(larger, smaller);
    V divisor_rest = sum.lo + (larger_rest + V::product_error(twice, root_y, smaller)), inverse = one / sum.hi;
    V square = r.hi * r.hi, square_rest = V::product_error(r.hi, r.hi, square) + (r.hi + r.hi) * r.lo;
    Two<V> quarter = close_quotient(square, {sum.hi, divisor_rest}, inverse);
    V least = V::min(V::choose(V::greater(V::absolute(row.y), zero), row.y, row.p), row.p), most = V::max(row.y, row.p);
    V away = V::choose(V::greater(least, V::set(0x1p-300)), V::choose(V::greater(V::set(0x1p300), most), zero, one), one);
    return {(quarter.hi + (quarter.lo + square_rest * inverse)) * V::set(4.0), away};
}

// Power 3 for close numbers: (y - p)^2 / (y p^2).
template <class V>
SQUARELY_INLINE Tried<V> quick_third(const Row<V>& row) {
    V product = row.y * row.p, cube = product * row.p, square = row.r * row.r;
    V cube_rest = V::product_error(product, row.p, cube) + V::product_error(row.y, row.p, product) * row.p, inverse = V::set(1.0) / cube;
    Two<V> quotient = close_quotient(square, {cube, cube_rest}, inverse);
    return {quotient.hi + (quotient.lo + V::product_error(row.r, row.r, square) * inverse), not_close(row.y, row.p)};
}

// Powers of -1 to 2.5 for numbers within a factor of 2: with c = (y + p)/2 and z = (y - p)/c the deviance is c^a z^2 (1 + S(z)), where
//     c^a z^2 (1 + S(z)) = 2 (integral of (y - u) u^-q from p to y),  u = c (1 + v/2),  (1 + v/2)^-q = 1 + b_1 v + b_2 v^2 + ...,
// so that S has the coefficients b_j / (j + 1) for even j, and -b_j / (j + 2) for odd j.
constexpr double kLeastMiddle = -1.0, kMostMiddle = 2.5, kReachOfMiddle = 2.0 / 3;  // powers, and |z|
struct MiddleSeries {
    static constexpr int kAll = 42, kKept = 23;  // each power beyond is replaced by the next lower ones: they differ by a Chebyshev polynomial
    struct Replacement {
        double of[kAll][kAll / 2], half_over[kAll + 2];
        constexpr Replacement() : of{}, half_over{} {
            for (int j = 1; j < kAll + 2; j++) half_over[j] = 0.5 / j;
            for (int j = kKept; j < kAll; j++) {
                double part = 1.0;
                for (int k = 1; 2 * k <= j; k++) {
                    const int i = j - 2 * k + 2;
                    part = -part * (kReachOfMiddle * kReachOfMiddle * i * (i - 1) / (4.0 * k * (j - k)));
                    of[j][k - 1] = part;
                }
            }
        }
    };
    double of[kKept - 1];
    explicit MiddleSeries(double power) {
        static constexpr Replacement kReplacement;
        double all[kAll], b = 1.0;
        for (int j = 0; j < kAll; j++) {
            if (j) b = b * ((1 - j - power) * kReplacement.half_over[j]);
            all[j] = j % 2 ? b * (-2.0 * kReplacement.half_over[j + 2]) : b * (2.0 * kReplacement.half_over[j + 1]);
        }
        for (int j = kAll - 1; j >= kKept; j--)
            for (int k = 1; 2 * k <= j; k++) all[j - 2 * k] = all[j - 2 * k] - all[j] * kReplacement.of[j][k - 1];
        for (int j = 1; j < kKept; j++) of[j - 1] = all[j];
    }
};
// log t for t in [2^-300, 2^300], right to 2^-53, which is not as much as a logarithm near 0 needs, but a power does. The middle of
// the mantissa is root 2: for u = (m - root 2) / (m + root 2) its logarithm is 2 u + u^3 R(u^2), and R goes through the true values at
// 7 Chebyshev nodes. `more` is added to the exponent, `rest` to the logarithm.
template <class V>
SQUARELY_INLINE Two<V> middle_logarithm(V t, V more, V rest) {
    constexpr double kSeries[] = {0x1.5555555555558p-1, 0x1.99999999952e2p-2, 0x1.2492492df148dp-2, 0x1.c71c62e5800a1p-3,
                                  0x1.7462b4ab2ef6bp-3, 0x1.39fe606542ddep-3, 0x1.2b584aae78a57p-3};
    const V root = V::set(0x1.6a09e667f3bcdp0), root_rest = V::set(0x1.3b3efbf5e2229p-54);  // log(root) - log(2) / 2
    V k = V::exponent(t) + more, mantissa = V::mantissa(t), less = mantissa - root, sum = mantissa + root, inverse = V::set(1.0) / sum;
    V u = less * inverse, product = u * sum, u_rest = ((less - product) - V::product_error(u, sum, product)) * inverse;
    V square = u * u, series = u * (square * wide_polynomial(square, kSeries));
    Two<V> head = quick_two_sum(k * V::set(kLog2High), u + u);
    return {head.hi, head.lo + ((u_rest + (u_rest + root_rest)) + rest + (series + k * V::set(kLog2Low)))};
}
template <class V>
SQUARELY_INLINE Tried<V> quick_tweedie(const Row<V>& row, const Tweedie<V>& of, const MiddleSeries& series) {
    constexpr double kExponential[] = {0x1.0000000000001p-1,  0x1.5555555555556p-3,  0x1.5555555553b72p-5,  0x1.111111111091ap-7,
                                       0x1.6c16c1794bd5cp-10, 0x1.a01a01a83a3a3p-13, 0x1.a019b62aaa671p-16, 0x1.71de0be80e7e8p-19,
                                       0x1.2894eb03786e2p-22, 0x1.af3cd7b3560d9p-26};  // (exp(x) - 1 - x) / x^2 at 10 Chebyshev nodes
    const V zero = V::set(0.0), one = V::set(1.0);
    auto some = V::greater(V::absolute(row.y), zero);
    Two<V> t = quick_two_sum(row.p + row.p, row.r);
    V inverse = one / t.hi;
    Two<V> z = close_quotient(row.r + row.r, t, inverse);
    V square = z.hi * z.hi, square_rest = V::product_error(z.hi, z.hi, square) + (z.hi + z.hi) * z.lo;
    Two<V> sum = quick_two_sum(square, (square + square_rest) * (z.hi * wide_polynomial(z.hi, series.of)));
    Two<V> h = choose(some, {sum.hi, sum.lo + square_rest}, times(of.inverse_a, V::set(2.0)));

    Two<V> log = middle_logarithm(t.hi, V::choose(some, V::set(-0.5), V::set(0.5)), t.lo * inverse);
    V x = of.a.hi * log.hi, x_rest = V::product_error(of.a.hi, log.hi, x) + (of.a.hi * log.lo + of.a.lo * log.hi);
    V k = nearest_integer(x * V::set(0x1.71547652b82fep0)), e = (x - k * V::set(kLog2High)) + (x_rest - k * V::set(kLog2Low));
    V less_one = e + (e * e) * wide_polynomial(e, kExponential);  // c^a = 2^k (1 + less_one)
    V term = h.hi + ((h.hi + h.lo) * less_one + h.lo);

    V size = V::choose(some, V::absolute(z.hi), of.at_zero);
    V away = V::choose(V::greater(V::set(0x1p299), t.hi), V::choose(V::greater(t.hi, V::set(0x1p-299)), zero, one), one);
    return {term * V::power_of_two(k), V::choose(V::greater(V::set(kReachOfMiddle), size), away, one)};
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
