// Which rows are in a sample: one of each stratum of 2^level neighbours, that of one of its two halves, down to single rows.
#pragma once
#include <cstddef>
#include <cstdint>

namespace squarely {

// Which half of a stratum is taken: a hash of its number, so that a coarser sample is part of every finer one.
inline uint64_t half_of(uint64_t stratum, unsigned level, uint32_t salt) {
    uint64_t x = (stratum + (uint64_t{salt} << 32) + level) * 0x9E3779B97F4A7C15u;
    return ((x ^ (x >> 32)) * 0xD6E8FEB86659FD93u) >> 63;
}

// Writes the rows of [start, stop) in the sample of a level, and returns how many they are: at most one for each stratum that it meets.
inline size_t sampled(int64_t start, int64_t stop, unsigned level, uint32_t salt, int64_t* out) {
    size_t count = 0;
    for (int64_t stratum = start >> level; stratum <= (stop - 1) >> level; stratum++) {
        uint64_t row = static_cast<uint64_t>(stratum);
        for (unsigned height = level; height > 0; height--) row = 2 * row + half_of(row, height, salt);
        const int64_t taken = static_cast<int64_t>(row);
        if (taken >= start && taken < stop) out[count++] = taken;
    }
    return count;
}

}  // namespace squarely
