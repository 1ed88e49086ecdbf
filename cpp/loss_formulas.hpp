// The formulas of `squarely/losses/kernels` that need no logarithm, operation by operation: in double the bits are those of NumPy.
// Each is made for one residual u: what rho, psi, kappa and omega share is computed once. Where psi rounds nothing but u, psi_low says what it lacks
// for what u lacks. Included in the anonymous namespace of losses_*.cpp.
#pragma once

template <class V>
SQUARELY_INLINE V at_most(V a, V most) {  // nan stays nan
    return V::choose(V::greater(a, most), most, a);
}
template <class V>
SQUARELY_INLINE V within(V a, V size) {  // a between -size and size
    return at_most(V::choose(V::greater(negative(size), a), negative(size), a), size);
}
template <class V>
SQUARELY_INLINE V at_least(V a, V least) {
    return V::choose(V::greater(least, a), least, a);
}
template <class V>
SQUARELY_INLINE V sign(V u) {  // 0 and nan stay what they are
    const V zero = V::set(0.0);
    return V::choose(V::greater(u, zero), V::set(1.0), V::choose(V::greater(zero, u), V::set(-1.0), u));
}
constexpr double kLeast = 1e-17;  // what is less changes no digit of a number beside 1, and its square is still a number
template <class V>
struct Legs {  // c and |u| over the larger of both, of which one is 1
    V size, near, a, b;
    SQUARELY_INLINE Legs(V c, V u)
        : size(V::absolute(u)), near(at_most(size, c)), a(c / at_least(size, c)), b(at_most(at_least(size / c, V::set(kLeast)), V::set(1.0))) {}
    SQUARELY_INLINE V square() const { return a * a + b * b; }
};

template <class V>
struct Squared {
    static constexpr bool kIsShort = true;
    V u;
    SQUARELY_INLINE Squared(const double*, V residual) : u(residual) {}
    SQUARELY_INLINE V rho() const { return u * u; }
    SQUARELY_INLINE V psi() const { return V::set(2.0) * u; }
    SQUARELY_INLINE V psi_low(V u_low) const { return V::set(2.0) * u_low; }
    SQUARELY_INLINE V kappa() const { return V::set(2.0); }
    SQUARELY_INLINE V omega() const { return V::set(2.0); }
};

template <class V>
struct HalfSquared {
    static constexpr bool kIsShort = true;
    V u;
    SQUARELY_INLINE HalfSquared(const double*, V residual) : u(residual) {}
    SQUARELY_INLINE V rho() const { return V::set(0.5) * u * u; }
    SQUARELY_INLINE V psi() const { return u; }
    SQUARELY_INLINE V psi_low(V u_low) const { return u_low; }
    SQUARELY_INLINE V kappa() const { return V::set(1.0); }
    SQUARELY_INLINE V omega() const { return V::set(1.0); }
};

template <class V>
struct Absolute {
    static constexpr bool kIsShort = true;
    V u;
    SQUARELY_INLINE Absolute(const double*, V residual) : u(residual) {}
    SQUARELY_INLINE V rho() const { return V::absolute(u); }
    SQUARELY_INLINE V psi() const { return sign(u); }
    SQUARELY_INLINE V psi_low(V) const { return V::set(0.0); }
    SQUARELY_INLINE V kappa() const { return V::set(0.0); }
    SQUARELY_INLINE V omega() const { return V::set(1.0) / V::absolute(u); }
};

template <class V>
struct Huber {
    static constexpr bool kIsShort = true;
    V delta, u, size;
    SQUARELY_INLINE Huber(const double* constants, V residual) : delta(V::set(constants[0])), u(residual), size(V::absolute(u)) {}
    SQUARELY_INLINE V rho() const {
        V a = at_most(size, delta);
        return a * (size - V::set(0.5) * a);
    }
    SQUARELY_INLINE V psi() const { return within(u, delta); }
    SQUARELY_INLINE V psi_low(V u_low) const {
        const V zero = V::set(0.0), size_low = V::choose(V::greater(zero, u), negative(u_low), u_low);
        return V::choose(V::greater(zero, (size - delta) + size_low), u_low, zero);  // u may be within delta although its high double is delta
    }
    SQUARELY_INLINE V kappa() const { return V::choose(V::greater(delta, size), V::set(1.0), V::set(0.0)); }
    SQUARELY_INLINE V omega() const { return delta / at_least(size, delta); }
};

template <class V>
struct SmoothL1 {
    static constexpr bool kIsShort = true;
    V beta, u, size, psi_;
    SQUARELY_INLINE SmoothL1(const double* constants, V residual)
        : beta(V::set(constants[0])), u(residual), size(V::absolute(u)), psi_(within(u / beta, V::set(1.0))) {}
    SQUARELY_INLINE V rho() const { return V::absolute(psi_) * (size - V::set(0.5) * at_most(size, beta)); }  // |psi| is min(|u|, beta) / beta
    SQUARELY_INLINE V psi() const { return psi_; }
    SQUARELY_INLINE V kappa() const { return V::choose(V::greater(beta, size), V::set(1.0) / beta, V::set(0.0)); }
    SQUARELY_INLINE V omega() const { return V::set(1.0) / at_least(size, beta); }
};

