// The loops over the rows of a block, written over a vector type V; each losses_*.cpp names V and includes this in its own anonymous namespace.
#pragma once
#include "elementary.hpp"
#include "loss_curves.hpp"
#include "loss_likelihoods.hpp"
#include "loss_nearest.hpp"
#include "loss_rows.hpp"

using squarely::Curvature;
using squarely::Loss;
using squarely::LossLoops;

enum Wanted { kValue = 1, kGradient = 2, kCurvature = 4 };

template <class V, template <class> class Formula>
struct Difference {  // u = prediction - target
    static constexpr bool kIsShort = Formula<V>::kIsShort, kHasSpread = false;
    static constexpr bool kIsExact = requires(const Formula<V>& formula, V u) { formula.psi_low(u); };
    Formula<V> at;
    SQUARELY_INLINE Difference(const double* constants, V pred, V target) : at(constants, pred - target) {}
    SQUARELY_INLINE V loss() const { return at.rho(); }
    SQUARELY_INLINE V gradient() const { return at.psi(); }
    SQUARELY_INLINE Two<V> gradient(V pred, V target) const { return {at.psi(), at.psi_low(two_sum(pred, negative(target)).lo)}; }
    SQUARELY_INLINE V curvature(Curvature kind) const {
        if (kind == Curvature::irls) return at.omega();
        return kind == Curvature::exact ? at.kappa() : at_least(at.kappa(), V::set(0.0));
    }
};

template <class V>
struct SquaredLog {  // the square of u = log((1 + prediction) / (1 + target)), by one logarithm, for a difference of two loses a good fit
    static constexpr bool kIsShort = false, kHasSpread = false;
    V u, slope;
    SQUARELY_INLINE SquaredLog(const double*, V pred, V target) {
        const V one = V::set(1.0), least = V::set(-1.0), nan = V::set(__builtin_nan(""));
        u = log_of(one + pred, one + target, pred - target) + ((pred - pred) + (target - target));
        u = V::choose(V::greater(pred, least), V::choose(V::greater(target, least), u, nan), nan);
        slope = one / (one + pred);
    }
    SQUARELY_INLINE V loss() const { return u * u; }
    SQUARELY_INLINE V gradient() const { return V::set(2.0) * u * slope; }
    SQUARELY_INLINE V curvature(Curvature kind) const {
        const V two = V::set(2.0);
        V square = slope * slope, parabola = two * square;
        return kind == Curvature::exact ? parabola - two * u * square : parabola;
    }
};

template <class Row, class V, class T>
SQUARELY_INLINE Row row_of(const double* constants, V pred, V target, const T* spread, size_t at) {
    if constexpr (Row::kHasSpread) return Row(constants, pred, target, V::load(spread + at));
    else return Row(constants, pred, target);
}

constexpr size_t kStep = 16;  // rows that are added side by side: the same for every vector, so that sums have the same bits

template <class V, class T, class Row, int wanted, bool is_weighted, bool is_nearest = false>  // gradients, to the exact ones
struct Loop {
    static constexpr int kVectors = kStep / V::N;
    // Rows that are read before any of them is written, as many as registers hold: a row that is read soon after one was written at the same place of
    // another page has to wait for it.
    static constexpr size_t kAhead = V::N == 8 ? 4 * kStep : kStep;
    const LossRows& rows;
    const Factor by;
    V lanes[kVectors];

