// AVX-512 (F and DQ): eight doubles at a time.
#include "vector_avx512.hpp"
#include "window.hpp"

namespace {
#include "kernel.hpp"
}  // namespace

namespace squarely {
extern const Kernels kAvx512 = kernels_of<V>("avx512");
}
