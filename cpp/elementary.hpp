// Double-doubles, logarithm and exponential over a vector type V: a fixed sequence of IEEE operations, hence the same bits everywhere.
//
// No fused operation and no library function: the one thing that may differ between instruction sets is how the error of a product is
// found, and the error is exact as long as the factors stay below 2^996 and it does not underflow, which `two_product` sees to.
// Included after V, inside the anonymous namespace of each kernel_*.cpp.
#pragma once

#define SQUARELY_INLINE inline __attribute__((always_inline))

template <class V>
struct Two {  // the unevaluated sum hi + lo, |lo| at most half a unit in the last place of hi
    V hi, lo;
};

template <class V>
SQUARELY_INLINE V negative(V a) {
    return V::set(0.0) - a;
}
template <class V>
SQUARELY_INLINE Two<V> negative(Two<V> a) {
    return {negative(a.hi), negative(a.lo)};
}
template <class V, class Mask>
SQUARELY_INLINE Two<V> choose(Mask mask, Two<V> yes, Two<V> no) {
    return {V::choose(mask, yes.hi, no.hi), V::choose(mask, yes.lo, no.lo)};
}
template <class V>
SQUARELY_INLINE V clamp(V a, double low, double high) {  // NaN becomes `low`
    a = V::choose(V::greater(a, V::set(low)), a, V::set(low));
    return V::choose(V::greater(a, V::set(high)), V::set(high), a);
}
template <class V>
SQUARELY_INLINE Two<V> clamp(Two<V> a, double low, double high) {
    V hi = clamp(a.hi, low, high);
    return {hi, V::choose(V::greater(V::absolute(a.hi - hi), V::set(0.0)), V::set(0.0), a.lo)};
}

template <class V>
SQUARELY_INLINE Two<V> two_sum(V a, V b) {
    V sum = a + b, b_part = sum - a;
    return {sum, (a - (sum - b_part)) + (b - b_part)};
}
template <class V>
SQUARELY_INLINE Two<V> quick_two_sum(V a, V b) {  // where |a| >= |b|, or a is 0
    V sum = a + b;
    return {sum, b - (sum - a)};
}
template <class V>
SQUARELY_INLINE Two<V> two_product(V a, V b) {  // a tiny product has no error here: one that underflows would depend on how it is found
    V product = a * b, error = V::product_error(a, b, product);
    return {product, V::choose(V::greater(V::absolute(product), V::set(0x1p-900)), error, V::set(0.0))};
}
template <class V>
SQUARELY_INLINE Two<V> add(Two<V> a, Two<V> b) {
    Two<V> sum = two_sum(a.hi, b.hi);
    return quick_two_sum(sum.hi, sum.lo + (a.lo + b.lo));
}
template <class V>
SQUARELY_INLINE Two<V> add(Two<V> a, V b) {
    Two<V> sum = two_sum(a.hi, b);
    return quick_two_sum(sum.hi, sum.lo + a.lo);
}
template <class V>
SQUARELY_INLINE Two<V> multiply(Two<V> a, V b) {
    Two<V> product = two_product(a.hi, b);
    return quick_two_sum(product.hi, product.lo + a.lo * b);
}
template <class V>
SQUARELY_INLINE Two<V> multiply(Two<V> a, Two<V> b) {
    Two<V> product = two_product(a.hi, b.hi);
    return quick_two_sum(product.hi, product.lo + (a.hi * b.lo + a.lo * b.hi));
}
template <class V>
SQUARELY_INLINE Two<V> times(Two<V> a, V b) {  // b is a power of two or its negative, or 0
    return {a.hi * b, a.lo * b};
}
template <class V>
SQUARELY_INLINE Two<V> divide(Two<V> a, Two<V> b) {  // one division: a rough quotient, and its exact remainder
    V inverse = V::set(1.0) / b.hi, quotient = a.hi * inverse;
    Two<V> back = two_product(quotient, b.hi);
    V remainder = ((a.hi - back.hi) - back.lo) + (a.lo - quotient * b.lo);
    return quick_two_sum(quotient, remainder * inverse);
}
template <class V>
SQUARELY_INLINE Two<V> exactly(V a) {
    return {a, V::set(0.0)};
}

