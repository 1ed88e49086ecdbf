// The terms that can be summed beside the eight sums, by number: the numbers are part of the bytes of a state and never change.
#pragma once
#include <cstddef>
#include <cstdint>

namespace squarely {

enum class Recipe : uint16_t {
    squared_error = 1,
    absolute_error = 2,
    error = 3,
    pinball = 4,
    expectile = 5,
    percentage = 6,
    absolute_percentage = 7,
    squared_percentage = 8,
    symmetric_percentage = 9,
    signed_symmetric_percentage = 10,
    scaled_absolute = 11,
    scaled_squared = 12,
    squared_log = 13,
    tweedie = 14,
    huber = 15,
    pseudo_huber = 16,
    log_cosh = 17,
    tukey = 18,
    cauchy = 19,
    welsch = 20,
    geman_mcclure = 21,
    barron = 22,
    linex = 23,
    threshold_weighted = 24,
    interval_covered = 25,
    interval_width = 26,
    interval_score = 27,
    crps_gaussian = 28,
    gaussian_nll = 29,
    circular_absolute = 30,
    circular_squared = 31,
    circular_error = 32,
    quantile = 33,
};
constexpr uint16_t kLastRecipe = 33;

struct Shape {
    uint8_t constants, columns;  // that the recipe reads
};
constexpr Shape shape_of(Recipe recipe) {
    switch (recipe) {
        case Recipe::scaled_absolute: case Recipe::scaled_squared: case Recipe::crps_gaussian: case Recipe::gaussian_nll: return {0, 1};
        case Recipe::interval_covered: case Recipe::interval_width: return {0, 2};
        case Recipe::interval_score: return {1, 2};
        case Recipe::quantile: return {1, 1};
        case Recipe::barron: case Recipe::threshold_weighted: return {2, 0};
        case Recipe::pinball: case Recipe::expectile: case Recipe::absolute_percentage: case Recipe::tweedie: case Recipe::huber:
        case Recipe::pseudo_huber: case Recipe::tukey: case Recipe::cauchy: case Recipe::welsch: case Recipe::geman_mcclure:
        case Recipe::linex: case Recipe::circular_absolute: case Recipe::circular_squared: case Recipe::circular_error: return {1, 0};
        default: return {0, 0};
    }
}

struct TermCall {
    Recipe recipe;
    const double *y, *p, *r;  // r = y - p, rounded once
    const double *x0, *x1;    // more columns; null where the recipe takes none
    const double* constants;
    size_t rows;
    double* out;  // NaN where the row is outside the domain, infinite beyond the largest double
};

}  // namespace squarely
