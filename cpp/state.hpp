// PairSums: what is known about pairs (y, p) with weight w. Eight exact sums, counters, extremes, what a plan keeps beside them, and
// canonical bytes.
#pragma once
#include <algorithm>
#include <array>
#include <limits>
#include <stdexcept>
#include <string>

#include "kept.hpp"

namespace squarely {

enum Term { kW, kY, kP, kMax, kAbs, kYY, kYP, kPP, kTerms };

// Extremes merge, but a subtraction cannot take a row back out of them: then they are unknown.
struct Extremes {
    double error = 0.0;  // largest |y - p|, correctly rounded (rounding is monotone)
    double y_min = INFINITY, y_max = -INFINITY, p_min = INFINITY, p_max = -INFINITY;
    void see(double y, double p, double absolute_error) {
        y_min = std::min(y_min, y), y_max = std::max(y_max, y);
        p_min = std::min(p_min, p), p_max = std::max(p_max, p);
        error = std::max(error, absolute_error);
    }
    void merge(const Extremes& o) {
        y_min = std::min(y_min, o.y_min), y_max = std::max(y_max, o.y_max);
        p_min = std::min(p_min, o.p_min), p_max = std::max(p_max, o.p_max);
        error = std::max(error, o.error);
    }
};

constexpr int kFarthest = 128;  // limbs from the point: products of three doubles, and 2^63 of them, stay within 55

// Rows that could not enter the sums, by what stood in the way: the target first, a missing value before an infinite one.
enum Refused { kMissingTarget, kMissingPrediction, kInfiniteTarget, kInfinitePrediction, kRefused };

struct PairSums {
    int64_t rows = 0;  // signed, so that states form a group
    std::array<int64_t, kRefused> refused{};
    std::array<ExactSum, kTerms> sums;
    Extremes extremes;
    bool extremes_known = true;
    Kept kept;

    PairSums() = default;
    explicit PairSums(std::shared_ptr<const Plan> plan) : kept(std::move(plan)) {}

    // A state of nothing may be added to any other; else both must keep the same.
    void demand_same_plan(const PairSums& o) const {
        if (kept.same_plan(o.kept) || is_identity() || o.is_identity()) return;
        throw std::invalid_argument("the states keep different terms");
    }
    void take_plan(const PairSums& o) {  // of a state of something, where this one is of nothing
        if (!kept.same_plan(o.kept) && !o.is_identity()) kept = Kept(o.kept.plan);
    }
    void merge(const PairSums& o) {
        demand_same_plan(o);
        take_plan(o);
        kept.merge(o.kept);
        rows += o.rows;
        for (int i = 0; i < kRefused; i++) refused[i] += o.refused[i];
        for (int i = 0; i < kTerms; i++) sums[i].add(o.sums[i]);
        extremes.merge(o.extremes);
        extremes_known = extremes_known && o.extremes_known;
    }
    void remove(const PairSums& o) {
        demand_same_plan(o);
        bool nothing = o.is_identity();
        take_plan(o);
        kept.remove(o.kept);
        rows -= o.rows;
        for (int i = 0; i < kRefused; i++) refused[i] -= o.refused[i];
        for (int i = 0; i < kTerms; i++) sums[i].subtract(o.sums[i]);
        if (nothing) return;
        extremes = Extremes();
        extremes_known = is_identity();
    }
    bool is_identity() const {
        for (const ExactSum& sum : sums)
            if (!sum.is_zero()) return false;
        return rows == 0 && refused == std::array<int64_t, kRefused>{} && kept.is_zero();
    }

    // Gives all rows one prediction. Sum w max(y, p) does not follow from the other sums: it is 0 from now on, and nobody may ask for it.
    void predict(double value) {
        auto times_value = [&](const ExactSum& sum) {
            ExactSum product;
            product.add_product(sum, number_of(value));
            return product;
        };
        if (!rows) return;
        sums[kP] = times_value(sums[kW]), sums[kYP] = times_value(sums[kY]), sums[kPP] = times_value(sums[kP]), sums[kMax] = ExactSum();
        extremes.p_min = extremes.p_max = value;
        extremes.error = std::max(std::abs(extremes.y_min - value), std::abs(extremes.y_max - value));
    }

