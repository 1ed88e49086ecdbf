// What the recipes share: a vector of rows, its residual, the edges of the domain, and the loop.
#pragma once
#include "elementary.hpp"

using squarely::Recipe;
using squarely::TermCall;

constexpr double kLargest = 0x1.fffffffffffffp1023;

template <class V>
struct Row {
    V y, p, r, x0, x1;
};

// r as the sum hi + lo of two doubles, times `unit`: where y - p overflows it is the difference of the halves, and unit is 2.
// lo is 0 where r is not the rounded difference of the doubles, which happens for 64-bit integers.
template <class V>
struct Residual {
    Two<V> value;
    V unit;
};
template <class V>
SQUARELY_INLINE Residual<V> residual(const Row<V>& row) {
    auto big = V::greater(V::absolute(row.r), V::set(kLargest));
    V half = V::set(0.5), zero = V::set(0.0);
    Two<V> difference = two_sum(V::choose(big, row.y * half, row.y), negative(V::choose(big, row.p * half, row.p)));
    V r = V::choose(big, difference.hi, row.r);
    return {{r, V::choose(V::greater(V::absolute(difference.hi - r), zero), zero, difference.lo)}, V::choose(big, V::set(2.0), V::set(1.0))};
}
template <class V>
SQUARELY_INLINE Two<V> absolute(Two<V> a) {
    return choose(V::greater(V::set(0.0), a.hi), negative(a), a);
}
template <class V>
SQUARELY_INLINE V half_square(V a) {
    return (a * V::set(0.5)) * a;
}

// v = (r/c)^2 where |r/c| lies in [2^-200, 2^200], and 1 elsewhere: below, every loss is its leading term; above, its tail.
template <class V>
struct Ratio {
    using Mask = decltype(V::greater(V(), V()));
    Mask small, large;
    Two<V> v;
};
template <class V>
SQUARELY_INLINE Ratio<V> squared_ratio(const Residual<V>& r, const Split<V>& c) {
    Two<V> size = absolute(r.value), over{c.apply(size.hi) * r.unit, c.apply(size.lo) * r.unit};
    auto small = V::greater(V::set(0x1p-200), over.hi), large = V::greater(over.hi, V::set(0x1p200));
    Two<V> one = exactly(V::set(1.0)), ratio = divide(choose(small, one, choose(large, one, over)), exactly(c.mantissa));
    return {small, large, multiply(ratio, ratio)};
}

// Numbers within a factor of 2 of each other and far from the ends of the range: their difference has no rounding error, and no product
// of a few of them leaves the range.
template <class V>
SQUARELY_INLINE V not_close(V n, V d) {  // 0 where they are, and else 1
    const V zero = V::set(0.0), one = V::set(1.0), low = V::max(n * V::set(0.5), V::set(0x1p-300)), high = V::min(n + n, V::set(0x1p300));
    return V::choose(V::greater(d, low), V::choose(V::greater(high, d), zero, one), one);
}
template <class V>
SQUARELY_INLINE Two<V> close_quotient(V a, Two<V> b, V inverse) {  // a / b, where 1 / b is roughly `inverse`
    V quotient = a * inverse, product = quotient * b.hi;
    V rest = ((a - product) - V::product_error(quotient, b.hi, product)) - quotient * b.lo;
    return {quotient, rest * inverse};
}
template <class V>
SQUARELY_INLINE Two<V> close_logarithm(Two<V> s) {  // log(n / d), where s = (n - d) / (n + d)
    return quick_two_sum(s.hi + s.hi, (s.lo + s.lo) + s.hi * logarithm_series(s.hi * s.hi));
}

// Whether all rows have one prediction, as under the mean of the target; the first row of another ends the search.
inline bool same_prediction(const TermCall& call) { return call.rows && !std::memcmp(call.p, call.p + 1, (call.rows - 1) * sizeof *call.p); }

template <class V, class Mask>
SQUARELY_INLINE V only_where(Mask inside, V term) {
    return V::choose(inside, term, V::set(__builtin_nan("")));
}
template <class V>
SQUARELY_INLINE V with_scale(V sigma, V term) {  // a scale must be positive and finite
    return only_where(V::greater(sigma, V::set(0.0)), only_where(V::greater(V::set(__builtin_inf()), sigma), term));
}
template <class V>
SQUARELY_INLINE V with_interval(const Row<V>& row, V term) {  // bounds must be finite and in order
    const V infinity = V::set(__builtin_inf()), lower = V::absolute(row.x0), upper = V::absolute(row.x1);
    term = only_where(V::greater(infinity, lower), only_where(V::greater(infinity, upper), term));
    return V::choose(V::greater(row.x0, row.x1), V::set(__builtin_nan("")), term);
}