template <class V>
struct PseudoHuber {
    static constexpr bool kIsShort = false;
    V delta, u;
    Legs<V> legs;
    V h;
    SQUARELY_INLINE PseudoHuber(const double* constants, V residual)
        : delta(V::set(constants[0])), u(residual), legs(delta, u), h(V::sqrt(legs.square())) {}
    SQUARELY_INLINE V rho() const { return legs.near * (legs.size / (legs.a + h)); }
    SQUARELY_INLINE V psi() const { return within(u, delta) / h; }
    SQUARELY_INLINE V kappa() const { return omega() * omega() * omega(); }
    SQUARELY_INLINE V omega() const { return legs.a / h; }
};

template <class V>
struct GemanMcClure {
    static constexpr bool kIsShort = false;
    V c, u;
    Legs<V> legs;
    V square, share;
    SQUARELY_INLINE GemanMcClure(const double* constants, V residual)
        : c(V::set(constants[0])), u(residual), legs(c, u), square(legs.square()), share(legs.a / square) {}
    SQUARELY_INLINE V rho() const { return legs.near * (legs.near * (V::set(0.5) / square)); }
    SQUARELY_INLINE V psi() const { return within(u, c) * share * share * legs.a; }
    SQUARELY_INLINE V kappa() const {
        V lever = V::set(std::sqrt(3.0)) * legs.b;
        return (legs.a - lever) * (legs.a + lever) / square * (share * share) * (legs.a * legs.a);
    }
    SQUARELY_INLINE V omega() const { return legs.a * share * (legs.a * share); }
};

template <class V>
struct Tukey {
    static constexpr bool kIsShort = false;
    V near, z;
    SQUARELY_INLINE Tukey(const double* constants, V residual) : near(within(residual, V::set(constants[0]))), z(near / V::set(constants[0])) {}
    SQUARELY_INLINE V apart(double by) const { return (V::set(1.0) - V::set(by) * z) * (V::set(1.0) + V::set(by) * z); }
    SQUARELY_INLINE V rho() const {
        V s = z * z;
        return near * (near * ((V::set(3.0) - V::set(3.0) * s + s * s) * V::set(1.0 / 6)));
    }
    SQUARELY_INLINE V psi() const { return near * omega(); }
    SQUARELY_INLINE V kappa() const { return apart(1.0) * (V::set(1.0) - V::set(std::sqrt(5.0)) * z) * (V::set(1.0) + V::set(std::sqrt(5.0)) * z); }
    SQUARELY_INLINE V omega() const { return apart(1.0) * apart(1.0); }
};

template <class V>
struct Winsorized {
    static constexpr bool kIsShort = false;
    V k, u, size;
    SQUARELY_INLINE Winsorized(const double* constants, V residual) : k(V::set(constants[0])), u(residual), size(V::absolute(u)) {}
    SQUARELY_INLINE V rho() const { return at_most(size, k) * at_most(size, k); }
    SQUARELY_INLINE V psi() const { return V::choose(V::greater(k, size), V::set(2.0) * u, V::set(0.0)); }
    SQUARELY_INLINE V kappa() const { return V::choose(V::greater(k, size), V::set(2.0), V::set(0.0)); }
    SQUARELY_INLINE V omega() const { return kappa(); }
};

template <class V>
struct Sided {  // what an error on its side costs: 1 - alpha above the target, alpha below it, nothing at it
    double alpha;
    V u, share;
    SQUARELY_INLINE Sided(double level, V residual) : alpha(level), u(residual) {
        const V zero = V::set(0.0);
        share = V::choose(V::greater(u, zero), V::set(1 - alpha), V::choose(V::greater(zero, u), V::set(alpha), zero * u));
    }
};

template <class V>
struct Pinball : Sided<V> {
    static constexpr bool kIsShort = true;
    using Sided<V>::u, Sided<V>::share;
    SQUARELY_INLINE Pinball(const double* constants, V residual) : Sided<V>(constants[0], residual) {}
    SQUARELY_INLINE V rho() const { return share * V::absolute(u); }
    SQUARELY_INLINE V psi() const { return share * sign(u); }
    SQUARELY_INLINE V psi_low(V) const { return V::set(0.0); }
    SQUARELY_INLINE V kappa() const { return V::set(0.0); }
    SQUARELY_INLINE V omega() const { return share / V::absolute(u); }
};

template <class V>
struct SmoothPinball : Sided<V> {
    static constexpr bool kIsShort = false;
    using Sided<V>::u, Sided<V>::share;
    V delta, size;
    SQUARELY_INLINE SmoothPinball(const double* constants, V residual)
        : Sided<V>(constants[0], residual), delta(V::set(constants[1])), size(V::absolute(u)) {}
    SQUARELY_INLINE V rho() const {
        V a = at_most(size, delta);
        return share * (a / delta * (size - V::set(0.5) * a));
    }
    SQUARELY_INLINE V psi() const { return share * within(u / delta, V::set(1.0)); }
    SQUARELY_INLINE V kappa() const { return share * V::choose(V::greater(delta, size), V::set(1.0) / delta, V::set(0.0)); }
    SQUARELY_INLINE V omega() const { return share / at_least(size, delta); }
};

template <class V>
struct Expectile : Sided<V> {
    static constexpr bool kIsShort = false;
    using Sided<V>::u, Sided<V>::share, Sided<V>::alpha;
    SQUARELY_INLINE Expectile(const double* constants, V residual) : Sided<V>(constants[0], residual) {}
    SQUARELY_INLINE V rho() const { return share * u * u; }
    SQUARELY_INLINE V psi() const { return V::set(2.0) * share * u; }
    SQUARELY_INLINE V kappa() const { return V::set(2.0) * V::choose(V::greater(u, V::set(0.0)), V::set(1 - alpha), V::set(alpha)); }
    SQUARELY_INLINE V omega() const { return kappa(); }
};
