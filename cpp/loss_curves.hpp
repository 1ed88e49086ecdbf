// The formulas of `squarely/losses/kernels` with logarithms and exponentials: right to the last digits, but with bits of their own.
// Included in the anonymous namespace of losses_*.cpp.
#pragma once
#include "loss_formulas.hpp"

template <class V>
SQUARELY_INLINE V unless_nan(V u, V value) {
    return V::choose(V::equal(u, u), value, u);
}
// log(n / d) of normal positive numbers; their difference decides where they are near. Within 2 units in the last place.
template <class V>
SQUARELY_INLINE V log_of(V n, V d, V difference) {
    const V root = V::set(0x1.6a09e667f3bcdp0), one = V::set(1.0), two = V::set(2.0), half = V::set(0.5), zero = V::set(0.0);
    V over = V::mantissa(n), under = V::mantissa(d), exponent = V::exponent(d);
    auto above = V::greater(over, under * root), below = V::greater(under, over * root);
    over = over * V::choose(above, half, V::choose(below, two, one));
    V k = (V::exponent(n) - exponent) + V::choose(above, one, V::choose(below, V::set(-1.0), zero));
    V apart = V::choose(V::equal(k, zero), difference * V::power_of_two(negative(exponent)), over - under), s = apart / (over + under);
    return k * V::set(kLog2High) + ((s + s) + (s * logarithm_series(s * s) + k * V::set(kLog2Low)));
}

// exp(x) = 2^k (1 + r + rest) with rest = r^2/2 + r^3/6 + ..., |r| <= log(2)/2 and |x| < 2^40.
template <class V>
struct Power {
    V k, r, rest;
    SQUARELY_INLINE explicit Power(V x) {
        constexpr double kSeries[] = {1.0 / 2,     1.0 / 6,      1.0 / 24,      1.0 / 120,      1.0 / 720,       1.0 / 5040,
                                      1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800};
        k = nearest_integer(x * V::set(0x1.71547652b82fep0));
        r = (x - k * V::set(kLog2High)) - k * V::set(kLog2Low);
        rest = r * r * polynomial(r, kSeries);
    }
    SQUARELY_INLINE V times(V by) const { return scale(by * (V::set(1.0) + (r + rest)), k); }
    SQUARELY_INLINE V minus_one() const {  // where k <= 1000
        V power = V::power_of_two(clamp(k, -1000.0, 1000.0));
        return power * (r + rest) + (power - V::set(1.0));
    }
};

template <class V>
struct LogCosh {  // with E = exp(z) - 1: cosh z = (E^2 + 2 E + 2) / (2 E + 2), tanh z = (E^2 + 2 E) / (E^2 + 2 E + 2)
    static constexpr bool kIsShort = false;
    V delta, u, z, size, near, less, below;
    SQUARELY_INLINE LogCosh(const double* constants, V residual) : delta(V::set(constants[0])), u(residual), z(u / delta), size(V::absolute(z)) {
        near = clamp(size, 0.0, 20.0);  // beyond, it is z - log 2 to the last digit
        less = Power<V>(near).minus_one();
        below = less * less + (less + less);
    }
    SQUARELY_INLINE V rho() const {
        const V two = V::set(2.0);
        return delta * (delta * (log_of(below + two, less + less + two, less * less) + (size - near)));
    }
    SQUARELY_INLINE V tanh() const {
        V size_of_it = below / (below + V::set(2.0)), zero = V::set(0.0);
        return V::choose(V::greater(z, zero), size_of_it, V::choose(V::greater(zero, z), negative(size_of_it), z));
    }
    SQUARELY_INLINE V psi() const { return delta * tanh(); }
    SQUARELY_INLINE V kappa() const {
        V q = Power<V>(clamp(V::set(-2.0) * size, -1600.0, 0.0)).times(V::set(1.0)), beside = V::set(1.0) + q;
        return unless_nan(u, V::set(4.0) * q / (beside * beside));
    }
    SQUARELY_INLINE V omega() const {
        auto is_zero = V::equal(u, V::set(0.0));
        return V::choose(is_zero, V::set(1.0), tanh() / V::choose(is_zero, V::set(1.0), z));
    }
};

template <class V>
struct Fair {
    static constexpr bool kIsShort = false;
    V c, u, size;
    SQUARELY_INLINE Fair(const double* constants, V residual) : c(V::set(constants[0])), u(residual), size(V::absolute(u)) {}
    SQUARELY_INLINE V rho() const {  // a - log(1 + a); near 0 by the series of atanh, w = a / (2 + a)
        const V half = V::set(0.5), one = V::set(1.0), a = size / c;
        V near = at_most(a, half), w = near / (V::set(2.0) + near), excess = near * w - w * logarithm_series(w * w);
        V far = a - log_of(one + a, one, a);
        V value = c * (c * V::choose(V::greater(half, a), excess, far));
        return V::choose(V::greater(V::set(__builtin_inf()), a), value, a);
    }
    SQUARELY_INLINE V psi() const { return within(u, c) * (at_least(size, c) / (c + size)); }
    SQUARELY_INLINE V kappa() const { return omega() * omega(); }
    SQUARELY_INLINE V omega() const { return c / (c + size); }
};