    explicit Loop(const LossRows& given) : rows(given), by(squarely::factor_of(given.scale, given.den)) {
        for (V& lane : lanes) lane = V::set(0.0);
    }
    template <bool streams>
    __attribute__((noinline)) void take(const Arrays<T> each, size_t count) {  // a multiple of kStep
        const double constants[] = {rows.constants[0], rows.constants[1]};  // what the loop uses lies in registers: writing may change all else
        const V zero = V::set(0.0), scale = V::set(by.high);
        const Factor factor = by;
        const bool omits_nan = rows.omits_nan, is_odd = rows.is_odd;
        const Curvature kind = rows.kind;
        V sums[kVectors];
        for (int j = 0; j < kVectors; j++) sums[j] = lanes[j];
        struct Found {
            V loss, gradient, gradient_of_spread, curvature;
        };
        auto find = [&](size_t at, V& sum, typename V::Doubt& doubt) __attribute__((always_inline)) {
            V target = V::load(each.target + at), weight = zero;
            if constexpr (is_weighted) weight = V::load(each.weight + at);
            auto counted = [&](V value) __attribute__((always_inline)) {
                if constexpr (is_weighted) value = V::choose(V::equal(weight, zero), zero, value * weight);
                return omits_nan ? V::choose(V::equal(target, target), value, zero) : value;
            };
            const Row row = row_of<Row>(constants, V::load(each.pred + at), target, each.spread, at);
            Found found;
            if constexpr (wanted & kValue) found.loss = counted(row.loss()), sum = sum + found.loss;
            if constexpr (is_nearest && std::is_same_v<T, double>) {
                found.gradient = bounded_at(constants, each, at, factor, omits_nan).nearest(doubt);
            } else if constexpr (wanted & kGradient) {
                found.gradient = counted(row.gradient()) * scale;
                if constexpr (is_nearest) doubt.see_tie(found.gradient);  // four roundings are less than 5 units
            }
            if constexpr (wanted & kGradient && Row::kHasSpread) found.gradient_of_spread = counted(row.gradient_of_spread()) * scale;
            if constexpr (wanted & kCurvature) found.curvature = counted(row.curvature(kind)) * scale;
            return found;
        };
        auto write = [&](size_t at, const Found& found) __attribute__((always_inline)) {
            auto to = [&](auto may_stream, T* out, V value) __attribute__((always_inline)) {
                if constexpr (streams && may_stream) value.stream(out + at);
                else value.store(out + at);
            };
            if constexpr (wanted & kValue)
                if (each.loss) to(std::bool_constant<wanted == kValue>(), each.loss, found.loss);
            if constexpr (wanted & kGradient)  // of likelihoods either may be without a place
                if (!Row::kHasSpread || each.gradient) to(std::true_type(), each.gradient, found.gradient);
            if constexpr (wanted & kGradient && Row::kHasSpread)
                if (each.gradient_of_spread) to(std::true_type(), each.gradient_of_spread, found.gradient_of_spread);
            if constexpr (wanted & kCurvature) found.curvature.store(each.curvature + at);
        };
        size_t from = 0;
        if constexpr (Row::kIsShort) {
            auto together = [&](auto vectors) __attribute__((always_inline)) {  // are read before any is written
                constexpr int kTogether = vectors;
                Found found[kTogether];
                typename V::Doubt doubt;
#pragma GCC unroll 8
                for (int j = 0; j < kTogether; j++) found[j] = find(from + static_cast<size_t>(j) * V::N, sums[j % kVectors], doubt);
#pragma GCC unroll 8
                for (int j = 0; j < kTogether; j++) write(from + static_cast<size_t>(j) * V::N, found[j]);
                if constexpr (is_nearest)
                    if (is_odd || doubt.any()) settle(each, from, kTogether * V::N);
                from += kTogether * V::N;
            };
            while (from + kAhead <= count) together(std::integral_constant<int, kAhead / V::N>());
            while (from < count) together(std::integral_constant<int, kVectors>());
        }
        typename V::Doubt none;
        for (; from < count; from += V::N) write(from, find(from, sums[from / V::N % kVectors], none));
        for (int j = 0; j < kVectors; j++) lanes[j] = sums[j];
    }
    static SQUARELY_INLINE Bounded<V> bounded_at(const double* constants, const Arrays<T>& each, size_t at, const Factor& by, bool omits_nan) {
        const V pred = V::load(each.pred + at), target = V::load(each.target + at), zero = V::set(0.0);
        V weight = V::set(1.0);
        Two<V> psi = Row(constants, pred, target).gradient(pred, target);
        if constexpr (is_weighted) weight = V::load(each.weight + at) + zero, psi = choose(V::equal(weight, zero), {zero, zero}, psi);  // -0 becomes 0
        if (omits_nan) psi = choose(V::equal(target, target), psi, {zero, zero});
        return bounded<V, is_weighted>(weight, psi, by);
    }
    __attribute__((noinline)) void settle(Arrays<T> each, size_t from, size_t count) const {  // gradients of which two doubles are not sure
        for (size_t at = from; at < from + count; at += V::N)
            write_settled(bounded_at(rows.constants, each, at, by, rows.omits_nan), by, rows.is_odd, each.gradient + at);
    }
    void take_some(const Arrays<T>& each, size_t count) {  // fewer than a step: beside them rows without an error
        T p[kStep], t[kStep], s[kStep], w[kStep], out[4][kStep];
        for (size_t i = 0; i < kStep; i++) {
            const bool is_row = i < count;
            p[i] = is_row ? each.pred[i] : T(1), t[i] = is_row ? each.target[i] : T(1), w[i] = is_weighted && is_row ? each.weight[i] : T(1);
            if constexpr (Row::kHasSpread) s[i] = is_row ? each.spread[i] : T(Row::kSpreadOfOne);
        }
        take<false>({p, t, s, w, out[0], out[1], out[2], out[3]}, kStep);
        for (size_t i = 0; i < count; i++) {
            if (wanted & kValue && each.loss) each.loss[i] = out[0][i];
            if (wanted & kGradient && each.gradient) each.gradient[i] = out[1][i];
            if (wanted & kCurvature) each.curvature[i] = out[2][i];
            if (Row::kHasSpread && each.gradient_of_spread) each.gradient_of_spread[i] = out[3][i];
        }
    }
    void take_all(const Arrays<T>& each, size_t count, bool may_start_anywhere) {
        constexpr size_t kLine = 64 / sizeof(T);
        const size_t past = reinterpret_cast<uintptr_t>(each.gradient ? each.gradient : each.loss) / sizeof(T) % kLine;
        size_t head = may_start_anywhere && past ? (kLine - past) % kStep : 0;  // rows before a line of the cache begins
        if (head > count) head = 0;
        const size_t whole = (count - head) / kStep * kStep;
        if (head) take_some(each, head);
        if (Row::kIsShort && rows.streams && past == 0 && (each.loss || each.gradient)) take<true>(each, whole), V::fence();
        else take<false>(each.from(head), whole);
        if (head + whole < count) take_some(each.from(head + whole), count - head - whole);
    }
    double sum() const {
        double lane[kStep];
        for (int j = 0; j < kVectors; j++) lanes[j].store(lane + j * V::N);
        for (size_t half = kStep / 2; half; half /= 2)
            for (size_t i = 0; i < half; i++) lane[i] += lane[i + half];
        return lane[0];
    }
};

