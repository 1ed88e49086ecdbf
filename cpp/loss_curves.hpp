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
    double delta;
    V u, z, size, near, less, below;
    SQUARELY_INLINE LogCosh(const double* constants, V residual) : delta(constants[0]), u(residual), z(u / V::set(delta)), size(V::absolute(z)) {
        near = clamp(size, 0.0, 20.0);  // beyond, it is z - log 2 to the last digit
        less = Power<V>(near).minus_one();
        below = less * less + (less + less);
    }
    SQUARELY_INLINE V rho() const {
        const V two = V::set(2.0);
        return V::set(delta * delta) * (log_of(below + two, less + less + two, less * less) + (size - near));
    }
    SQUARELY_INLINE V tanh() const {
        V size_of_it = below / (below + V::set(2.0)), zero = V::set(0.0);
        return V::choose(V::greater(z, zero), size_of_it, V::choose(V::greater(zero, z), negative(size_of_it), z));
    }
    SQUARELY_INLINE V psi() const { return V::set(delta) * tanh(); }
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
    double c;
    V u, a;
    SQUARELY_INLINE Fair(const double* constants, V residual) : c(constants[0]), u(residual), a(V::absolute(u / V::set(c))) {}
    SQUARELY_INLINE V rho() const {  // a - log(1 + a); near 0 by the series of atanh, w = a / (2 + a)
        const V half = V::set(0.5), one = V::set(1.0);
        V near = at_most(a, half), w = near / (V::set(2.0) + near), excess = near * w - w * logarithm_series(w * w);
        V far = a - log_of(one + a, one, a);
        return V::set(c * c) * (V::choose(V::greater(half, a), excess, far) + (a - a));
    }
    SQUARELY_INLINE V psi() const { return u / (V::set(1.0) + a); }
    SQUARELY_INLINE V kappa() const { return omega() * omega(); }
    SQUARELY_INLINE V omega() const { return V::set(1.0) / (V::set(1.0) + a); }
};

template <class V>
struct Cauchy {
    static constexpr bool kIsShort = false;
    double c;
    V u, z, h;
    SQUARELY_INLINE Cauchy(double bend, V residual) : c(bend), u(residual), z(u / V::set(c)), h(root(z)) {}
    SQUARELY_INLINE Cauchy(const double* constants, V residual) : Cauchy(constants[0], residual) {}
    SQUARELY_INLINE V rho() const {
        const V one = V::set(1.0);
        auto is_near = V::greater(one, V::absolute(z));
        V square = z * z;
        V log = log_of(V::choose(is_near, one + square, h), one, V::choose(is_near, square, h - one));
        return V::set(c * c) * (V::choose(is_near, V::set(0.5), one) * log + (h - h));
    }
    SQUARELY_INLINE V psi() const { return u / h / h; }
    SQUARELY_INLINE V kappa() const {
        V one = V::set(1.0) / h, share = z / h;
        return (one - share) * (one + share) / h / h;
    }
    SQUARELY_INLINE V omega() const { return V::set(1.0) / h / h; }
};

template <class V>
struct StudentT {  // Cauchy's with c = sqrt(df) scale, times (df + 1) / c^2
    static constexpr bool kIsShort = false;
    V factor;
    Cauchy<V> cauchy;
    SQUARELY_INLINE StudentT(const double* constants, V residual)
        : factor(V::set((constants[0] + 1) / (bend(constants) * bend(constants)))), cauchy(bend(constants), residual) {}
    SQUARELY_INLINE static double bend(const double* constants) { return std::sqrt(constants[0]) * constants[1]; }
    SQUARELY_INLINE V rho() const { return factor * cauchy.rho(); }
    SQUARELY_INLINE V psi() const { return factor * cauchy.psi(); }
    SQUARELY_INLINE V kappa() const { return factor * cauchy.kappa(); }
    SQUARELY_INLINE V omega() const { return factor * cauchy.omega(); }
};

template <class V>
struct Welsch {
    static constexpr bool kIsShort = false;
    double c;
    V u, z;
    Power<V> power;
    SQUARELY_INLINE Welsch(const double* constants, V residual)
        : c(constants[0]), u(residual), z(clamp(u / V::set(c), -100.0, 100.0)), power(negative(z * z)) {}
    SQUARELY_INLINE V rho() const { return unless_nan(u, V::set(-0.5 * c * c) * power.minus_one()); }
    SQUARELY_INLINE V psi() const { return u * omega(); }
    SQUARELY_INLINE V kappa() const {
        V lever = V::set(std::sqrt(2.0)) * z;
        return (V::set(1.0) - lever) * (V::set(1.0) + lever) * omega();
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
