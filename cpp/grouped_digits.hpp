// Sums of products of planes of digits over the rows of each group: integers of less than 2^53, so that no order changes a bit.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "window.hpp"

namespace squarely {

// N planes at a time: a sum waits for the one before it of its group, so several are added in turn.
template <size_t N>
void group_planes(const DigitPlanes& left, size_t first, const double* right, const int64_t* codes, size_t rows, std::vector<double>& sums) {
    const double* plane[N];
    for (size_t k = 0; k < N; k++) plane[k] = left.first + (first + k) * left.stride;
    for (size_t row = 0; row < rows; row++) {
        double* group = sums.data() + static_cast<size_t>(codes[row]) * N;
        for (size_t k = 0; k < N; k++) group[k] += plane[k][row] * right[row];
    }
}

// sums[i, j, g] = sum over the rows of group g of left_i * right_j.
inline void group_digits(const DigitPlanes& left, const DigitPlanes& right, const int64_t* codes, size_t rows, size_t groups, int64_t* sums) {
    constexpr decltype(&group_planes<1>) kWays[] = {group_planes<1>, group_planes<2>, group_planes<4>, group_planes<8>};
    std::vector<double> found;
    for (size_t j = 0; j < right.count; j++)
        for (size_t i = 0, many; i < left.count; i += many) {
            size_t way = 3;
            while ((many = size_t{1} << way) > left.count - i) way--;
            found.assign(groups * many, 0.0);
            kWays[way](left, i, right.first + j * right.stride, codes, rows, found);
            for (size_t k = 0; k < many; k++)
                for (size_t g = 0; g < groups; g++) sums[((i + k) * right.count + j) * groups + g] = static_cast<int64_t>(found[g * many + k]);
        }
}

}  // namespace squarely
