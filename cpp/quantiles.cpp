#include "quantiles.hpp"

#include <algorithm>
#include <cstring>
#include <random>

#include "feeder.hpp"
#include "rounding.hpp"
#include "threads.hpp"

namespace squarely {
namespace {

constexpr size_t kBlock = size_t{1} << 10, kSample = size_t{1} << 15;

// Calls take(values, weights, count) for blocks of the rows that can be judged; weights is null without weights.
template <class Take>
void for_each_block(const Rows& rows, Of what, size_t begin, size_t end, Take take) {
    const size_t most = std::min(kBlock, end - begin);
    std::vector<double> widened, differences, weights(rows.weighted ? most : 0);
    const std::unique_ptr<double[]> values(new double[most]);  // is not cleared first: that costs more than a short call
    for (size_t at = begin; at < end; at += kBlock) {
        size_t count = std::min(kBlock, end - at), kept = 0;
        Pointers from;
        const double *&y = from[0], *&p = from[1], *&w = from[2];
        bool finite = false;
        if (rows.as_doubles(at, count, widened, from))
            finite = kernels_in_use().subtract(y, p, count, values.get());
        else
            rows.differences(at, count, differences), std::copy(differences.begin(), differences.end(), values.get());
        if (what == Of::error)
            kernels_in_use().term({Recipe::absolute_error, y, p, values.get(), nullptr, nullptr, nullptr, count, values.get()});
        else
            std::copy(y, y + count, values.get());
        if (finite && !w) {
            take(values.get(), nullptr, count);
            continue;
        }
        for (size_t i = 0; i < count; i++) {
            values[kept] = values[i];
            if (w) weights[kept] = w[i];
            kept += is_finite(y[i]) && is_finite(p[i]) && !(w && is_zero(w[i]));
        }
        take(values.get(), w ? weights.data() : nullptr, kept);
    }
}

// The number of rows of `count` that make up the share, rounded up, and whether it is met exactly.
size_t rows_of_share(uint64_t top, uint64_t bottom, size_t count, bool& exactly) {
    uint128 product = static_cast<uint128>(top) * count;
    exactly = product % bottom == 0;
    return static_cast<size_t>(product / bottom) + !exactly;
}

struct Bounds {
    double low, high;
};
constexpr Bounds kEverything{-INFINITY, INFINITY};

// Values at ranks counted from 1, of which the second is the first or the next; ranks beyond the ends stand for the ends. Equal steps
// from the least to the largest value, counted, leave fewer values each time.
Quantile at_ranks(std::vector<double>& values, size_t lower, size_t upper) {
    constexpr size_t few = 64;
    size_t first = std::clamp<size_t>(lower, 1, values.size()) - 1, last = std::clamp<size_t>(upper, 1, values.size()) - 1;
    std::unique_ptr<uint8_t[]> step(new uint8_t[values.size()]);
    for (bool fewer = true; fewer && values.size() > few;) {
        if (!kernels_in_use().steps(values.data(), values.size(), step.get())) break;
        uint32_t counts[256] = {};
        for (size_t i = 0; i < values.size(); i++) counts[step[i]]++;
        size_t from = 0, before = 0;
        while (before + counts[from] <= first) before += counts[from++];
        size_t to = from, below = before;
        while (below + counts[to] <= last) below += counts[to++];
        std::vector<double> rest;
        rest.reserve(counts[from] + counts[to]);
        auto keep = [&](size_t wanted) {  // memchr passes over what is not wanted faster than a loop
            const uint8_t *found = step.get(), *end = found + values.size();
            while ((found = static_cast<const uint8_t*>(std::memchr(found, static_cast<int>(wanted), static_cast<size_t>(end - found)))))
                rest.push_back(values[static_cast<size_t>(found++ - step.get())]);
        };
        keep(from);
        if (to != from) keep(to);  // the ranks are neighbours: nothing lies between their steps
        fewer = rest.size() < values.size();
        values.swap(rest);
        first -= before, last -= before;
    }
    auto at = [&](size_t rank) { return values.begin() + static_cast<std::ptrdiff_t>(rank); };
    std::nth_element(values.begin(), at(last), values.end());
    double high = *at(last);
    return {first == last ? high : *std::max_element(values.begin(), at(last)), high};
}

// Values between which the quantile lies in all likelihood: four deviations to both sides in a sample, one row of each stretch of rows.
Bounds likely_bounds(const Rows& rows, Of what, double share) {
    std::vector<double> sample;
    sample.reserve(kSample);
    std::minstd_rand draw;
    for (size_t i = 0, stretch = rows.count / kSample; i < kSample; i++) {
        double y, p;
        size_t row = i * stretch + draw() % stretch;
        rows.y.read(row, 1, &y), rows.p.read(row, 1, &p);
        if (is_finite(y) && is_finite(p)) sample.push_back(what == Of::error ? std::fabs(y - p) : y);
    }
    const double size = static_cast<double>(sample.size()), margin = 4 * std::sqrt(share * (1 - share) * size) + 1;
    auto at_rank = [&](double rank) -> double {
        if (!(rank >= 0)) return -INFINITY;
        if (!(rank < size)) return INFINITY;
        auto place = sample.begin() + static_cast<std::ptrdiff_t>(rank);
        std::nth_element(sample.begin(), place, sample.end());
        return *place;
    };
    return {at_rank(share * size - margin), at_rank(share * size + margin)};
}

// What was found between bounds: the values there, how many lie below, and of how many rows.
struct Found {
    std::vector<double> values;
    size_t below = 0, rows = 0;
};
Found between(const Rows& rows, Of what, Bounds bounds, unsigned threads) {
    const bool everything = bounds.low == kEverything.low && bounds.high == kEverything.high;
    Parts parts(rows.count);
    std::vector<Found> found(std::max<size_t>(1, std::min<size_t>(threads, parts.count())));
    beside_each_other(found.size(), [&](size_t thread) {
        DefaultRounding rules;
        Found mine;  // not in the vector yet: threads that write to neighbours in memory wait for each other
        double chosen[kBlock];
        for (size_t begin, end; parts.take(begin, end);)
            for_each_block(rows, what, begin, end, [&](const double* block, const double*, size_t n) {
                mine.rows += n;
                if (everything) return void(mine.values.insert(mine.values.end(), block, block + n));
                size_t count = 0, below = 0;
                for (size_t i = 0; i < n; i++) {
                    chosen[count] = block[i];
                    below += block[i] < bounds.low;
                    count += (block[i] >= bounds.low) & (block[i] <= bounds.high);
                }
                mine.values.insert(mine.values.end(), chosen, chosen + count);
                mine.below += below;
            });
        found[thread] = std::move(mine);
    });
    Found& all = found[0];
    for (size_t i = 1; i < found.size(); i++) {
        all.values.insert(all.values.end(), found[i].values.begin(), found[i].values.end());
        all.below += found[i].below, all.rows += found[i].rows;
    }
    return std::move(all);
}

Quantile plain_quantile(const Rows& rows, Of what, uint64_t top, uint64_t bottom, unsigned threads) {
    double share = static_cast<double>(top) / static_cast<double>(bottom);
    Found found = between(rows, what, rows.count < 2 * kSample ? kEverything : likely_bounds(rows, what, share), threads);
    if (!found.rows) return {NAN, NAN};
    bool exactly;
    size_t rank = rows_of_share(top, bottom, found.rows, exactly);
    size_t first = std::clamp<size_t>(rank, 1, found.rows), last = std::clamp<size_t>(rank + exactly, 1, found.rows);
    if (first <= found.below || last > found.below + found.values.size()) found = between(rows, what, kEverything, threads);
    return at_ranks(found.values, first - found.below, last - found.below);
}

Quantile weighted_quantile(const Rows& rows, Of what, uint64_t top, uint64_t bottom) {
    std::vector<std::pair<double, double>> values;
    for_each_block(rows, what, 0, rows.count, [&](const double* block, const double* weights, size_t n) {
        for (size_t i = 0; i < n; i++) values.emplace_back(block[i], weights[i]);
    });
    if (values.empty()) return {NAN, NAN};
    std::sort(values.begin(), values.end());
    ExactSum share, below;
    for (const auto& [value, weight] : values) share.add_product(number_of(weight), Number{top, 0, false});
    for (size_t i = 0; i < values.size(); i++) {
        below.add_product(number_of(values[i].second), Number{bottom, 0, false});
        int order = below.compare(share);
        if (order >= 0) return {values[i].first, values[std::min(i + (order == 0), values.size() - 1)].first};
    }
    return {values.back().first, values.back().first};
}

}  // namespace

Quantile quantile(const Rows& rows, Of what, uint64_t top, uint64_t bottom, unsigned threads) {
    DefaultRounding rules;
    return rows.weighted ? weighted_quantile(rows, what, top, bottom) : plain_quantile(rows, what, top, bottom, threads);
}

}  // namespace squarely