// Vectors of rows: in place, or copied where they do not lie side by side.
template <class V, int kColumns>
struct Columns {
    const double* from[5];
    explicit Columns(const TermCall& call)
        : from{call.y, call.p, call.r, kColumns > 0 ? call.x0 : call.r, kColumns > 1 ? call.x1 : call.r} {}
    SQUARELY_INLINE Row<V> at(size_t i) const {
        return {V::load(from[0] + i), V::load(from[1] + i), V::load(from[2] + i), V::load(from[3] + i), V::load(from[4] + i)};
    }
    SQUARELY_INLINE void fetch(size_t i) const {  // asks for rows of another block; it may lie beyond the last, and then nothing happens
        constexpr size_t kLine = 8;
        for (size_t lane = 0; lane < V::N; lane += kLine)
            __builtin_prefetch(from[0] + i + lane, 0, 2), __builtin_prefetch(from[1] + i + lane, 0, 2);
    }
    template <class Index>
    Row<V> gathered(Index row_of) const {
        double rows[5][V::N];
        for (int column = 0; column < 5; column++)
            for (size_t lane = 0; lane < V::N; lane++) rows[column][lane] = from[column][row_of(lane)];
        return {V::load(rows[0]), V::load(rows[1]), V::load(rows[2]), V::load(rows[3]), V::load(rows[4])};
    }
    Row<V> last(size_t start, size_t count) const {  // followed by copies of the last row
        return gathered([=](size_t lane) { return start + (lane < count ? lane : count - 1); });
    }
};

template <class V, int kColumns, class Term>
void each_row(const TermCall& call, Term term) {
    const Columns<V, kColumns> rows(call);
    size_t whole = call.rows / V::N * V::N, rest = call.rows - whole;
    for (size_t i = 0; i < whole; i += V::N) term(rows.at(i)).store(call.out + i);
    if (!rest) return;
    double out[V::N];
    term(rows.last(whole, rest)).store(out);
    for (size_t i = 0; i < rest; i++) call.out[whole + i] = out[i];
}

// Where a quick way serves nearly all rows: it says which it does not, and these are brought together for the careful way.
template <class V>
struct Tried {
    V term, away;  // away: 1 for a row that the quick way does not serve, and else 0
};
template <class V, class Quick, class Careful>
void each_row_tried(const TermCall& call, Quick quick, Careful careful) {
    constexpr size_t kSome = 512;
    const Columns<V, 0> rows(call);
    size_t away[kSome], left = 0;
    auto note = [&](V is_away, size_t first, size_t count) {
        double lanes[V::N];
        is_away.store(lanes);
        for (size_t lane = 0; lane < count; lane++)
            if (lanes[lane] > 0) away[left++] = first + lane;
    };
    auto redo = [&] {
        for (size_t k = 0; k < left; k += V::N) {
            size_t count = left - k < V::N ? left - k : V::N;
            double out[V::N];
            careful(rows.gathered([&](size_t lane) { return away[k + (lane < count ? lane : count - 1)]; })).store(out);
            for (size_t lane = 0; lane < count; lane++) call.out[away[k + lane]] = out[lane];
        }
        left = 0;
    };
    for (size_t i = 0; i < call.rows; i += V::N) {
        size_t count = call.rows - i < V::N ? call.rows - i : V::N;
        rows.fetch(call.rows + i);  // the next block comes from memory while this one is worked on
        const Tried<V> tried = quick(count == V::N ? rows.at(i) : rows.last(i, count));
        if (count == V::N) {
            tried.term.store(call.out + i);
        } else {
            double out[V::N];
            tried.term.store(out);
            for (size_t lane = 0; lane < count; lane++) call.out[i + lane] = out[lane];
        }
        if (!V::any(V::greater(tried.away, V::set(0.0)))) continue;
        if (left + V::N > kSome) redo();
        note(tried.away, i, count);
    }
    redo();
}
