// Feeder: rows of doubles into one state. It keeps a window over the exponents and gives rows beside it to the integer path.
#pragma once
#include "pairs.hpp"

namespace squarely {

constexpr size_t kFewRows = 12;  // below this the integer path is faster than setting up a window

inline int biased_exponent(double x) { return static_cast<int>((bits_of(x) >> 52) & 0x7ff); }
inline bool is_zero(double x) { return bits_of(x) << 1 == 0; }  // on the bits: flags of the process may hide subnormals from ==
inline bool is_nan(double x) { return bits_of(x) << 1 > uint64_t{0x7ff} << 53; }
inline bool is_finite(double x) { return biased_exponent(x) != 0x7ff; }

inline Refused why_refused(double y, double p) {
    return is_nan(y) ? kMissingTarget : is_nan(p) ? kMissingPrediction : !is_finite(y) ? kInfiniteTarget : kInfinitePrediction;
}
inline void refuse(PairSums& state, double y, double p) { state.refused[why_refused(y, p)]++; }

// One row of doubles through the integer path; weight 0 leaves no trace.
inline void add_row(PairSums& state, double y, double p, const double* w) {
    if (w && is_zero(*w)) return;
    if (!is_finite(y) || !is_finite(p)) return refuse(state, y, p);
    state.extremes.see(y, p, std::fabs(y - p));
    if (w) {
        Number weight = number_of(*w);
        state.add_numbers(number_of(y), number_of(p), y > p, &weight);
    } else {
        state.add_numbers(number_of(y), number_of(p), y > p, nullptr);
    }
}

// One row with 64-bit integers that no double holds.
inline void add_wide_row(PairSums& state, const Rows& rows, size_t row) {
    double y, p, w = 1.0;
    rows.y.read(row, 1, &y), rows.p.read(row, 1, &p);
    if (rows.weighted) rows.w.read(row, 1, &w);
    if (is_zero(w)) return;
    if (!is_finite(y) || !is_finite(p)) return refuse(state, y, p);
    Number of_y = rows.y.number(row), of_p = rows.p.number(row), of_w = rows.weighted ? rows.w.number(row) : Number{1, 0, false};
    ExactSum exact_y, exact_p, rounded_y;
    exact_y.add(of_y), exact_p.add(of_p), rounded_y.add(number_of(y));
    if (exact_y.compare(rounded_y)) state.extremes.y_min = -INFINITY, state.extremes.y_max = INFINITY;  // no double holds y: the range is unknown
    bool y_is_larger = exact_y.compare(exact_p) > 0;
    exact_y.subtract(exact_p);
    state.extremes.see(y, p, std::fabs(exact_y.rounded()));
    state.add_numbers(of_y, of_p, y_is_larger, rows.weighted ? &of_w : nullptr);
}

inline int clamp(int x, int low, int high) { return std::max(low, std::min(high, x)); }

// A top that leaves a little room above the largest exponent, without letting the smallest fall out.
inline int roomy_top(int high, int low, int range) { return high + 1 + clamp((range - (high - low + 1)) / 2, 0, 2); }

// The exponents (0 = 2^0) of a sample of values, counted.
struct Exponents {
    uint32_t count[2048] = {};
    uint32_t total = 0;
    void see(double x) {
        int biased = biased_exponent(x);
        if (biased == 0x7ff || is_zero(x)) return;
        count[biased]++, total++;
    }
    // The range of exponents that holds the most values; how many it leaves out.
    uint32_t best_top(int range, int& top) const {
        uint32_t inside = 0, most = 0;
        int best = 1023;
        for (int biased = 1; biased < 2047; biased++) {
            inside += count[biased];
            if (biased > range) inside -= count[biased - range];
            if (inside > most) most = inside, best = biased;
        }
        int high = best, low = std::max(1, best - range + 1);
        while (low < high && !count[low]) low++;
        top = roomy_top(high - 1023, low - 1023, range);
        return total - most;
    }
};

class Feeder {
   public:
    // The window is that of rows fed before, or an empty one: neighbours in the data are alike. `narrow`: a float holds each y and p.
    Feeder(PairSums& state, Window& window, bool narrow) : state_(state), kernels_(kernels_in_use()), window_(window), narrow_(narrow) {}

    void feed(const double* y, const double* p, const double* w, size_t count) {
        if (count < kFewRows) {
            for (size_t i = 0; i < count; i++) add_row(state_, y[i], p[i], w ? w + i : nullptr);
            return;
        }
        size_t block = kVectorsPerRun * kernels_.lanes;
        for (size_t at = 0; at < count; at += block) feed_block(y + at, p + at, w ? w + at : nullptr, std::min(block, count - at));
    }

   private:
    void feed_block(const double* y, const double* p, const double* w, size_t count) {
        if (window_.ladder != ladder(w)) window_ = Window(), choose(y, p, w, count);
        y_ = y, p_ = p, w_ = w, outside_ = 0, taken_ = 0;
        Extremes& x = state_.extremes;
        double extremes[5] = {x.error, x.y_min, x.y_max, x.p_min, x.p_max};
        __int128 slices[kMostSlices];
        const Run run{y, p, w, count, window_.e, window_.f, repair, this, slices, extremes};
        (w ? kernels_.weighted : narrow_ ? kernels_.narrow : kernels_.plain)[window_.which](run);
        x.merge({extremes[0], extremes[1], extremes[2], extremes[3], extremes[4]});
        state_.rows += static_cast<int64_t>(count - taken_);
        deposit(slices, count - taken_);
        // Too many rows beside the window: look again, but not at every block if that does not help.
        if (outside_ * 200 > count && patience_-- <= 0) choose(y, p, w, count), patience_ = 4;
    }

