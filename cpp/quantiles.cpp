#include "quantiles.hpp"

#include <algorithm>

#include "feeder.hpp"
#include "rounding.hpp"

namespace squarely {
namespace {

constexpr size_t kBlock = size_t{1} << 12, kFewValues = size_t{1} << 15;

// Calls take(values, weights, count) for blocks of the rows that can be judged; weights is null without weights.
template <class Take>
void for_each_block(const Rows& rows, Of what, Take take) {
    const size_t most = std::min(kBlock, rows.count);
    std::vector<double> widened, values(most), weights(rows.weighted ? most : 0);
    for (size_t at = 0; at < rows.count; at += kBlock) {
        size_t count = std::min(kBlock, rows.count - at), kept = 0;
        Pointers from;
        const double *&y = from[0], *&p = from[1], *&w = from[2];
        if (!rows.as_doubles(at, count, widened, from))
            rows.differences(at, count, values);
        else
            for (size_t i = 0; i < count; i++) values[i] = y[i] - p[i];
        constexpr uint64_t exponent = uint64_t{0x7ff} << 52;
        bool any = w != nullptr;
        for (size_t i = 0; i < count; i++) any |= (bits_of(y[i]) & exponent) == exponent || (bits_of(p[i]) & exponent) == exponent;
        for (size_t i = 0; i < count; i++) values[i] = what == Of::error ? std::fabs(values[i]) : y[i];
        if (!any) {
            take(values.data(), nullptr, count);
            continue;
        }
        for (size_t i = 0; i < count; i++) {
            values[kept] = values[i];
            if (w) weights[kept] = w[i];
            kept += is_finite(y[i]) && is_finite(p[i]) && !(w && is_zero(w[i]));
        }
        take(values.data(), w ? weights.data() : nullptr, kept);
    }
}

// The number of rows of `count` that make up the share, rounded up, and whether it is met exactly.
size_t rows_of_share(uint64_t top, uint64_t bottom, size_t count, bool& exactly) {
    uint128 product = static_cast<uint128>(top) * count;
    exactly = product % bottom == 0;
    return static_cast<size_t>(product / bottom) + !exactly;
}

// Values at ranks counted from 1, of which the second is the first or the next; ranks beyond the ends stand for the ends. Equal steps
// from the least to the largest value, counted, leave few values to sort.
Quantile at_ranks(std::vector<double>& values, size_t lower, size_t upper) {
    constexpr size_t steps = 256;
    size_t first = std::clamp<size_t>(lower, 1, values.size()) - 1, last = std::clamp<size_t>(upper, 1, values.size()) - 1;
    auto [least, most] = std::minmax_element(values.begin(), values.end());
    const double start = *least, scale = (steps - 1) / (*most - *least);
    if (values.size() > steps && std::isfinite(scale)) {
        auto step = [&](double value) { return static_cast<uint32_t>((value - start) * scale); };
        uint32_t counts[steps] = {};
        for (double value : values) counts[step(value)]++;
        size_t below = 0, from = 0, to = 0, before = 0;
        for (uint32_t at = 0; at < steps; below += counts[at++]) {
            if (below <= first) from = at, before = below;
            if (below <= last) to = at;
        }
        auto beside = [&](double value) { return step(value) < from || step(value) > to; };
        values.erase(std::remove_if(values.begin(), values.end(), beside), values.end());
        first -= before, last -= before;
    }
    auto at = [&](size_t rank) { return values.begin() + static_cast<std::ptrdiff_t>(rank); };
    std::nth_element(values.begin(), at(last), values.end());
    double high = *at(last);
    return {first == last ? high : *std::max_element(values.begin(), at(last)), high};
}

Quantile plain_quantile(const Rows& rows, Of what, uint64_t top, uint64_t bottom) {
    std::vector<double> values;
    values.reserve(std::min(rows.count, kFewValues));
    bool exactly;
    if (rows.count <= kFewValues || what == Of::target) {
        for_each_block(rows, what, [&](const double* block, const double*, size_t n) { values.insert(values.end(), block, block + n); });
        if (values.empty()) return {NAN, NAN};
        size_t rank = rows_of_share(top, bottom, values.size(), exactly);
        return at_ranks(values, rank, rank + exactly);
    }
    std::vector<uint32_t> counts(size_t{4} << kBucketBits);  // four tables, since neighbours in the data often share a bucket
    size_t total = 0;
    for_each_block(rows, what, [&](const double* block, const double*, size_t n) {
        for (size_t i = 0; i < n; i++) counts[(i & 3) << kBucketBits | bucket_of(block[i])]++;
        total += n;
    });
    if (!total) return {NAN, NAN};
    size_t rank = rows_of_share(top, bottom, total, exactly);
    size_t first = std::clamp<size_t>(rank, 1, total), last = std::clamp<size_t>(rank + exactly, 1, total);
    size_t below = 0, before_first = 0;
    uint32_t first_bucket = 0, last_bucket = 0;
    for (uint32_t bucket = 0; bucket < 1u << kBucketBits; bucket++) {
        size_t here = 0;
        for (size_t table = 0; table < 4; table++) here += counts[table << kBucketBits | bucket];
        if (below < first && below + here >= first) first_bucket = bucket, before_first = below;
        if (below < last && below + here >= last) last_bucket = bucket;
        below += here;
    }
    double chosen[kBlock];
    for_each_block(rows, what, [&](const double* block, const double*, size_t n) {
        size_t found = 0;
        for (size_t i = 0; i < n; i++) {
            chosen[found] = block[i];
            found += bucket_of(block[i]) - first_bucket <= last_bucket - first_bucket;
        }
        values.insert(values.end(), chosen, chosen + found);
    });
    return at_ranks(values, first - before_first, last - before_first);
}

Quantile weighted_quantile(const Rows& rows, Of what, uint64_t top, uint64_t bottom) {
    std::vector<std::pair<double, double>> values;
    for_each_block(rows, what, [&](const double* block, const double* weights, size_t n) {
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

Quantile quantile(const Rows& rows, Of what, uint64_t top, uint64_t bottom) {
    DefaultRounding rules;
    return rows.weighted ? weighted_quantile(rows, what, top, bottom) : plain_quantile(rows, what, top, bottom);
}

}  // namespace squarely
