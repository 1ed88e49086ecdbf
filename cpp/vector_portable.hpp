// Any processor: two lanes of plain IEEE arithmetic, no fused multiply-add (Dekker's splitting finds the error of a product).
#pragma once
#include <cstdint>

namespace {
struct V {
    static constexpr int N = 2;
    double v[2];
    struct Int {
        uint64_t v[2];
        static Int zero() { return {{0, 0}}; }
        void store(int64_t* to) const { to[0] = static_cast<int64_t>(v[0]), to[1] = static_cast<int64_t>(v[1]); }
        Int operator+(Int o) const { return {{v[0] + o.v[0], v[1] + o.v[1]}}; }
    };
    static V load(const double* from) { return {{from[0], from[1]}}; }
    static V load(const float* from) { return {{static_cast<double>(from[0]), static_cast<double>(from[1])}}; }
    static V set(double x) { return {{x, x}}; }
    void store(double* to) const { to[0] = v[0], to[1] = v[1]; }
    void store(float* to) const { to[0] = static_cast<float>(v[0]), to[1] = static_cast<float>(v[1]); }
    template <class T>
    void stream(T* to) const { store(to); }
    static void fence() {}
    V operator+(V o) const { return {{v[0] + o.v[0], v[1] + o.v[1]}}; }
    V operator-(V o) const { return {{v[0] - o.v[0], v[1] - o.v[1]}}; }
    V operator*(V o) const { return {{v[0] * o.v[0], v[1] * o.v[1]}}; }
    static V head(V a) {  // the upper 26 bits; windows and recipes keep a far from overflow
        V scaled = a * set(134217729.0);
        return scaled - (scaled - a);
    }
    static V product_error(V a, V b, V product) {
        V a_head = head(a), b_head = head(b), a_tail = a - a_head, b_tail = b - b_head;
        return (((a_head * b_head - product) + a_head * b_tail) + a_tail * b_head) + a_tail * b_tail;
    }
    static V add_product(V a, V b, V c) { return a * b + c; }  // used where nothing is rounded
    static V absolute(V a) { return {{__builtin_fabs(a.v[0]), __builtin_fabs(a.v[1])}}; }
    static V max(V a, V b) { return {{a.v[0] > b.v[0] ? a.v[0] : b.v[0], a.v[1] > b.v[1] ? a.v[1] : b.v[1]}}; }
    static V min(V a, V b) { return {{a.v[0] < b.v[0] ? a.v[0] : b.v[0], a.v[1] < b.v[1] ? a.v[1] : b.v[1]}}; }
    struct Mask {
        bool v[2];
    };
    static Mask greater(V a, V b) { return {{a.v[0] > b.v[0], a.v[1] > b.v[1]}}; }
    static Mask equal(V a, V b) { return {{a.v[0] == b.v[0], a.v[1] == b.v[1]}}; }
    static V choose(Mask mask, V yes, V no) { return {{mask.v[0] ? yes.v[0] : no.v[0], mask.v[1] ? yes.v[1] : no.v[1]}}; }
    static bool any(Mask mask) { return mask.v[0] || mask.v[1]; }
    V operator/(V o) const { return {{v[0] / o.v[0], v[1] / o.v[1]}}; }
    static V sqrt(V a) { return {{__builtin_sqrt(a.v[0]), __builtin_sqrt(a.v[1])}}; }
    static uint64_t bits_of(double x) {
        uint64_t bits;
        __builtin_memcpy(&bits, &x, 8);
        return bits;
    }
    static double of_bits(uint64_t bits) {
        double x;
        __builtin_memcpy(&x, &bits, 8);
        return x;
    }
    static V exponent(V a) {  // of a positive normal number, as a double
        return V{{of_bits(bits_of(a.v[0]) >> 52 | bits_of(0x1p52)), of_bits(bits_of(a.v[1]) >> 52 | bits_of(0x1p52))}} - set(0x1p52 + 1023);
    }
    static double mantissa(double x) { return of_bits((bits_of(x) & ((uint64_t{1} << 52) - 1)) | bits_of(1.0)); }
    static V mantissa(V a) { return {{mantissa(a.v[0]), mantissa(a.v[1])}}; }  // of a positive normal number, in [1, 2)
    static V power_of_two(V k) {  // -1022 <= k <= 1023, an integer
        V biased = k + set(0x1p52 + 1023);
        return {{of_bits(bits_of(biased.v[0]) << 52), of_bits(bits_of(biased.v[1]) << 52)}};
    }
    static double odd(double sum, double rest) {
        const uint64_t bits = bits_of(sum), below = (bits ^ bits_of(rest)) >> 63;
        return rest == 0 ? sum : of_bits((bits - below) | 1);
    }
    static V odd(V sum, V rest) { return {{odd(sum.v[0], rest.v[0]), odd(sum.v[1], rest.v[1])}}; }  // sum + rest, the first the nearest to both, rounded to odd
    void store_odd(float* to) const {  // rounded to odd
        for (int i = 0; i < N; i++) {
            const float near = static_cast<float>(v[i]);
            uint32_t bits;
            __builtin_memcpy(&bits, &near, 4);
            bits = (bits - (__builtin_fabs(near) > __builtin_fabs(v[i]))) | (near != v[i]);
            __builtin_memcpy(to + i, &bits, 4);
        }
    }
    struct Doubt {  // whether any lane was close to a float's tie, by 8 units of a double, or unlike another
        bool seen = false;
        void see_tie(V a) {
            for (double x : a.v) seen |= ((bits_of(x) - ((1 << 28) - 8)) & ((1 << 29) - 16)) == 0;
        }
        void see_unlike(V a, V b) { seen |= a.v[0] != b.v[0] || a.v[1] != b.v[1]; }
        bool any() const { return seen; }
    };
    struct Spread {
        uint32_t high = 0, low = ~uint32_t{0};
        void see(V a) {
            for (double x : a.v) {
                uint64_t bits;
                __builtin_memcpy(&bits, &x, 8);
                bits &= INT64_MAX;
                uint32_t top = static_cast<uint32_t>(bits >> 32), below = static_cast<uint32_t>((bits - 1) >> 32);
                high = top > high ? top : high;
                low = below < low ? below : low;
            }
        }
        void read(uint32_t& most, uint32_t& least) const { most = high, least = low; }
    };
};
inline V::Int bits(V a) {
    V::Int out;
    __builtin_memcpy(&out, &a, sizeof out);
    return out;
}
}  // namespace
