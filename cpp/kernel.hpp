// The kernel itself, written over a vector type V; each kernel_*.cpp names V and includes this in its own anonymous namespace.
#include <cstring>

#include "digits.hpp"
#include "floats.hpp"
#include "terms.hpp"
#include "twice.hpp"

using squarely::Rung;
using squarely::Run;
using squarely::ceil_divide;
using squarely::kMicro;

inline double two_to(int exponent) {
    uint64_t bits = static_cast<uint64_t>(exponent + 1023) << 52;
    double x;
    std::memcpy(&x, &bits, 8);
    return x;
}
inline double magic(int unit) { return 6755399441055744.0 * two_to(unit); }  // 1.5 * 2^52 units

// A term z is deposited in slices first..last: what slice k cannot hold is left in z for slice k + 1.
template <class V>
inline __attribute__((always_inline)) void put(V& carrier, V& z, int slice, int first, int last) {
    if (slice < first || slice > last) return;
    V sum = carrier + z;
    if (slice < last) z = z - (sum - carrier);
    carrier = sum;
}

// Takes the bits of the magic constant back out of every lane and adds the lanes.
template <class V>
inline __int128 total(typename V::Int lanes, size_t deposits, V unit) {
    int64_t lane[V::N], offset[V::N];
    lanes.store(lane);
    bits(unit).store(offset);
    __int128 sum = 0;
    for (int i = 0; i < V::N; i++) sum += static_cast<int64_t>(static_cast<uint64_t>(lane[i]) - deposits * static_cast<uint64_t>(offset[i]));
    return sum;
}

template <class V, Rung rung>
struct Slicer {
    using I = typename V::Int;
    static constexpr bool kWeights = rung.weighted;
    static constexpr int B = rung.width(), R = rung.range(), P = rung.product, L = rung.linear(), W = rung.weight();

    V product_unit[P], linear_unit[L], weight_unit[W ? W : 1];
    I products[3][P], linear[4][L], weights[W ? W : 1];

    inline __attribute__((always_inline)) Slicer(int e, int f) {
        for (int k = 0; k < P; k++) product_unit[k] = V::set(magic(2 * e + f - B * (k + 1)));
        for (int k = 0; k < L; k++) linear_unit[k] = V::set(magic(e + f - B * (k + 1)));
        for (int k = 0; k < W; k++) weight_unit[k] = V::set(magic(f - B * (k + 1)));
        for (auto& row : products)
            for (auto& slice : row) slice = I::zero();
        for (auto& row : linear)
            for (auto& slice : row) slice = I::zero();
        for (auto& slice : weights) slice = I::zero();
    }

    // The last slice that a term reaches follows from its lowest possible bit, counted down from the top of the window.
    inline __attribute__((always_inline)) void product(V a, V b, V w, I (&into)[P]) {
        V head = a * b;
        if constexpr (rung.below == squarely::kNarrow) {
#pragma GCC unroll 8
            for (int k = 0; k < P; k++) {
                V carrier = product_unit[k];
                put(carrier, head, k + 1, 1, P);
                into[k] = into[k] + bits(carrier);
            }
            return;
        }
        V tail = V::product_error(a, b, head);
        if constexpr (!kWeights) {
#pragma GCC unroll 8
            for (int k = 0; k < P; k++) {
                V carrier = product_unit[k];
                put(carrier, head, k + 1, 1, ceil_divide(2 * R + 52, B));
                put(carrier, tail, k + 1, 2, P);
                into[k] = into[k] + bits(carrier);
            }
        } else {
            V head_head = w * head, head_tail = V::product_error(w, head, head_head);
            V tail_head = w * tail, tail_tail = V::product_error(w, tail, tail_head);
#pragma GCC unroll 8
            for (int k = 0; k < P; k++) {
                V carrier = product_unit[k];
                put(carrier, head_head, k + 1, 1, ceil_divide(3 * R + 52, B));
                put(carrier, head_tail, k + 1, 2, ceil_divide(3 * R + 104, B));
                put(carrier, tail_head, k + 1, 2, P);
                put(carrier, tail_tail, k + 1, 3, P);
                into[k] = into[k] + bits(carrier);
            }
        }
    }
    inline __attribute__((always_inline)) void cut(V x, V w, V (&slices)[L]) {
        if constexpr (!kWeights) {
#pragma GCC unroll 8
            for (int k = 0; k < L; k++) {
                slices[k] = linear_unit[k];
                put(slices[k], x, k + 1, 1, L);
            }
        } else {
            V head = w * x, tail = V::product_error(w, x, head);
#pragma GCC unroll 8
            for (int k = 0; k < L; k++) {
                slices[k] = linear_unit[k];
                put(slices[k], head, k + 1, 1, ceil_divide(2 * R + 52, B));
                put(slices[k], tail, k + 1, 2, L);
            }
        }
    }
    inline __attribute__((always_inline)) void step(const double* y, const double* p, const double* w) {
        V a = V::load(y), b = V::load(p), c = kWeights ? V::load(w) : a;
        product(a, a, c, products[0]);
        product(a, b, c, products[1]);
        product(b, b, c, products[2]);
        V of_y[L], of_p[L];
        cut(a, c, of_y);
        cut(b, c, of_p);
        auto y_larger = V::greater(a, b), y_positive = V::greater(a, V::set(0.0));
#pragma GCC unroll 8
        for (int k = 0; k < L; k++) {  // max(y, p) and max(y, 0) need no cutting of their own
            linear[0][k] = linear[0][k] + bits(of_y[k]);
            linear[1][k] = linear[1][k] + bits(of_p[k]);
            linear[2][k] = linear[2][k] + bits(V::choose(y_larger, of_y[k], of_p[k]));
            linear[3][k] = linear[3][k] + bits(V::choose(y_positive, of_y[k], linear_unit[k]));
        }
        if constexpr (kWeights) {
#pragma GCC unroll 8
            for (int k = 0; k < W; k++) {
                V carrier = weight_unit[k];
                put(carrier, c, k + 1, 1, W);
                weights[k] = weights[k] + bits(carrier);
            }
        }
    }

