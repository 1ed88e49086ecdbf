// The loops over rows with AVX2, but without fused operations, which have other bits.
#include "losses_avx2.hpp"

#include "loss_rows.hpp"

namespace squarely {

void write_losses_avx2(Loss loss, double constant, const LossRows<float>& rows) { write_each(loss, constant, rows); }
void write_losses_avx2(Loss loss, double constant, const LossRows<double>& rows) { write_each(loss, constant, rows); }

}  // namespace squarely
