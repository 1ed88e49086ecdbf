// Two vectors that go side by side: a recipe is one long chain of operations, and the processor fills the waits of one with the other.
#pragma once

template <class V>
struct Twice {
    static constexpr int N = 2 * V::N;
    using Half = decltype(V::greater(V(), V()));
    V a, b;
    struct Mask {
        Half a, b;
    };
    static Twice load(const double* from) { return {V::load(from), V::load(from + V::N)}; }
    static Twice set(double x) { return {V::set(x), V::set(x)}; }
    void store(double* to) const { a.store(to), b.store(to + V::N); }
    Twice operator+(Twice o) const { return {a + o.a, b + o.b}; }
    Twice operator-(Twice o) const { return {a - o.a, b - o.b}; }
    Twice operator*(Twice o) const { return {a * o.a, b * o.b}; }
    Twice operator/(Twice o) const { return {a / o.a, b / o.b}; }
    static Twice product_error(Twice x, Twice y, Twice product) {
        return {V::product_error(x.a, y.a, product.a), V::product_error(x.b, y.b, product.b)};
    }
    static Twice absolute(Twice x) { return {V::absolute(x.a), V::absolute(x.b)}; }
    static Twice max(Twice x, Twice y) { return {V::max(x.a, y.a), V::max(x.b, y.b)}; }
    static Twice min(Twice x, Twice y) { return {V::min(x.a, y.a), V::min(x.b, y.b)}; }
    static Twice sqrt(Twice x) { return {V::sqrt(x.a), V::sqrt(x.b)}; }
    static Twice exponent(Twice x) { return {V::exponent(x.a), V::exponent(x.b)}; }
    static Twice mantissa(Twice x) { return {V::mantissa(x.a), V::mantissa(x.b)}; }
    static Twice power_of_two(Twice k) { return {V::power_of_two(k.a), V::power_of_two(k.b)}; }
    static Mask greater(Twice x, Twice y) { return {V::greater(x.a, y.a), V::greater(x.b, y.b)}; }
    static Twice choose(Mask mask, Twice yes, Twice no) { return {V::choose(mask.a, yes.a, no.a), V::choose(mask.b, yes.b, no.b)}; }
    static bool any(Mask mask) { return V::any(mask.a) || V::any(mask.b); }
};
