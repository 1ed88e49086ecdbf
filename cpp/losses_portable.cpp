// The loops over rows of losses, with the vectors of vector_portable.hpp.
#include <cmath>

#include "losses.hpp"
#include "vector_portable.hpp"

namespace {
#include "loss_loops.hpp"
}  // namespace

namespace squarely {
extern const LossLoops kLossesPortable{add<V>};
}
