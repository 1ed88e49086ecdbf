// AVX2 and FMA: four doubles at a time.
#include "vector_avx2.hpp"
#include "window.hpp"

namespace {
#include "kernel.hpp"
}  // namespace

namespace squarely {
extern const Kernels kAvx2 = kernels_of<V>("avx2");
}