    void deposit(const __int128* slices, size_t plain_rows) {
        const Rung& rung = *window_.rung;
        int e = window_.e, f = rung.weighted ? window_.f : 0, linear = rung.linear();
        auto take = [&](Term term, int count, int top) { add_slices(term, slices, count, top), slices += count; };
        take(kYY, rung.product, 2 * e + f), take(kYP, rung.product, 2 * e + f), take(kPP, rung.product, 2 * e + f);
        const __int128* of_y = slices;
        take(kY, linear, e + f), take(kP, linear, e + f), take(kMax, linear, e + f);
        __int128 absolute[kMostSlices];
        for (int k = 0; k < linear; k++) absolute[k] = 2 * slices[k] - of_y[k];  // |y| = 2 max(y, 0) - y
        add_slices(kAbs, absolute, linear, e + f), slices += linear;
        if (rung.weighted)
            take(kW, rung.weight(), f);
        else
            state_.sums[kW].add_integer(static_cast<int128>(plain_rows), 0);
    }
    // Slices are `width` bits apart and below 2^67: two of them fit one 128-bit integer.
    void add_slices(Term term, const __int128* slices, int count, int top) {
        int width = window_.rung->width(), k = 0;
        for (; k + 1 < count; k += 2) state_.sums[term].add_integer((slices[k] << width) + slices[k + 1], top - width * (k + 2));
        if (k < count) state_.sums[term].add_integer(slices[k], top - width * (k + 1));
    }

    static void repair(void* context, size_t at, size_t count, double* y, double* p, double* w) {
        Feeder& self = *static_cast<Feeder*>(context);
        for (size_t i = 0; i < kMicro; i++) {
            y[i] = p[i] = w[i] = 0.0;
            if (i >= count) continue;
            double a = self.y_[at + i], b = self.p_[at + i];
            const double* weight = self.w_ ? self.w_ + at + i : nullptr;
            const Window& window = self.window_;
            auto holds = [&](double x, int top) {
                int biased = biased_exponent(x);
                return is_zero(x) || (biased < top + 1023 && biased >= top + 1023 - window.rung->range());
            };
            if (holds(a, window.e) && holds(b, window.e) && (!weight || holds(*weight, window.f))) {
                y[i] = a, p[i] = b, w[i] = weight ? *weight : 0.0;
                self.state_.extremes.see(a, b, std::fabs(a - b));
            } else {
                add_row(self.state_, a, b, weight);
                self.taken_++, self.outside_++;
            }
        }
    }

    const Rung* ladder(const double* w) const { return w ? kWeighted : narrow_ ? kPlainNarrow : kPlain; }

    void choose(const double* y, const double* p, const double* w, size_t count) {
        const Rung* rungs = ladder(w);
        int rung_count = w ? kWeightedRungs : narrow_ ? kNarrowRungs : kPlainRungs;
        uint32_t high = 0, low = ~uint32_t{0}, w_high = 0, w_low = ~uint32_t{0};
        size_t looked = std::min<size_t>(count, 128) / kernels_.lanes * kernels_.lanes;
        look(y, looked, high, low), look(p, looked, high, low);
        if (w) look(w, looked, w_high, w_low);
        auto exponent = [](uint32_t word) { return static_cast<int>(word >> 20) - 1023; };
        bool tame = looked && narrow(high, low, rungs[0].range()) && (!w || narrow(w_high, w_low, rungs[0].range()));
        if (tame && window_.rung == nullptr) {
            set(rungs, 0, high ? roomy_top(exponent(high), low == ~uint32_t{0} ? exponent(high) : exponent(low), rungs[0].range()) : 0,
                w ? roomy_top(exponent(w_high), exponent(w_low), rungs[0].range()) : 0);
            return;
        }
        Exponents of_pairs, of_weights;
        for (size_t i = 0, step = std::max<size_t>(1, count / 1024); i < count; i += step) {
            of_pairs.see(y[i]), of_pairs.see(p[i]);
            if (w) of_weights.see(w[i]);
        }
        double least = INFINITY;
        for (int k = 0; k < rung_count; k++) {
            int e = 0, f = 0;
            uint32_t missed = of_pairs.best_top(rungs[k].range(), e);
            if (w) missed += of_weights.best_top(rungs[k].range(), f);
            double cost = rungs[k].slices() * double(std::max(1u, of_pairs.total)) + 500.0 * missed;  // a row outside costs ~30 rows inside
            if (cost < least) least = cost, set(rungs, k, e, f);
        }
    }
    void look(const double* x, size_t count, uint32_t& high, uint32_t& low) const {
        uint32_t most, least;
        if (!count) return;
        kernels_.spread(x, count, &most, &least);
        high = std::max(high, most), low = std::min(low, least);
    }
    static bool narrow(uint32_t high, uint32_t low, int range) {
        int top = static_cast<int>(high >> 20), bottom = low == ~uint32_t{0} ? top : static_cast<int>(low >> 20);
        return top < 0x7ff && top - bottom + 1 <= range;
    }
    void set(const Rung* rungs, int which, int e, int f) {
        const Rung& rung = rungs[which];
        window_ = {rungs, &rung, which, clamp(e, rung.lowest_e(), rung.highest_e()), rung.weighted ? clamp(f, rung.lowest_e(), rung.highest_e()) : 0};
    }

    PairSums& state_;
    const Kernels& kernels_;
    Window& window_;
    bool narrow_;
    int patience_ = 0;
    const double *y_ = nullptr, *p_ = nullptr, *w_ = nullptr;
    size_t outside_ = 0, taken_ = 0;
};

}  // namespace squarely