    void finish(size_t deposits, __int128* out) {
        for (auto& row : products)
            for (int k = 0; k < P; k++) *out++ = total(row[k], deposits, product_unit[k]);
        for (auto& row : linear)
            for (int k = 0; k < L; k++) *out++ = total(row[k], deposits, linear_unit[k]);
        for (int k = 0; k < W; k++) *out++ = total(weights[k], deposits, weight_unit[k]);
    }
};

template <class V, bool kWeights>
void sum_terms(const squarely::TermRun& run) {
    constexpr int B = squarely::kTermWidth[kWeights], L = squarely::kTermSlices[kWeights];
    V unit[L];
    typename V::Int sums[L];
    for (int k = 0; k < L; k++) unit[k] = V::set(magic(run.e + (kWeights ? run.f : 0) - B * (k + 1))), sums[k] = V::Int::zero();
    for (size_t i = 0; i < run.rows; i += V::N) {
        V head = V::load(run.t + i), tail = head;
        if constexpr (kWeights) {
            V term = head, weight = V::load(run.w + i);
            head = weight * term, tail = V::product_error(weight, term, head);
        }
#pragma GCC unroll 8
        for (int k = 0; k < L; k++) {
            V carrier = unit[k];
            put(carrier, head, k + 1, 1, kWeights ? L - 1 : L);
            if constexpr (kWeights) put(carrier, tail, k + 1, 2, L);
            sums[k] = sums[k] + bits(carrier);
        }
    }
    for (int k = 0; k < L; k++) run.slices[k] = total(sums[k], run.rows / V::N, unit[k]);
}

template <class V>
struct Outlook {  // of a micro-block, while it is checked
    V error, y_min, y_max, p_min, p_max;
    inline __attribute__((always_inline)) void see(V y, V p) {
        error = V::max(error, V::absolute(y - p));
        y_min = V::min(y_min, y), y_max = V::max(y_max, y);
        p_min = V::min(p_min, p), p_max = V::max(p_max, p);
    }
};
template <class V>
inline double largest(V x) {
    double lane[V::N], best;
    x.store(lane);
    best = lane[0];
    for (double v : lane) best = v > best ? v : best;
    return best;
}
inline bool inside(uint32_t high, uint32_t low, int top, int range) {  // zeros wrap to the highest `low`; NaN and infinity fail `high`
    return static_cast<int>(high >> 20) < top + 1023 && static_cast<int>(low >> 20) >= top + 1023 - range;
}

inline void pad(double* to, const double* from, size_t count, size_t padded) {
    std::memcpy(to, from, count * sizeof *to);
    for (size_t i = count; i < padded; i++) to[i] = from[count - 1];
}