template <class V, class T, class Row, int wanted, bool is_weighted>
double add_short(const LossRows& rows, const Arrays<T>& each, size_t count, bool wants_sums) {
    Loop<V, T, Row, wanted, is_weighted> loop(rows);
    if constexpr (wanted == (kValue | kGradient) && Row::kIsExact) {
        if (wants_sums && loop.by.is_usable && (is_weighted || rows.is_odd || !loop.by.is_power)) {  // else nothing but a difference is rounded
            Loop<V, T, Row, wanted, is_weighted, true> nearest(rows);
            nearest.take_all(each, count, false);
            return nearest.sum();
        }
    }
    loop.take_all(each, count, !wants_sums);
    return loop.sum();
}

// A long formula is compiled once, for doubles with weights; a few rows at a time are widened for it.
template <class V, class T, class Row, int wanted>
double add_long(const LossRows& rows, const Arrays<T>& each, size_t count) {
    constexpr size_t kPiece = 256;
    double pred[kPiece], target[kPiece], spread[kPiece], weight[kPiece], out[4][kPiece];
    Loop<V, double, Row, wanted, true> loop(rows);
    for (size_t from = 0; from < count; from += kPiece) {
        const Arrays<T> piece = each.from(from);
        const size_t size = count - from < kPiece ? count - from : kPiece;
        for (size_t i = 0; i < size; i++) pred[i] = piece.pred[i], target[i] = piece.target[i], weight[i] = piece.weight ? piece.weight[i] : T(1);
        for (size_t i = 0; Row::kHasSpread && i < size; i++) spread[i] = piece.spread[i];
        auto room = [&](int which, const T* place) { return place ? out[which] : nullptr; };
        const Arrays<double> wide{
            pred, target, spread, weight, room(0, each.loss), room(1, each.gradient), room(2, each.curvature), room(3, each.gradient_of_spread)
        };
        loop.take_all(wide, size, false);
        if constexpr (wanted & kValue) write_out<V>(out[0], piece.loss, size, rows.streams && !(wanted & kGradient));
        if constexpr (wanted & kGradient) write_out<V>(out[1], piece.gradient, size, rows.streams);
        if constexpr (wanted & kCurvature) write_out<V>(out[2], piece.curvature, size, false);
        if constexpr (Row::kHasSpread && wanted & kGradient) write_out<V>(out[3], piece.gradient_of_spread, size, rows.streams);
    }
    if (rows.streams) V::fence();
    return loop.sum();
}