template <class V, int n>
SQUARELY_INLINE V polynomial(V x, const double (&coefficients)[n]) {  // coefficients[0] + coefficients[1] x + ...
    constexpr int kEven = (n - 1) / 2 * 2, kOdd = n / 2 * 2 - 1;  // two chains wait half as long as one
    V square = x * x, even = V::set(coefficients[kEven]), odd = V::set(coefficients[kOdd]);
#pragma GCC unroll 16
    for (int i = kEven - 2; i >= 0; i -= 2) even = even * square + V::set(coefficients[i]);
#pragma GCC unroll 16
    for (int i = kOdd - 2; i >= 1; i -= 2) odd = odd * square + V::set(coefficients[i]);
    return even + odd * x;
}

template <class V, int n>
SQUARELY_INLINE V wide_polynomial(V x, const double (&coefficients)[n]) {  // the same in four chains, where there is little else to do
    V square = x * x, fourth = square * square, chain[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        const int top = (n - 1 - j) / 4 * 4 + j;
        chain[j] = V::set(coefficients[top]);
#pragma GCC unroll 16
        for (int i = top - 4; i >= 0; i -= 4) chain[j] = chain[j] * fourth + V::set(coefficients[i]);
    }
    return (chain[0] + chain[1] * x) + (chain[2] + chain[3] * x) * square;
}

template <class V>
SQUARELY_INLINE V nearest_integer(V a) {  // ties to even; |a| < 2^51
    return (a + V::set(0x1.8p52)) - V::set(0x1.8p52);
}
template <class V>
SQUARELY_INLINE V scale(V a, V exponent) {  // a * 2^exponent, rounded once
    exponent = clamp(exponent, -2044.0, 2046.0);
    V half = nearest_integer(exponent * V::set(0.5));
    return (a * V::power_of_two(half)) * V::power_of_two(exponent - half);
}

template <class V>
struct Split {  // of x > 0: x = mantissa * 2^exponent, mantissa in [1, 2), and x * lift * power = mantissa without overflow on the way
    V mantissa, exponent, lift, power;
    SQUARELY_INLINE V apply(V a) const { return (a * lift) * power; }  // a * 2^-exponent
};
template <class V>
SQUARELY_INLINE Split<V> split(V x) {
    auto tiny = V::greater(V::set(0x1p-960), x), huge = V::greater(x, V::set(0x1p960));
    V lift = V::choose(tiny, V::set(0x1p128), V::choose(huge, V::set(0x1p-128), V::set(1.0)));
    V lifted = V::choose(tiny, V::set(-128.0), V::choose(huge, V::set(128.0), V::set(0.0)));
    V normal = x * lift, exponent = V::exponent(normal);
    return {V::mantissa(normal), exponent + lifted, lift, V::power_of_two(negative(exponent))};
}

constexpr double kLog2High = 0x1.62e42fefa38p-1, kLog2Low = 0x1.ef35793c7673p-45;  // high has 42 bits: times |k| <= 2^11 it is exact
constexpr double kLog2 = 0x1.62e42fefa39efp-1, kLog2Rest = 0x1.abc9e3b39803fp-56;

// log(n / d) = k log 2 + 2 s + s R(s^2), where s = (n' - d) / (n' + d) for n = 2^k n', n' / d in [sqrt 1/2, sqrt 2]; R is kept apart
// because deviances want the logarithm without its first term.
template <class V>
struct Logarithm {
    V k;
    Two<V> s;
    V series;  // R(s^2) = 2/3 s^2 + 2/5 s^4 + ...
    SQUARELY_INLINE Two<V> value() const {
        Two<V> head = quick_two_sum(k * V::set(kLog2High), s.hi + s.hi);
        return quick_two_sum(head.hi, head.lo + ((s.lo + s.lo) + (s.hi * series + k * V::set(kLog2Low))));
    }
};

