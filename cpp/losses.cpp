// The loops over rows for every processor, and which are taken.
#include "loss_rows.hpp"
#include "losses_avx2.hpp"
#include "pairs.hpp"
#include "window.hpp"

namespace squarely {

template <class T>
void write_losses(Loss loss, double constant, const LossRows<T>& rows) {
#ifdef SQUARELY_X86
    if (&kernels_in_use() != &kPortable) return write_losses_avx2(loss, constant, rows);
#endif
    write_each(loss, constant, rows);
}

template void write_losses<float>(Loss, double, const LossRows<float>&);
template void write_losses<double>(Loss, double, const LossRows<double>&);

}  // namespace squarely
