// Recipes of plain arithmetic.
#pragma once
#include "term_rows.hpp"

template <class V>
SQUARELY_INLINE V pinball(const Row<V>& row, V alpha) {
    auto [r, unit] = residual(row);
    V slope = V::choose(V::greater(r.hi, V::set(0.0)), alpha, V::set(1.0) - alpha);
    return (slope * V::absolute(r.hi)) * unit;
}
template <class V>
SQUARELY_INLINE V expectile(const Row<V>& row, V alpha) {
    auto [r, unit] = residual(row);
    V slope = V::choose(V::greater(r.hi, V::set(0.0)), alpha, V::set(1.0) - alpha);
    V square = V::choose(V::greater(V::absolute(r.hi), V::set(0x1p500)), (slope * r.hi) * r.hi, slope * (r.hi * r.hi));
    return (square * unit) * unit;
}

template <class V>
SQUARELY_INLINE V percentage(const Row<V>& row) {
    auto [r, unit] = residual(row);
    return only_where(V::greater(V::absolute(row.y), V::set(0.0)), (r.hi / row.y) * unit);
}
template <class V>
SQUARELY_INLINE V absolute_percentage(const Row<V>& row, V floor) {
    auto [r, unit] = residual(row);
    V size = V::absolute(row.y), base = V::choose(V::greater(size, V::set(0.0)), size, floor);
    return only_where(V::greater(base, V::set(0.0)), (V::absolute(r.hi) / base) * unit);
}
template <class V>
SQUARELY_INLINE V squared_percentage(const Row<V>& row) {
    V share = percentage(row);
    return only_where(V::greater(V::absolute(row.y), V::set(0.0)), share * share);
}
template <class V>
SQUARELY_INLINE V symmetric_percentage(const Row<V>& row) {
    const V half = V::set(0.5), zero = V::set(0.0);
    V y = V::absolute(row.y), p = V::absolute(row.p), sum = y + p;
    auto big = V::greater(sum, V::set(kLargest));
    V over = V::choose(big, row.y * half - row.p * half, row.r), under = V::choose(big, y * half + p * half, sum);
    V share = V::absolute(over) / under;
    return V::choose(V::greater(under, zero), share + share, zero);
}
template <class V>
SQUARELY_INLINE V signed_symmetric_percentage(const Row<V>& row) {
    const V half = V::set(0.5), zero = V::set(0.0);
    auto [r, unit] = residual(row);
    V sum = row.y + row.p;
    auto big = V::greater(V::absolute(sum), V::set(kLargest));
    V under = V::choose(big, row.y * half + row.p * half, sum), share = V::absolute(r.hi) / under;
    return only_where(V::greater(under, zero), share * V::choose(big, V::set(1.0), unit + unit));
}

template <class V>
SQUARELY_INLINE V scaled_absolute(const Row<V>& row) {
    auto [r, unit] = residual(row);
    return with_scale(row.x0, (V::absolute(r.hi) / row.x0) * unit);
}
template <class V>
SQUARELY_INLINE V scaled_squared(const Row<V>& row) {
    V ratio = scaled_absolute(row);
    return with_scale(row.x0, ratio * ratio);
}

template <class V>
SQUARELY_INLINE V huber(const Row<V>& row, V delta) {
    auto [r, unit] = residual(row);
    V size = V::absolute(r.hi), offset = delta * V::choose(V::greater(unit, V::set(1.0)), V::set(0.25), V::set(0.5));
    return V::choose(V::greater(V::absolute(row.r), delta), (delta * (size - offset)) * unit, half_square(row.r));
}
template <class V>
SQUARELY_INLINE V tukey(const Row<V>& row, V c) {
    const V one = V::set(1.0), half = V::set(0.5), sixth = V::set(1.0 / 6), most = c * (c / V::set(6.0));
    V ratio = row.r / c, v = ratio * ratio, rest = one - v;
    V low = row.r * (row.r * (half + v * (v * sixth - half))), high = most * (one - (rest * rest) * rest);
    return V::choose(V::greater(V::absolute(row.r), c), most, V::choose(V::greater(v, half), high, low));
}