    // One row whose numbers are finite and whose weight is positive: the integer path, for any magnitude.
    void add_numbers(const Number& y, const Number& p, bool y_is_larger, const Number* w) {
        const Number& larger = y_is_larger ? y : p;
        Number absolute = y;
        absolute.negative = false;
        rows++;
        if (!w) {
            sums[kW].add(Number{1, 0, false});
            sums[kY].add(y), sums[kP].add(p), sums[kMax].add(larger), sums[kAbs].add(absolute);
            sums[kYY].add_product(y, y), sums[kYP].add_product(y, p), sums[kPP].add_product(p, p);
            return;
        }
        sums[kW].add(*w);
        sums[kY].add_product(*w, y), sums[kP].add_product(*w, p);
        sums[kMax].add_product(*w, larger), sums[kAbs].add_product(*w, absolute);
        sums[kYY].add_product(y, y, *w), sums[kYP].add_product(y, p, *w), sums[kPP].add_product(p, p, *w);
    }

    // Canonical bytes, little endian: rows and counters (5 x i64), then per sum i16 base, u16 count, limbs; then, unless the state is
    // of nothing, what the plan keeps. A pure function of the multiset of rows. The extremes follow separately, since they are not
    // part of the group.
    std::string canonical(bool with_plan = false) {  // with the plan of a state of nothing, too
        std::string out;
        auto put = [&](const auto& value) { out.append(reinterpret_cast<const char*>(&value), sizeof value); };
        put(rows);
        for (int64_t count : refused) put(count);
        for (ExactSum& sum : sums) {
            sum.trim();
            put(static_cast<int16_t>(sum.base()));
            put(static_cast<uint16_t>(sum.limbs().size()));
            for (uint64_t limb : sum.limbs()) put(limb);
        }
        if (kept.plan && (with_plan || !is_identity())) kept.write(put);
        return out;
    }
    static constexpr size_t kAnnotations = 1 + 5 * sizeof(double);
    std::string annotations() const {
        std::string out(1, static_cast<char>(extremes_known));
        for (double x : {extremes.error, extremes.y_min, extremes.y_max, extremes.p_min, extremes.p_max}) {
            double value = x + 0.0;  // -0 and +0 compare equal: write one of them
            out.append(reinterpret_cast<const char*>(&value), sizeof value);
        }
        return out;
    }
    // Reads canonical() followed by annotations(); throws std::invalid_argument on anything else.
    static PairSums parse(const char* data, size_t size) {
        PairSums state;
        size_t at = 0;
        auto get = [&](auto& value) {
            if (size - at < sizeof value) throw std::invalid_argument("the bytes end too early");
            std::memcpy(&value, data + at, sizeof value);
            at += sizeof value;
        };
        get(state.rows);
        for (int64_t& count : state.refused) get(count);
        auto get_sum = [&]() {
            int16_t base;
            uint16_t count;
            get(base), get(count);
            if (base < -kFarthest || base > kFarthest || count > 2 * kFarthest) throw std::invalid_argument("a sum is out of range");
            if (size - at < size_t{8} * count) throw std::invalid_argument("the bytes end too early");
            Limbs limbs;
            limbs.resize(count);
            for (size_t i = 0; i < count; i++) get(limbs[i]);
            ExactSum sum = ExactSum::from_limbs(base, limbs);
            sum.trim();
            if (sum.limbs().size() != count || sum.base() != (count ? base : 0) || (!count && base))
                throw std::invalid_argument("a sum is not in canonical form");
            return sum;
        };
        for (ExactSum& sum : state.sums) sum = get_sum();
        if (size - at != kAnnotations) state.kept = Kept::parse(get, get_sum);
        if (state.kept.plan && state.kept.plan->histogram) {
            ExactSum rest = state.sums[kW];
            for (const auto& [bucket, total] : state.kept.histogram.cells()) rest.subtract(total);
            if (!rest.is_zero()) throw std::invalid_argument("its histogram does not have the weight of its rows");
        }
        uint8_t known;
        get(known);
        state.extremes_known = known != 0;
        Extremes& x = state.extremes;
        get(x.error), get(x.y_min), get(x.y_max), get(x.p_min), get(x.p_max);
        if (at != size || known > 1) throw std::invalid_argument("bytes are left over");
        return state;
    }
};

}  // namespace squarely
