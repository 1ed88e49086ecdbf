// Exact quantiles of the sizes of errors and of targets. A sample says between which values the quantile of many rows must lie; one pass
// counts what is below and keeps what is between. Where it is not there after all, everything is kept.
#pragma once
#include "pairs.hpp"

namespace squarely {

// The smallest value with at least, and the smallest with more than, a share top / bottom of the weight at or below it; the largest
// where there is none. They differ only where the share is met exactly. NaN where no row has a finite target and prediction.
struct Quantile {
    double lower, upper;
};
enum class Of { error, target };
Quantile quantile(const Rows& rows, Of what, uint64_t top, uint64_t bottom, unsigned threads);

}  // namespace squarely
