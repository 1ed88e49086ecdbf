// Where the rows of a block are, and what counts of them. Included in the anonymous namespace of losses_*.cpp.
#pragma once

using squarely::LossRows;
using squarely::Spread;

template <class T>
struct Arrays {  // of the rows from some place on; spread and weight may be null, and what is not asked for
    const T *pred, *target, *spread, *weight;
    T *loss, *gradient, *curvature, *gradient_of_spread;
    Arrays from(size_t i) const {
        auto at = [i](auto* array) { return array ? array + i : nullptr; };
        return {pred + i, target + i, at(spread), at(weight), at(loss), at(gradient), at(curvature), at(gradient_of_spread)};
    }
};

template <class T>
const T* weights_of(const LossRows& rows, size_t begin, size_t count, T* room) {  // with the mask, as one number for each row
    const T* weight = static_cast<const T*>(rows.weight.numbers);
    const uint8_t* mask = static_cast<const uint8_t*>(rows.mask.numbers);
    if (weight && !mask && rows.weight.repeat == 1 && rows.weight.size == rows.count) return weight + begin;
    if (!weight && !mask) return nullptr;
    auto each = [&](const Spread& spread, auto put) {
        size_t at = begin / spread.repeat % spread.size, left = spread.repeat - begin % spread.repeat;
        for (size_t i = 0; i < count;) {
            for (size_t end = i + left < count ? i + left : count; i < end; i++) put(i, at);
            left = spread.repeat, at = at + 1 == spread.size ? 0 : at + 1;
        }
    };
    for (size_t i = 0; !weight && i < count; i++) room[i] = T(1);
    if (weight) each(rows.weight, [&](size_t i, size_t at) { room[i] = weight[at]; });
    if (mask && rows.mask.repeat == 1 && rows.mask.size == rows.count) {
        for (size_t i = 0; i < count; i++) room[i] = mask[begin + i] ? room[i] : T(0);
    } else if (mask) {
        each(rows.mask, [&](size_t i, size_t at) { room[i] = mask[at] ? room[i] : T(0); });
    }
    return room;
}

template <class V, class T>
void write_out(const double* from, T* to, size_t count, bool streams) {  // a few rows, rounded; nothing where there is no place for them
    const size_t whole = streams && reinterpret_cast<uintptr_t>(to) % 64 == 0 ? count / V::N * V::N : 0;
    for (size_t i = 0; to && i < whole; i += V::N) V::load(from + i).stream(to + i);
    for (size_t i = whole; to && i < count; i++) to[i] = static_cast<T>(from[i]);
}
