// Losses that are two or three operations for an element, in one pass over memory: NumPy would take one for each operation.
#pragma once
#include <cstddef>

namespace squarely {

enum class Loss { squared, half_squared, absolute, huber, pinball, count };

// The loss and its derivative by the prediction of each row, times its weight; 0 where that is 0. Any of weight, loss and gradient may be null.
template <class T>
struct LossRows {
    const T *pred, *target, *weight;
    T *loss, *gradient;
    size_t count;
};

template <class T>
void write_losses(Loss loss, double constant, const LossRows<T>& rows);

}  // namespace squarely
