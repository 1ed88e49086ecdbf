// The loops over rows for processors with AVX2.
#pragma once
#include "losses.hpp"

namespace squarely {

void write_losses_avx2(Loss loss, double constant, const LossRows<float>& rows);
void write_losses_avx2(Loss loss, double constant, const LossRows<double>& rows);

}  // namespace squarely
