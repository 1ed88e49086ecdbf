// Likelihoods of normal errors, and their slopes by mean and by spread: the formulas of `squarely/losses/forms`, right to the last digits.
// Included in the anonymous namespace of losses_*.cpp.
#pragma once
#include "loss_curves.hpp"

template <class V>
struct PlainLogarithm {  // of x = 2^k m, where m lies between the roots of 1/2 and 2
    V x, k, rest;        // rest = log m
    SQUARELY_INLINE explicit PlainLogarithm(V given) : x(given) {
        const V one = V::set(1.0);
        auto is_tiny = V::greater(V::set(0x1p-960), x);
        V normal = x * V::choose(is_tiny, V::set(0x1p128), one), m = V::mantissa(normal);
        auto above = V::greater(m, V::set(0x1.6a09e667f3bcdp0));
        m = m * V::choose(above, V::set(0.5), one);
        k = V::exponent(normal) + (V::choose(above, one, V::set(0.0)) - V::choose(is_tiny, V::set(128.0), V::set(0.0)));
        V s = (m - one) / (m + one);
        rest = (s + s) + s * logarithm_series(s * s);
    }
    SQUARELY_INLINE V usual(V value, V at_infinity) const {  // nan where x is not above 0
        const V above = V::choose(V::greater(V::set(__builtin_inf()), x), value, at_infinity);
        return V::choose(V::greater(x, V::set(0.0)), above, V::set(__builtin_nan("")));
    }
    SQUARELY_INLINE V value() const { return usual(k * V::set(kLog2High) + (rest + k * V::set(kLog2Low)), x); }
    SQUARELY_INLINE V power(double exponent) const {  // x^exponent: the whole powers of two are kept apart, so that large ones lose no digits
        const V by = V::set(exponent), twos = k * by, whole = nearest_integer(twos);
        const Power<V> part(((twos - whole) + V::product_error(k, by, twos)) * V::set(kLog2) + by * rest);
        return usual(scale(V::set(1.0) + (part.r + part.rest), part.k + whole), exponent == 0 ? V::set(1.0) : x);
    }
};

// x exp(e) and x^2 exp(e): each is infinite or 0 only where it has to be, for the powers of two are shared out over the factors.
template <class V>
struct Raised {
    V once, square;
    SQUARELY_INLINE Raised(V x, Two<V> exponent) {
        exponent = clamp(exponent, -2400.0, 2400.0);  // beyond, for no x but 0 and infinity is either a number
        const Power<V> power(exponent.hi);
        const V quarter = nearest_integer(power.k * V::set(0.25)), part = V::power_of_two(quarter);
        const V last = V::power_of_two(power.k - (quarter + quarter + quarter)), begun = x * part;
        const V grown = power.r + power.rest, half = (begun * part) * (V::set(1.0) + (grown + (exponent.lo + exponent.lo * grown)));
        once = (half * part) * last, square = half * (begun * last);
    }
};

// A likelihood times a power of the variance, which is taken as a constant.
template <class V>
struct Variance {
    static constexpr double kSpreadOfOne = 1.0;
    V u, share, inverse, factor;
    PlainLogarithm<V> log;
    SQUARELY_INLINE Variance(V error, V v) : u(error), share(u / v), inverse(V::set(1.0) / v), factor(V::set(1.0)), log(v) {}
    SQUARELY_INLINE Variance(V error, V v, double exponent) : Variance(error, v) { factor = log.power(exponent); }
    SQUARELY_INLINE V cost() const { return factor * (V::set(0.5) * (log.value() + u * share)); }
    SQUARELY_INLINE V by_mean() const { return factor * share; }
    SQUARELY_INLINE V by_spread() const { return factor * (V::set(0.5) * (inverse - share * share)); }
};

template <class V>
struct LogVariance {
    static constexpr double kSpreadOfOne = 0.0;
    V u, s, factor;
    Raised<V> raised;
    SQUARELY_INLINE LogVariance(V error, V log) : LogVariance(error, log, V::set(1.0), exactly(negative(log))) {}
    SQUARELY_INLINE LogVariance(V error, V log, double exponent) : LogVariance(error, log, two_product(bounded(log), V::set(exponent))) {}
    SQUARELY_INLINE V cost() const { return V::set(0.5) * (factor * s + raised.square); }
    SQUARELY_INLINE V by_mean() const { return raised.once; }
    SQUARELY_INLINE V by_spread() const { return V::set(0.5) * (factor - raised.square); }

   private:
    SQUARELY_INLINE LogVariance(V error, V log, Two<V> power)  // the error takes in the factor before it may be too large
        : LogVariance(error, log, Raised<V>(V::set(1.0), power).once, add(power, bounded(negative(log)))) {}
    SQUARELY_INLINE LogVariance(V error, V log, V constant, Two<V> exponent)
        : u(V::choose(V::greater(log, V::set(-__builtin_inf())), error, V::set(__builtin_nan("")))),  // no variance is 0
          s(log), factor(constant), raised(u, exponent) {}
    SQUARELY_INLINE static V bounded(V log) { return clamp(log, -0x1p990, 0x1p990); }
};

template <class V, template <class> class Of>
struct NormalErrors {
    static constexpr bool kIsShort = false, kHasSpread = true;
    static constexpr double kSpreadOfOne = Of<V>::kSpreadOfOne;  // of a variance of 1, at which an error of 0 costs nothing
    Of<V> at;
    SQUARELY_INLINE NormalErrors(const double*, V pred, V target, V spread) : at(pred - target, spread) {}
    SQUARELY_INLINE explicit NormalErrors(const Of<V>& given) : at(given) {}
    SQUARELY_INLINE V loss() const { return at.cost(); }
    SQUARELY_INLINE V gradient() const { return at.by_mean(); }
    SQUARELY_INLINE V gradient_of_spread() const { return at.by_spread(); }
};

template <class V, template <class> class Of>
struct BetaErrors : NormalErrors<V, Of> {
    SQUARELY_INLINE BetaErrors(const double* constants, V pred, V target, V spread)
        : NormalErrors<V, Of>(Of<V>(pred - target, spread, constants[0])) {}
};

template <class V, template <class> class Of>
struct FaithfulErrors : NormalErrors<V, Of> {
    using NormalErrors<V, Of>::NormalErrors, NormalErrors<V, Of>::at;
    SQUARELY_INLINE V loss() const { return V::set(0.5) * at.u * at.u + at.cost(); }
    SQUARELY_INLINE V gradient() const { return at.u; }
};
