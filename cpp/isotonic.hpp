// Isotonic regression by pooling adjacent violators: Barlow et al. (1972), Statistical Inference under Order Restrictions.
#pragma once
#include <cstdint>
#include <vector>

#include "columns.hpp"

namespace squarely {

// The weighted means that never fall and are nearest to `value` are means of stretches of rows: the first row of each.
inline std::vector<int64_t> isotonic(const Column& value, const Column& weight, size_t rows) {
    struct Stretch {
        double mean, weight;
        int64_t first;
    };
    std::vector<Stretch> stretches;
    for (size_t row = 0; row < rows; row++) {
        Stretch last{0.0, 0.0, static_cast<int64_t>(row)};
        value.read(row, 1, &last.mean), weight.read(row, 1, &last.weight);
        while (!stretches.empty() && stretches.back().mean >= last.mean) {
            const Stretch& before = stretches.back();
            double both = before.weight + last.weight;
            last = {before.mean + (last.mean - before.mean) * (last.weight / both), both, before.first};
            stretches.pop_back();
        }
        stretches.push_back(last);
    }
    std::vector<int64_t> first;
    for (const Stretch& stretch : stretches) first.push_back(stretch.first);
    return first;
}

}  // namespace squarely