template <class V, Rung rung>
void run_kernel(const Run& run) {
    constexpr bool kWeights = rung.weighted;
    Slicer<V, rung> slicer(run.e, run.f);
    const double* extremes = run.extremes;
    Outlook<V> seen{V::set(extremes[0]), V::set(extremes[1]), V::set(extremes[2]), V::set(extremes[3]), V::set(extremes[4])};
    alignas(64) double patch[3][kMicro];
    size_t deposits = 0;
    for (size_t at = 0; at < run.rows; at += kMicro) {
        size_t count = run.rows - at < kMicro ? run.rows - at : kMicro;
        const double *y = run.y + at, *p = run.p + at, *w = kWeights ? run.w + at : nullptr;
        size_t padded = (count + V::N - 1) / V::N * V::N;
        if (padded != count) {  // copies of the last row change no extreme; before the sums they become zeros
            pad(patch[0], y, count, padded), pad(patch[1], p, count, padded);
            if constexpr (kWeights) pad(patch[2], w, count, padded);
            y = patch[0], p = patch[1], w = patch[2];
        }
        typename V::Spread pairs, factors;
        Outlook<V> next = seen;
        for (size_t i = 0; i < padded; i += V::N) {
            V a = V::load(y + i), b = V::load(p + i);
            pairs.see(a), pairs.see(b);
            if constexpr (kWeights) factors.see(V::load(w + i));
            next.see(a, b);
        }
        uint32_t high, low;
        pairs.read(high, low);
        bool fine = inside(high, low, run.e, slicer.R);
        if constexpr (kWeights) {
            factors.read(high, low);
            fine = fine && inside(high, low, run.f, slicer.R);
        }
        if (__builtin_expect(fine, 1)) {
            seen = next;
            for (size_t i = count; i < padded; i++) patch[0][i] = patch[1][i] = patch[2][i] = 0.0;
        } else {
            run.repair(run.context, at, count, patch[0], patch[1], patch[2]);
            y = patch[0], p = patch[1], w = patch[2];
        }
        for (size_t i = 0; i < count; i += V::N, deposits++) slicer.step(y + i, p + i, w + i);
    }
    slicer.finish(deposits, run.slices);
    run.extremes[0] = largest(seen.error);
    run.extremes[1] = -largest(V::set(0.0) - seen.y_min), run.extremes[2] = largest(seen.y_max);
    run.extremes[3] = -largest(V::set(0.0) - seen.p_min), run.extremes[4] = largest(seen.p_max);
}

template <class V>
void find_spread(const double* x, size_t rows, uint32_t* high, uint32_t* low) {
    typename V::Spread spread;
    for (size_t i = 0; i < rows; i += V::N) spread.see(V::load(x + i));
    spread.read(*high, *low);
}

template <class V>
bool subtract(const double* y, const double* p, size_t rows, double* out) {
    V beyond = V::set(0.0);  // r - r is 0 where r is finite, and else NaN, which stays
    size_t whole = rows / V::N * V::N;
    for (size_t i = 0; i < whole; i += V::N) {
        V r = V::load(y + i) - V::load(p + i);
        r.store(out + i);
        beyond = beyond + (r - r);
    }
    double lanes[V::N], sum = 0.0;
    beyond.store(lanes);
    for (double lane : lanes) sum += lane;
    for (size_t i = whole; i < rows; i++) out[i] = y[i] - p[i], sum += out[i] - out[i];
    return sum == 0.0;
}

// Which of 256 equal steps from the least to the largest value each one is on; false where there are no steps between them.
template <class V>
bool find_steps(const double* values, size_t count, uint8_t* step) {
    V least = V::set(values[0]), most = least;
    size_t whole = count / V::N * V::N;
    for (size_t i = 0; i < whole; i += V::N) least = V::min(least, V::load(values + i)), most = V::max(most, V::load(values + i));
    double low = -largest(V::set(0.0) - least), high = largest(most);
    for (size_t i = whole; i < count; i++) low = values[i] < low ? values[i] : low, high = values[i] > high ? values[i] : high;
    double scale = 255 / (high - low);
    if (!(scale > 0 && scale < __builtin_inf())) return false;
    for (size_t i = 0; i < count; i++) step[i] = static_cast<uint8_t>(static_cast<int>((values[i] - low) * scale));
    return true;
}

template <class V>
constexpr squarely::Kernels kernels_of(const char* name) {
    using squarely::kPlain;
    using squarely::kPlainNarrow;
    using squarely::kWeighted;
    return {name,
            V::N,
            {run_kernel<V, kPlain[0]>, run_kernel<V, kPlain[1]>, run_kernel<V, kPlain[2]>, run_kernel<V, kPlain[3]>},
            {run_kernel<V, kPlainNarrow[0]>, run_kernel<V, kPlainNarrow[1]>, run_kernel<V, kPlainNarrow[2]>},
            {run_kernel<V, kWeighted[0]>, run_kernel<V, kWeighted[1]>},
            find_spread<V>,
            {sum_terms<V, false>, sum_terms<V, true>},
            evaluate_term<Twice<V>>,
            widen,
            subtract_floats,
            subtract<V>,
            find_steps<V>, cut_digits<V>, multiply_digits<V>, multiply_exactly<V>};
}
