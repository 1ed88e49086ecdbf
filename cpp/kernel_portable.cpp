// Any processor: two lanes of plain IEEE arithmetic, no fused multiply-add (Dekker's splitting finds the error of a product).
#include "vector_portable.hpp"
#include "window.hpp"

namespace {
#include "kernel.hpp"
}  // namespace

namespace squarely {
extern const Kernels kPortable = kernels_of<V>("portable");
}
