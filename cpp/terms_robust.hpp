// Recipes of the residual that need double-doubles: robust losses, log-cosh, linex.
#pragma once
#include "term_rows.hpp"

template <class V>
struct Tuning {  // the tuning constant c > 0 of a robust loss
    Split<V> c;
    Two<V> square;  // of the mantissa of c
    explicit Tuning(V value) : c(split(value)), square(two_product(c.mantissa, c.mantissa)) {}
    SQUARELY_INLINE V half_square_times(Two<V> x) const { return scale(multiply(x, square).hi, c.exponent + c.exponent - V::set(1.0)); }
};

// log(1 + w), where w is (r/c)^2 times a positive constant; `large` has log(|r|/c) apart, doubled, since there w may overflow.
template <class V>
SQUARELY_INLINE Two<V> log_one_plus(const Residual<V>& r, const Ratio<V>& ratio, Two<V> w, V c) {
    const V one = V::set(1.0);
    Two<V> over = choose(ratio.large, exactly(V::absolute(r.value.hi)), add(w, one)), under = exactly(V::choose(ratio.large, c, one));
    Logarithm<V> log = logarithm(over, under, w);
    log.k = log.k + V::choose(ratio.large, r.unit - one, V::set(0.0));
    V twice = V::choose(ratio.large, V::set(2.0), one);
    return times(log.value(), twice);
}

// exp(x) - 1 times a factor, scaled by 2^k; x beyond +-10^6 saturates.
template <class V>
SQUARELY_INLINE V exp_minus_one_times(Two<V> x, Two<V> factor) {
    Exponential<V> exp = exponential(clamp(x, -1e6, 1e6));
    const V zero = V::set(0.0), one = V::set(1.0);
    auto far = V::greater(exp.k, V::set(100.0));  // where -1 no longer matters
    V power = V::power_of_two(clamp(V::choose(far, zero, exp.k), -1000.0, 100.0));
    Two<V> value = add(two_sum(power, V::choose(far, zero, negative(one))), times(exp.less_one(), power));
    return scale(multiply(value, factor).hi, V::choose(far, exp.k, zero));
}

// r^2 / (sqrt(1 + v) + 1)
template <class V>
SQUARELY_INLINE V pseudo_huber(const Row<V>& row, V delta, const Tuning<V>& tuning) {
    const V one = V::set(1.0);
    Residual<V> r = residual(row);
    Ratio<V> ratio = squared_ratio(r, tuning.c);
    Two<V> sum = add(ratio.v, one);
    V root = V::sqrt(sum.hi);
    Two<V> square = two_product(root, root), under = two_sum(root, one);
    under.lo = under.lo + ((sum.hi - square.hi) + (sum.lo - square.lo)) / (root + root);
    Two<V> quotient = divide(ratio.v, under);
    V far = (delta * V::absolute(r.value.hi)) * r.unit, middle = tuning.half_square_times(times(quotient, V::set(2.0)));
    return V::choose(ratio.small, half_square(row.r), V::choose(ratio.large, far, middle));
}
template <class V>
SQUARELY_INLINE V cauchy(const Row<V>& row, V c, const Tuning<V>& tuning) {
    Residual<V> r = residual(row);
    Ratio<V> ratio = squared_ratio(r, tuning.c);
    return V::choose(ratio.small, half_square(row.r), tuning.half_square_times(log_one_plus(r, ratio, ratio.v, c)));
}
template <class V>
SQUARELY_INLINE V welsch(const Row<V>& row, V c, const Tuning<V>& tuning) {
    Ratio<V> ratio = squared_ratio(residual(row), tuning.c);
    V middle = tuning.half_square_times(negative(exponential(clamp(negative(ratio.v), -1000.0, 0.0)).minus_one()));
    return V::choose(ratio.small, half_square(row.r), V::choose(ratio.large, half_square(c), middle));
}
template <class V>
SQUARELY_INLINE V geman_mcclure(const Row<V>& row, V c, const Tuning<V>& tuning) {
    Ratio<V> ratio = squared_ratio(residual(row), tuning.c);
    V middle = tuning.half_square_times(divide(ratio.v, add(ratio.v, V::set(1.0))));
    return V::choose(ratio.small, half_square(row.r), V::choose(ratio.large, half_square(c), middle));
}

