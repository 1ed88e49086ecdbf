// The loops over rows of losses, with the vectors of vector_avx512.hpp.
#include <cmath>

#include "losses.hpp"
#include "vector_avx512.hpp"

namespace {
#include "loss_loops.hpp"
}  // namespace

namespace squarely {
extern const LossLoops kLossesAvx512{add<V>};
}
