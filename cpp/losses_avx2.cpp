// The loops over rows of losses, with the vectors of vector_avx2.hpp.
#include <cmath>

#include "losses.hpp"
#include "vector_avx2.hpp"

namespace {
#include "loss_loops.hpp"
}  // namespace

namespace squarely {
extern const LossLoops kLossesAvx2{add<V>};
}
