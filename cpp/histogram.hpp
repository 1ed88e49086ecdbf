// Histogram: how much weight has an error of which size. The bucket of a size is the top bits of its double, so a bucket is at most
// 2^-7 of its size wide, counts are integers, and histograms add and subtract exactly.
#pragma once
#include <algorithm>
#include <utility>
#include <vector>

#include "exact.hpp"

namespace squarely {

constexpr int kBucketBits = 18;  // 11 of the exponent, 7 of the fraction

inline uint32_t bucket_of(double size) { return static_cast<uint32_t>(bits_of(size) << 1 >> (64 - kBucketBits)); }

class Histogram {
   public:
    // The first of the buckets whose counts lie side by side, for errors like these; the steps are wide, so that most samples agree.
    static uint32_t first_near(const double* error, size_t rows) {
        std::vector<uint32_t> some;
        for (size_t i = 0; i < rows && some.size() < kSome; i++)
            if (!is_nan(error[i])) some.push_back(bucket_of(error[i]));
        if (some.empty()) return 0;
        std::nth_element(some.begin(), some.begin() + static_cast<std::ptrdiff_t>(some.size() / 2), some.end());
        return std::max(some[some.size() / 2] / kStep * kStep, kBelow) - kBelow;
    }
    // Rows whose error is NaN are left out. `first`: the first bucket of those side by side, where it is not yet chosen.
    void see(const double* error, const double* weight, size_t rows, uint32_t first) {
        if (!weight && rows >= kSome) return see_some(error, rows, first);
        for (size_t i = 0; i < rows; i++) {
            if (is_nan(error[i])) continue;
            size_t cell = cell_of(bucket_of(error[i]));
            if (weight)
                weigh(cell).add(number_of(weight[i]));
            else
                counts_[cell]++;
        }
    }
    void merge(const Histogram& o) { combine(o, false); }
    void remove(const Histogram& o) { combine(o, true); }

    // The buckets that hold anything, from the smallest error, with the weight in each.
    std::vector<std::pair<uint32_t, ExactSum>> cells() const {
        settle();
        std::vector<std::pair<uint32_t, ExactSum>> out;
        for (size_t cell = 0; cell < buckets_.size(); cell++) {
            ExactSum total = total_of(cell);
            total.trim();
            if (!total.is_zero()) out.emplace_back(buckets_[cell], std::move(total));
        }
        std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        return out;
    }
    bool is_zero() const {
        settle();
        for (size_t cell = 0; cell < buckets_.size(); cell++)
            if (!total_of(cell).is_zero()) return false;
        return true;
    }
    // The weight below a bucket and half of that in it, and all of it.
    void reach(uint32_t bucket, double& below, double& all) const {
        if (weights_.empty()) {
            int64_t twice = 0, rows = 0;
            auto count = [&](uint32_t of, int64_t count) { rows += count, twice += of < bucket ? 2 * count : of == bucket ? count : 0; };
            for (size_t cell = 0; cell < buckets_.size(); cell++) count(buckets_[cell], counts_[cell]);
            for (uint32_t place = 0; place < near_.size(); place++) count(first_ + place, near_[place]);
            below = static_cast<double>(twice) / 2, all = static_cast<double>(rows);
            return;
        }
        settle();
        ExactSum reached, whole;
        for (size_t cell = 0; cell < buckets_.size(); cell++) {
            const ExactSum total = total_of(cell);
            whole.add(total);
            if (buckets_[cell] <= bucket) reached.add_product(total, Number{buckets_[cell] < bucket ? uint64_t{2} : uint64_t{1}, -1, false});
        }
        below = reached.rounded(), all = whole.rounded();
    }
    void put(uint32_t bucket, const ExactSum& total) { weigh(cell_of(bucket)).add(total); }

   private:
    static constexpr size_t kSome = 32;
    static constexpr int kCarry = 256;
    static constexpr uint32_t kNear = 1536, kBelow = 1024, kStep = 256;  // 12 powers of two, of which 8 lie below a usual error

    static bool is_nan(double x) { return bits_of(x) << 1 > uint64_t{0x7ff} << 53; }

