// Columns of any numeric type and stride, read as doubles where that is exact and as integers where it is not.
#pragma once
#include "exact.hpp"

namespace squarely {

enum class Kind { f64, f32, f16, i8, i16, i32, i64, u8, u16, u32, u64, boolean };

inline double half_to_double(uint16_t half) {
    int exponent = (half >> 10) & 31, fraction = half & 1023;
    double size = exponent == 31 ? (fraction ? NAN : INFINITY)
                  : exponent     ? std::ldexp(1024 + fraction, exponent - 25)
                                 : std::ldexp(fraction, -24);
    return half >> 15 ? -size : size;
}

struct Column {
    const char* data = nullptr;
    std::ptrdiff_t stride = 0;  // bytes
    Kind kind = Kind::f64;

    bool is_plain() const { return kind == Kind::f64 && stride == 8 && reinterpret_cast<uintptr_t>(data) % 8 == 0; }
    const double* plain() const { return reinterpret_cast<const double*>(data); }
    bool is_plain_float() const { return kind == Kind::f32 && stride == 4 && reinterpret_cast<uintptr_t>(data) % 4 == 0; }
    const float* plain_float() const { return reinterpret_cast<const float*>(data); }
    bool is_narrow() const {  // a float holds every value
        return kind != Kind::f64 && kind != Kind::i32 && kind != Kind::u32 && kind != Kind::i64 && kind != Kind::u64;
    }

    template <class T>
    T value(size_t row) const {
        T x;
        std::memcpy(&x, data + static_cast<std::ptrdiff_t>(row) * stride, sizeof x);
        return x;
    }
    template <class T>
    void widen(size_t start, size_t count, double* out) const {
        if (stride == sizeof(T)) {  // said apart, because a known stride lets the compiler use vectors
            const char* from = data + start * sizeof(T);
            for (size_t i = 0; i < count; i++) {
                T x;
                std::memcpy(&x, from + i * sizeof(T), sizeof(T));
                out[i] = static_cast<double>(x);
            }
        } else if (stride == 0) {  // one number for all rows
            std::fill_n(out, count, static_cast<double>(value<T>(0)));
        } else {
            for (size_t i = 0; i < count; i++) out[i] = static_cast<double>(value<T>(start + i));
        }
    }
    // False when a 64-bit integer among the rows has no exact double: those rows take number().
    bool read(size_t start, size_t count, double* out) const {
        switch (kind) {
            case Kind::f64: widen<double>(start, count, out); return true;
            case Kind::f32: widen<float>(start, count, out); return true;
            case Kind::i8: widen<int8_t>(start, count, out); return true;
            case Kind::i16: widen<int16_t>(start, count, out); return true;
            case Kind::i32: widen<int32_t>(start, count, out); return true;
            case Kind::u8: case Kind::boolean: widen<uint8_t>(start, count, out); return true;
            case Kind::u16: widen<uint16_t>(start, count, out); return true;
            case Kind::u32: widen<uint32_t>(start, count, out); return true;
            case Kind::f16:
                for (size_t i = 0; i < count; i++) out[i] = half_to_double(value<uint16_t>(start + i));
                return true;
            case Kind::i64: case Kind::u64: break;
        }
        constexpr uint64_t limit = uint64_t{1} << 53;
        bool beyond = false;
        if (kind == Kind::i64) {
            widen<int64_t>(start, count, out);
            for (size_t i = 0; i < count; i++) beyond |= value<uint64_t>(start + i) + limit > 2 * limit;
        } else {
            widen<uint64_t>(start, count, out);
            for (size_t i = 0; i < count; i++) beyond |= value<uint64_t>(start + i) > limit;
        }
        return !beyond;
    }
    Number number(size_t row) const {  // of a finite value
        if (kind == Kind::u64) return {value<uint64_t>(row), 0, false};
        if (kind == Kind::i64) {
            int64_t x = value<int64_t>(row);
            return {x < 0 ? -static_cast<uint64_t>(x) : static_cast<uint64_t>(x), 0, x < 0};
        }
        double x;
        read(row, 1, &x);
        return number_of(x);
    }
};

}  // namespace squarely
