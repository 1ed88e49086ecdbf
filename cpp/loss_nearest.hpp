// Gradients as two doubles, of losses whose psi rounds nothing but the difference it is of. Included in the anonymous namespace of losses_*.cpp.
#pragma once

using squarely::Factor;
using squarely::Quotient;

template <class V>
struct Bounded {  // weight * (psi.hi + psi.lo) * scale / den, which is high + low with an error of no more than slack
    V weight;
    Two<V> psi;
    V high, low, slack;
    SQUARELY_INLINE V nearest(typename V::Doubt& doubt) const {
        doubt.see_unlike(high + (low + slack), high + (low - slack));
        return V::choose(V::equal(low, V::set(0.0)), high, high + low);  // -0 stays what it is
    }
    SQUARELY_INLINE V odd(typename V::Doubt& doubt) const {
        const V zero = V::set(0.0), sum = V::choose(V::equal(low, zero), high, high + low), rest = low - (sum - high);
        const V far = V::choose(V::equal(slack, zero), V::set(1.0), V::absolute(rest));
        doubt.see_unlike(V::choose(V::greater(far, slack), zero, V::set(1.0)), zero);  // else the rest may be 0, or on the other side
        return V::odd(sum, rest);
    }
};

template <class V, bool is_weighted>
SQUARELY_INLINE Bounded<V> bounded(V weight, Two<V> psi, const Factor& by) {
    const V most = V::set(0x1p-100);  // four times what all roundings together may take from a gradient, of which it is a share
    Two<V> once = psi;
    V share = by.is_power ? V::set(0.0) : most;
    if constexpr (is_weighted) {
        once.hi = psi.hi * weight;
        const V rest = psi.lo * weight;
        const Two<V> low = two_sum(V::product_error(psi.hi, weight, once.hi), rest);
        const V lost = V::absolute(low.lo) + V::absolute(V::product_error(psi.lo, weight, rest));
        once.lo = low.hi, share = V::choose(V::greater(lost, V::set(0.0)), most, share);
    }
    const V factor = V::set(by.high), high = once.hi * factor, size = V::absolute(high);
    const V low = V::add_product(once.hi, V::set(by.low), V::add_product(once.lo, factor, V::product_error(once.hi, factor, high)));
    return {weight, psi, high, low, V::choose(V::greater(V::set(by.least), size), size, size * share)};
}

template <class V, class T>
SQUARELY_INLINE void write_settled(const Bounded<V>& found, const Factor& by, bool is_odd, T* to) {
    typename V::Doubt doubt;
    V settled = std::is_same_v<T, double> ? found.nearest(doubt) : found.odd(doubt);
    if (doubt.any()) {
        double of[6][V::N];
        found.weight.store(of[0]), found.psi.hi.store(of[1]), found.psi.lo.store(of[2]), found.high.store(of[3]), found.low.store(of[4]);
        for (int i = 0; i < V::N; i++) {
            const Quotient exact{of[0][i], of[1][i], of[2][i], by, of[3][i], of[4][i]};
            of[5][i] = std::is_same_v<T, double> ? nearest_of(exact) : odd_of(exact);
        }
        settled = V::load(of[5]);
    }
    if constexpr (std::is_same_v<T, float>)
        if (is_odd) return settled.store_odd(to);
    settled.store(to);
}