// Products of differences, both taken where y and p are cut off at the thresholds.
template <class V>
SQUARELY_INLINE V threshold_weighted(const Row<V>& row, V low, V high) {
    const V zero = V::set(0.0), quarter = V::set(0.25);
    auto cut = [&](V x) {
        x = V::choose(V::greater(low, x), low, x);
        return V::choose(V::greater(x, high), high, x);
    };
    V y = cut(row.y), p = cut(row.p), y_over = row.y - y, p_over = V::absolute(row.p - p);
    V kept = V::choose(V::greater(V::absolute(y_over) + p_over, zero), y - p, row.r);
    V lever = y_over + V::choose(V::greater(p_over, zero), row.y - p, row.r);
    V scaled = (row.y * quarter - y * quarter) + (row.y * quarter - p * quarter);
    V term = V::choose(V::greater(V::absolute(lever), V::set(kLargest)), (kept * scaled) * V::set(4.0), kept * lever);
    return V::choose(V::greater(V::absolute(kept), zero), term, zero);
}

template <class V>
SQUARELY_INLINE V interval_covered(const Row<V>& row) {
    const V zero = V::set(0.0);
    V inside = V::choose(V::greater(row.x0, row.y), zero, V::choose(V::greater(row.y, row.x1), zero, V::set(1.0)));
    return with_interval(row, inside);
}
template <class V>
SQUARELY_INLINE V interval_score(const Row<V>& row, V alpha) {
    V below = row.x0 - row.y, above = row.y - row.x1, zero = V::set(0.0);
    V miss = V::choose(V::greater(below, zero), below, V::choose(V::greater(above, zero), above, zero));
    return with_interval(row, (row.x1 - row.x0) + (miss + miss) / alpha);
}

// The remainder of r times a unit by the period, between -period/2 and period/2, exact: whole periods are taken off 49 bits of the
// quotient at a time.
template <class V>
SQUARELY_INLINE V remainder(V r, V unit, V period) {
    const V zero = V::set(0.0), one = V::set(1.0), step = V::set(49.0);
    V size = V::absolute(r);
    auto some = V::greater(size, zero);
    Split<V> a = split(V::choose(some, size, period)), b = split(period);
    V distance = (a.exponent + (unit - one)) - b.exponent, x = a.mantissa, left = clamp(distance, -1.0, 4096.0);
    auto more = V::greater(left, V::set(-2.0));
    do {
        V bits = V::choose(V::greater(left, step), step, left), many = x * V::power_of_two(bits);
        V quotient = nearest_integer(many / b.mantissa), product = quotient * b.mantissa;
        x = V::choose(more, (many - product) - V::product_error(quotient, b.mantissa, product), x);
        left = V::choose(more, left - bits, zero);
        more = V::greater(left, zero);
    } while (V::any(more));
    V twice = V::absolute(x) + V::absolute(x);  // a quotient near a half may have been rounded the wrong way
    x = V::choose(V::greater(twice, b.mantissa), V::choose(V::greater(zero, x), x + b.mantissa, x - b.mantissa), x);
    V term = V::choose(V::greater(V::set(-1.0), distance), size, scale(x, b.exponent));
    return V::choose(some, V::choose(V::greater(zero, r), negative(term), term), zero);
}

// The remainder of the residual, its low part included: across the end of a period r is large and what is left of it may be small.
template <class V>
SQUARELY_INLINE V wrapped(const Row<V>& row, V period) {
    auto [r, unit] = residual(row);
    V half = period * V::set(0.5), whole = remainder(r.hi, unit, period), rest = r.lo * unit;
    if (V::any(V::greater(V::absolute(rest), half))) rest = remainder(rest, V::set(1.0), period);
    const V zero = V::set(0.0);
    auto over = V::greater((whole - half) + rest, zero), under = V::greater(zero, (whole + half) + rest);  // exact where it is near
    return V::choose(over, whole - period, V::choose(under, whole + period, whole)) + rest;
}