template <class V>
struct Cauchy {
    static constexpr bool kIsShort = false;
    V c, u;
    Legs<V> legs;
    V square;
    SQUARELY_INLINE Cauchy(V bend, V residual) : c(bend), u(residual), legs(c, u), square(legs.square()) {}
    SQUARELY_INLINE Cauchy(const double* constants, V residual) : Cauchy(V::set(constants[0]), residual) {}
    SQUARELY_INLINE V growth() const {  // log(1 + (u/c)^2) / 2, over the square of the leg of u, with which it goes to 0
        const V one = V::set(1.0), half = V::set(0.5), shorter = legs.a * legs.b;
        auto is_near = V::greater(one, legs.b);
        V h = at_least(legs.size, c) * V::sqrt(square);
        V log = log_of(V::choose(is_near, square, h), V::choose(is_near, one, c), V::choose(is_near, shorter * shorter, h - c));
        log = V::choose(is_near, half, one) * log / (legs.b * legs.b);
        return V::choose(V::greater(V::set(__builtin_inf()), legs.size), log, legs.size);
    }
    SQUARELY_INLINE V rho() const { return legs.near * (legs.near * growth()); }
    SQUARELY_INLINE V psi() const { return within(u, c) * (legs.a / square); }
    SQUARELY_INLINE V kappa() const {
        V share = legs.a / square;
        return (legs.a - legs.b) * (legs.a + legs.b) * (share * share);
    }
    SQUARELY_INLINE V omega() const { return legs.a * (legs.a / square); }
};

template <class V>
struct StudentT {  // Cauchy's with c = sqrt(df) scale, times (df + 1) / c^2
    static constexpr bool kIsShort = false;
    double df;
    Cauchy<V> cauchy;
    V most;
    SQUARELY_INLINE StudentT(const double* constants, V residual)
        : df(constants[0]), cauchy(V::set(std::sqrt(df) * constants[1]), residual), most(at_least(cauchy.legs.size, cauchy.c)) {}
    SQUARELY_INLINE V rho() const {
        V size = V::set(std::sqrt(df + 1)) * at_most(cauchy.legs.size / cauchy.c, V::set(1.0));
        return size * (size * cauchy.growth());
    }
    SQUARELY_INLINE V psi() const { return V::set(df + 1) * within(cauchy.u / cauchy.c, V::set(1.0)) / (cauchy.square * most); }
    SQUARELY_INLINE V kappa() const {
        V apart = (cauchy.legs.a - cauchy.legs.b) * (cauchy.legs.a + cauchy.legs.b);
        return V::set(df + 1) * apart / (cauchy.square * cauchy.square) / most / most;
    }
    SQUARELY_INLINE V omega() const { return V::set(df + 1) / cauchy.square / most / most; }
};

template <class V>
struct Welsch {
    static constexpr bool kIsShort = false;
    V c, u, z;
    Power<V> power;
    SQUARELY_INLINE Welsch(const double* constants, V residual)
        : c(V::set(constants[0])), u(residual), z(clamp(u / c, -100.0, 100.0)), power(negative(z * z)) {}
    SQUARELY_INLINE V rho() const { return unless_nan(u, V::set(-0.5) * c * (c * power.minus_one())); }
    SQUARELY_INLINE V psi() const { return unless_nan(u, power.times(u)); }
    SQUARELY_INLINE V kappa() const {
        V lever = V::set(std::sqrt(2.0)) * z;
        return unless_nan(u, power.times((V::set(1.0) - lever) * (V::set(1.0) + lever)));
    }
    SQUARELY_INLINE V omega() const { return unless_nan(u, power.times(V::set(1.0))); }
};

template <class V>
struct Linex {
    static constexpr bool kIsShort = false;
    double a;
    V u, x;
    Power<V> power;
    SQUARELY_INLINE Linex(const double* constants, V residual)
        : a(constants[0]), u(residual), x(V::set(a) * u), power(clamp(x, -1000.0, 1000.0)) {}
    SQUARELY_INLINE V rho() const {
        auto is_huge = V::greater(power.k, V::set(1000.0)), is_near = V::equal(power.k, V::set(0.0));
        V far = V::choose(is_huge, power.times(V::set(1.0)), power.minus_one() - x);
        return unless_nan(x, V::choose(is_near, power.rest, far));
    }
    SQUARELY_INLINE V psi() const {
        return unless_nan(x, V::choose(V::greater(power.k, V::set(60.0)), power.times(V::set(a)), V::set(a) * power.minus_one()));
    }
    SQUARELY_INLINE V kappa() const { return unless_nan(x, power.times(V::set(a * a))); }
    SQUARELY_INLINE V omega() const {
        auto is_zero = V::equal(u, V::set(0.0));
        return V::choose(is_zero, V::set(a * a), psi() / V::choose(is_zero, V::set(1.0), u));
    }
};