// The general loss of Barron (2019): alpha = 2, 0 (or as good as 0) and -infinity are its limits.
template <class V>
struct Barron {
    V c, half_alpha;
    Split<V> split_c;
    Two<V> distance, inverse, log_distance, factor;  // |alpha - 2|, its inverse and logarithm, |alpha - 2| / alpha
    Barron(V alpha, V tuning) : c(tuning), half_alpha(alpha * V::set(0.5)), split_c(split(tuning)) {
        Two<V> one = exactly(V::set(1.0));
        distance = absolute(two_sum(alpha, V::set(-2.0)));
        inverse = divide(one, distance);
        log_distance = logarithm(distance, one, add(distance, V::set(-1.0))).value();
        factor = divide(distance, exactly(alpha));
    }
};
template <class V>
SQUARELY_INLINE V small_barron(const Residual<V>& r, const Ratio<V>& ratio, V c, V term) {
    if (!V::any(ratio.small)) return term;
    return V::choose(ratio.small, half_square(r.value.hi / c), term);
}
template <class V>
SQUARELY_INLINE V barron_quadratic(const Row<V>& row, const Barron<V>& of) {
    Residual<V> r = residual(row);
    Ratio<V> ratio = squared_ratio(r, of.split_c);
    V tail = (r.value.hi / of.c) * r.unit;
    return small_barron(r, ratio, of.c, V::choose(ratio.large, half_square(tail), ratio.v.hi * V::set(0.5)));
}
template <class V>
SQUARELY_INLINE V barron_exponential(const Row<V>& row, const Barron<V>& of) {
    const V minus_half = V::set(-0.5), one = V::set(1.0);
    Residual<V> r = residual(row);
    Ratio<V> ratio = squared_ratio(r, of.split_c);
    Two<V> x = clamp(times(ratio.v, minus_half), -1000.0, 0.0);
    return small_barron(r, ratio, of.c, V::choose(ratio.large, one, negative(exponential(x).minus_one().hi)));
}
template <class V>
SQUARELY_INLINE Two<V> barron_log(const Residual<V>& r, const Ratio<V>& ratio, const Barron<V>& of) {
    Two<V> log = log_one_plus(r, ratio, multiply(ratio.v, of.inverse), of.c);
    return choose(ratio.large, add(log, negative(of.log_distance)), log);
}
template <class V>
SQUARELY_INLINE V barron_logarithmic(const Row<V>& row, const Barron<V>& of) {
    Residual<V> r = residual(row);
    Ratio<V> ratio = squared_ratio(r, of.split_c);
    return small_barron(r, ratio, of.c, barron_log(r, ratio, of).hi);
}
template <class V>
SQUARELY_INLINE V barron(const Row<V>& row, const Barron<V>& of) {
    Residual<V> r = residual(row);
    Ratio<V> ratio = squared_ratio(r, of.split_c);
    return small_barron(r, ratio, of.c, exp_minus_one_times(multiply(barron_log(r, ratio, of), of.half_alpha), of.factor));
}

template <class V>
SQUARELY_INLINE V log_cosh(const Row<V>& row) {
    constexpr double kSeries[] = {  // of 2 log(cosh(x)) / x^2 - 1 in powers of x^2, from the first: -1/6, 2/45, -17/1260, 62/14175, ...
        -1.0 / 6, 2.0 / 45, -17.0 / 1260, 62.0 / 14175, -691.0 / 467775, 21844.0 / 42567525, -929569.0 / 5108103000,
        0x1.12f9040030676p-14, -0x1.91312c2a411eap-16, 0x1.27a186514dcdbp-17, -0x1.b75213e2dc322p-19, 0x1.48b523f82ecb2p-20};
    const V one = V::set(1.0), half = V::set(0.5);
    Two<V> x = absolute(residual(row).value);
    Two<V> square = two_product(x.hi, x.hi);
    V size = V::absolute(row.r), head = square.hi * half, series = square.hi * polynomial(square.hi, kSeries);
    V near = head + (head * series + (square.lo * half + x.hi * x.lo));
    auto far = V::greater(size, V::set(0x1p60));
    x = choose(far, exactly(one), x);
    Two<V> turned = negative(add(x, x)), exp = exponential(clamp(turned, -800.0, 0.0)).minus_one();  // exp(-2|r|) - 1
    Two<V> log = logarithm(add(exp, V::set(2.0)), exactly(one), add(exp, one)).value();
    Two<V> middle = add(add(x, Two<V>{V::set(-kLog2), V::set(-kLog2Rest)}), log);
    return V::choose(V::greater(V::set(0.35), size), near, V::choose(far, size, middle.hi));
}

// exp(x) - x - 1 with x = a (p - y).
template <class V>
SQUARELY_INLINE V linex(const Row<V>& row, V a, const Split<V>& size_of_a) {
    const V zero = V::set(0.0), one = V::set(1.0);
    Residual<V> r = residual(row);
    auto turned = V::greater(a, zero);
    V over_hi = scale(r.value.hi, size_of_a.exponent) * r.unit, over_lo = scale(r.value.lo, size_of_a.exponent) * r.unit, size = V::absolute(over_hi);
    auto small = V::greater(V::set(0x1p-200), size), large = V::greater(size, V::set(0x1p60));
    Two<V> bounded = choose(small, exactly(one), choose(large, exactly(one), Two<V>{over_hi, over_lo}));
    Two<V> x = multiply(bounded, size_of_a.mantissa);
    x = choose(turned, negative(x), x);
    Exponential<V> exp = exponential(clamp(x, -1000.0, 2000.0));
    V near = exp.rest.hi + exp.rest.lo, middle = add(exp.minus_one(), negative(x)).hi;
    V term = V::choose(V::greater(exp.k, V::set(100.0)), scale(exp.fraction().hi, exp.k), middle);
    term = V::choose(V::greater(V::absolute(exp.k), zero), term, near);
    V plain = (a * r.value.hi) * r.unit, rising = negative(plain);
    term = V::choose(small, half_square(plain), term);
    return V::choose(large, V::choose(V::greater(rising, zero), V::set(__builtin_inf()), plain), term);
}