// R(x) for x in [0, 1/9], within 2^-57: R(x) / x goes through the true values at 11 Chebyshev nodes.
template <class V>
SQUARELY_INLINE V logarithm_series(V square) {
    constexpr double kSeries[] = {0x1.5555555555555p-1, 0x1.9999999999944p-2, 0x1.2492492499d46p-2, 0x1.c71c71bedea97p-3,
                                  0x1.745d19937b1fcp-3, 0x1.3b13515f6f9efp-3, 0x1.111abdc8abe16p-3, 0x1.e0a2d581ab68fp-4,
                                  0x1.bc37f0140c19ep-4, 0x1.32e0d25c9c761p-4, 0x1.401d3e65cdc48p-3};
    return square * polynomial(square, kSeries);
}

// n and d are positive. The difference n - d is used where n and d are near, where it decides about the accuracy.
template <class V>
SQUARELY_INLINE Logarithm<V> logarithm(Two<V> n, Two<V> d, Two<V> difference) {
    const V root = V::set(0x1.6a09e667f3bcdp0), one = V::set(1.0);
    Split<V> a = split(n.hi), b = split(d.hi);
    auto above = V::greater(a.mantissa, b.mantissa * root), below = V::greater(b.mantissa, a.mantissa * root);
    V shift = V::choose(above, V::set(0.5), V::choose(below, V::set(2.0), one));
    V k = (a.exponent - b.exponent) + V::choose(above, one, V::choose(below, V::set(-1.0), V::set(0.0)));
    Two<V> over{a.mantissa * shift, a.apply(n.lo) * shift}, under{b.mantissa, b.apply(d.lo)};
    Two<V> apart = two_sum(over.hi - under.hi, over.lo - under.lo), close{b.apply(difference.hi), b.apply(difference.lo)};
    Two<V> sum = two_sum(over.hi, under.hi);
    Two<V> s = divide(choose(V::greater(V::absolute(k), V::set(0.0)), apart, close), {sum.hi, sum.lo + (over.lo + under.lo)});
    return {k, s, logarithm_series(s.hi * s.hi)};
}

// exp(x) = 2^k (1 + r + rest), |r| <= log(2)/2; rest = r^2/2 + r^3/6 + ... is kept apart for what cancels against 1 + x.
template <class V>
struct Exponential {
    V k;
    Two<V> r, rest;
    SQUARELY_INLINE Two<V> less_one() const { return add(r, rest); }  // 2^-k exp(x) - 1
    SQUARELY_INLINE Two<V> fraction() const { return add(less_one(), V::set(1.0)); }
    SQUARELY_INLINE Two<V> minus_one() const {  // exp(x) - 1 where k <= 1000
        V power = V::power_of_two(clamp(k, -1000.0, 1000.0));
        return add(two_sum(power, V::set(-1.0)), times(less_one(), power));
    }
};
template <class V>
SQUARELY_INLINE Exponential<V> exponential(Two<V> x) {  // |x| < 2^40
    constexpr double kSeries[] = {1.0 / 6,      1.0 / 24,      1.0 / 120,      1.0 / 720,       1.0 / 5040,       1.0 / 40320,
                                  1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800, 1.0 / 87178291200};
    V k = nearest_integer(x.hi * V::set(0x1.71547652b82fep0));
    Two<V> multiple = two_product(k, V::set(kLog2High));
    Two<V> r = two_sum(x.hi - multiple.hi, x.lo - (multiple.lo + k * V::set(kLog2Low)));
    Two<V> square = two_product(r.hi, r.hi);
    V half = V::set(0.5), tail = (square.hi * r.hi) * polynomial(r.hi, kSeries);
    Two<V> rest = quick_two_sum(square.hi * half, tail);
    return {k, r, {rest.hi, rest.lo + (square.lo * half + r.hi * r.lo)}};
}