    // Most errors are within a few powers of two of each other: their counts lie side by side, a byte each, so that a thousand histograms
    // stay in the second cache; what a byte cannot hold is carried to counts_.
    void see_some(const double* error, size_t rows, uint32_t first) {
        if (near_.empty()) first_ = first, near_.resize(kNear);
        waiting_ = true;
        for (size_t i = 0; i < rows; i++) {
            if (is_nan(error[i])) continue;
            const uint32_t bucket = bucket_of(error[i]), place = bucket - first_;
            if (place >= kNear)
                counts_[cell_of(bucket)]++;
            else if (!++near_[place])
                counts_[cell_of(bucket)] += kCarry;
        }
    }
    bool add_near(const Histogram& o) {
        if (o.near_.empty()) return true;
        if (!near_.empty() && first_ != o.first_) return false;
        first_ = o.first_, waiting_ |= o.waiting_;
        near_.resize(kNear);
        uint8_t over[kNear];
        for (uint32_t place = 0; place < kNear; place++) {
            near_[place] = static_cast<uint8_t>(near_[place] + o.near_[place]);
            over[place] = near_[place] < o.near_[place];
        }
        for (uint32_t place = 0; place < kNear; place++)
            if (over[place]) counts_[cell_of(first_ + place)] += kCarry;
        return true;
    }
    void settle() const {  // changes nothing that can be seen from outside
        if (!waiting_) return;
        waiting_ = false;
        for (uint32_t place = 0; place < kNear; place++)
            if (near_[place]) counts_[cell_of(first_ + place)] += std::exchange(near_[place], 0);
    }

    ExactSum total_of(size_t cell) const {
        ExactSum total = cell < weights_.size() ? weights_[cell] : ExactSum();
        total.add_integer(counts_[cell], 0);
        return total;
    }
    ExactSum& weigh(size_t cell) {
        if (weights_.size() < buckets_.size()) weights_.resize(buckets_.size());
        return weights_[cell];
    }
    void combine(const Histogram& o, bool minus) {
        if (minus || !add_near(o)) o.settle();
        for (size_t cell = 0; cell < o.buckets_.size(); cell++) {
            const size_t mine = cell_of(o.buckets_[cell]);
            counts_[mine] += minus ? -o.counts_[cell] : o.counts_[cell];
            if (cell < o.weights_.size()) minus ? weigh(mine).subtract(o.weights_[cell]) : weigh(mine).add(o.weights_[cell]);
        }
    }
    // Neighbouring buckets have neighbouring places; a place that is taken sends the next bucket one further.
    size_t cell_of(uint32_t bucket) const {
        if (2 * buckets_.size() >= places_.size()) grow();
        size_t mask = places_.size() - 1, place = bucket & mask;
        for (; places_[place]; place = (place + 1) & mask)
            if (buckets_[places_[place] - 1] == bucket) return places_[place] - 1;
        buckets_.push_back(bucket), counts_.push_back(0);
        places_[place] = static_cast<uint32_t>(buckets_.size());
        return buckets_.size() - 1;
    }
    void grow() const {
        places_.assign(std::max<size_t>(16, 2 * places_.size()), 0);
        size_t mask = places_.size() - 1;
        for (size_t cell = 0; cell < buckets_.size(); cell++) {
            size_t place = buckets_[cell] & mask;
            while (places_[place]) place = (place + 1) & mask;
            places_[place] = static_cast<uint32_t>(cell + 1);
        }
    }

    mutable std::vector<uint8_t> near_;  // counts that are not yet in counts_, from bucket first_
    mutable bool waiting_ = false;       // whether there are any
    uint32_t first_ = 0;
    mutable std::vector<uint32_t> places_;  // of a bucket: its cell plus 1, or 0 for none; a power of 2 of them
    mutable std::vector<uint32_t> buckets_;  // of each cell
    mutable std::vector<int64_t> counts_;    // rows without a weight
    std::vector<ExactSum> weights_;  // weights of the others; shorter while there are none
};

}  // namespace squarely
