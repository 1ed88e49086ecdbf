// The operations of `squarely/losses/kernels`, in their order: the tests hold both to the same bits. Each file that includes this has its own copy,
// for its own instructions; none of them fuses or reorders, so all have the same bits.
#pragma once
#include <cmath>

#include "losses.hpp"

namespace squarely {
namespace {

template <class T>
struct Squared {
    explicit Squared(double) {}
    T rho(T u) const { return u * u; }
    T psi(T u) const { return 2 * u; }
};

template <class T>
struct HalfSquared {
    explicit HalfSquared(double) {}
    T rho(T u) const { return T(0.5) * u * u; }
    T psi(T u) const { return u; }
};

template <class T>
struct Absolute {
    explicit Absolute(double) {}
    T rho(T u) const { return std::fabs(u); }
    T psi(T u) const { return std::fabs(u) > 0 ? std::copysign(T(1), u) : u; }  // 0 and nan stay what they are
};

template <class T>
struct Huber {
    T delta;
    explicit Huber(double constant) : delta(static_cast<T>(constant)) {}
    T rho(T u) const {
        T size = std::fabs(u), a = size > delta ? delta : size;  // in this order nan stays nan
        return a * (size - T(0.5) * a);
    }
    T psi(T u) const { return std::fabs(u) > delta ? std::copysign(delta, u) : u; }
};

template <class T>
struct Pinball {
    T above, below;
    explicit Pinball(double alpha) : above(static_cast<T>(1 - alpha)), below(static_cast<T>(alpha)) {}
    T share(T u) const { return u > 0 ? above : u < 0 ? below : 0 * u; }
    T rho(T u) const { return share(u) * std::fabs(u); }
    T psi(T u) const { return u > 0 ? above : u < 0 ? -below : 0 * u; }
};

template <class T>
T times(T value, T weight) {
    return weight == 0 ? T(0) : value * weight;
}

template <class T, class Formula>
void write(const Formula formula, const LossRows<T>& rows) {
    const T *pred = rows.pred, *target = rows.target, *weight = rows.weight;
    T *loss = rows.loss, *gradient = rows.gradient;
    const size_t count = rows.count;
    auto each = [&](auto put) {  // one loop for each choice of arrays, so that compilers make vectors of it
        for (size_t i = 0; i < count; i++) put(i, pred[i] - target[i]);
    };
    if (loss && gradient && weight) each([=](size_t i, T u) { loss[i] = times(formula.rho(u), weight[i]), gradient[i] = times(formula.psi(u), weight[i]); });
    else if (loss && gradient) each([=](size_t i, T u) { loss[i] = formula.rho(u), gradient[i] = formula.psi(u); });
    else if (loss && weight) each([=](size_t i, T u) { loss[i] = times(formula.rho(u), weight[i]); });
    else if (loss) each([=](size_t i, T u) { loss[i] = formula.rho(u); });
    else if (gradient && weight) each([=](size_t i, T u) { gradient[i] = times(formula.psi(u), weight[i]); });
    else if (gradient) each([=](size_t i, T u) { gradient[i] = formula.psi(u); });
}

template <class T>
void write_each(Loss loss, double constant, const LossRows<T>& rows) {
    switch (loss) {
        case Loss::squared: return write(Squared<T>(constant), rows);
        case Loss::half_squared: return write(HalfSquared<T>(constant), rows);
        case Loss::absolute: return write(Absolute<T>(constant), rows);
        case Loss::huber: return write(Huber<T>(constant), rows);
        case Loss::pinball: return write(Pinball<T>(constant), rows);
        case Loss::count: return;
    }
}

}  // namespace
}  // namespace squarely