template <class V, class T, class Row, int wanted>
double add_block(const LossRows& rows, size_t begin, size_t end, bool wants_sums) {
    T room[squarely::kLossBlock];
    const T* weight = weights_of(rows, begin, end - begin, room);
    auto at = [&](void* out) { return out ? static_cast<T*>(out) + begin : nullptr; };
    const T *pred = static_cast<const T*>(rows.pred) + begin, *target = static_cast<const T*>(rows.target) + begin;
    const T* spread = Row::kHasSpread ? static_cast<const T*>(rows.spread) + begin : nullptr;
    const Arrays<T> each{pred, target, spread, weight, at(rows.loss), at(rows.gradient), at(rows.curvature), at(rows.gradient_of_spread)};
    if constexpr (!Row::kIsShort) return add_long<V, T, Row, wanted>(rows, each, end - begin);
    else if (weight) return add_short<V, T, Row, wanted, true>(rows, each, end - begin, wants_sums);
    else return add_short<V, T, Row, wanted, false>(rows, each, end - begin, wants_sums);
}

template <class V, class T, class Row>
double add_wanted(const LossRows& rows, size_t begin, size_t end, bool wants_sums) {
    if (rows.curvature) return add_block<V, T, Row, kGradient | kCurvature>(rows, begin, end, wants_sums);
    if (!rows.gradient) return add_block<V, T, Row, kValue>(rows, begin, end, wants_sums);
    if (rows.loss || wants_sums) return add_block<V, T, Row, kValue | kGradient>(rows, begin, end, wants_sums);
    return add_block<V, T, Row, kGradient>(rows, begin, end, wants_sums);
}

template <class V, class T, class Row>
double add_likelihood(const LossRows& rows, size_t begin, size_t end) {
    if (rows.gradient || rows.gradient_of_spread) return add_block<V, T, Row, kValue | kGradient>(rows, begin, end, true);
    return add_block<V, T, Row, kValue>(rows, begin, end, true);
}

template <class V, class T>
double add_rows(const LossRows& rows, size_t begin, size_t end, bool wants_sums) {
#define SQUARELY_ROW(name, Formula) case Loss::name: return add_wanted<V, T, Difference<V, Formula>>(rows, begin, end, wants_sums);
#define SQUARELY_LIKELIHOOD(name, Errors, Of) case Loss::name: return add_likelihood<V, T, Errors<V, Of>>(rows, begin, end);
    switch (rows.which) {
        SQUARELY_ROW(squared, Squared)
        SQUARELY_ROW(half_squared, HalfSquared)
        SQUARELY_ROW(absolute, Absolute)
        SQUARELY_ROW(huber, Huber)
        SQUARELY_ROW(smooth_l1, SmoothL1)
        SQUARELY_ROW(pseudo_huber, PseudoHuber)
        SQUARELY_ROW(log_cosh, LogCosh)
        SQUARELY_ROW(fair, Fair)
        SQUARELY_ROW(cauchy, Cauchy)
        SQUARELY_ROW(geman_mcclure, GemanMcClure)
        SQUARELY_ROW(welsch, Welsch)
        SQUARELY_ROW(tukey, Tukey)
        SQUARELY_ROW(winsorized, Winsorized)
        SQUARELY_ROW(student_t, StudentT)
        SQUARELY_ROW(pinball, Pinball)
        SQUARELY_ROW(smooth_pinball, SmoothPinball)
        SQUARELY_ROW(expectile, Expectile)
        SQUARELY_ROW(linex, Linex)
        case Loss::squared_log: return add_wanted<V, T, SquaredLog<V>>(rows, begin, end, wants_sums);
        SQUARELY_LIKELIHOOD(normal_variance, NormalErrors, Variance)
        SQUARELY_LIKELIHOOD(normal_log_variance, NormalErrors, LogVariance)
        SQUARELY_LIKELIHOOD(beta_variance, BetaErrors, Variance)
        SQUARELY_LIKELIHOOD(beta_log_variance, BetaErrors, LogVariance)
        SQUARELY_LIKELIHOOD(faithful_variance, FaithfulErrors, Variance)
        SQUARELY_LIKELIHOOD(faithful_log_variance, FaithfulErrors, LogVariance)
        case Loss::count: break;
    }
#undef SQUARELY_ROW
#undef SQUARELY_LIKELIHOOD
    return 0.0;
}

template <class V>
double add(const LossRows& rows, size_t begin, size_t end, bool wants_sums) {
    return rows.is_double ? add_rows<V, double>(rows, begin, end, wants_sums) : add_rows<V, float>(rows, begin, end, wants_sums);
}
