// Moments: the sums of a state as doubles, each right to the last place although the sums themselves are near each other.
//
// With e = p - y and d = y - center: Sum w, w d, w e, w d^2, w d e, w e^2, w |e|, w |y|, and Sum w t of each term.
#pragma once
#include "state.hpp"

namespace squarely {

constexpr size_t kMoments = 8;

inline size_t moments_of(const PairSums& state) { return kMoments + state.kept.terms.size(); }

inline void write_moments(const PairSums& state, double center, int unit, double* out) {
    const Number one{1, 0, false}, two{2, 0, false}, minus_two{2, 0, true}, minus_one{1, 0, true};
    Number less = number_of(center);
    less.negative = !less.negative;
    auto sum_of = [](std::initializer_list<std::pair<const ExactSum*, Number>> parts) {
        ExactSum sum;
        for (const auto& [part, times] : parts) sum.add_product(*part, times);
        return sum;
    };
    const auto& s = state.sums;
    const ExactSum d = sum_of({{&s[kY], one}, {&s[kW], less}}), e = sum_of({{&s[kP], one}, {&s[kY], minus_one}});
    const ExactSum dy = sum_of({{&s[kYY], one}, {&s[kY], less}}), ey = sum_of({{&s[kYP], one}, {&s[kYY], minus_one}});
    const ExactSum all[kMoments] = {
        s[kW], d, e, sum_of({{&dy, one}, {&d, less}}), sum_of({{&ey, one}, {&e, less}}),
        sum_of({{&s[kYY], one}, {&s[kYP], minus_two}, {&s[kPP], one}}), sum_of({{&s[kMax], two}, {&s[kY], minus_one}, {&s[kP], minus_one}}), s[kAbs],
    };
    constexpr int degree[kMoments] = {0, 1, 1, 2, 2, 2, 1, 1};
    for (size_t i = 0; i < kMoments; i++) {
        ExactSum scaled;
        scaled.add_product(all[i], Number{1, -degree[i] * unit, false});
        out[i] = scaled.rounded();
    }
    for (size_t i = 0; i < state.kept.terms.size(); i++) out[kMoments + i] = state.kept.terms[i].sum.rounded();
}

}  // namespace squarely
