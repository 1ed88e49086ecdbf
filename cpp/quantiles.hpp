// Exact quantiles of the sizes of errors and of targets. For many errors a histogram says which bucket holds the quantile, and a second
// pass reads that bucket.
#pragma once
#include "pairs.hpp"

namespace squarely {

// The smallest value with at least, and the smallest with more than, a share top / bottom of the weight at or below it; the largest
// where there is none. They differ only where the share is met exactly. NaN where no row has a finite target and prediction.
struct Quantile {
    double lower, upper;
};
enum class Of { error, target };
Quantile quantile(const Rows& rows, Of what, uint64_t top, uint64_t bottom);

}  // namespace squarely
