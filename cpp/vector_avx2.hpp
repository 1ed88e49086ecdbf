// AVX2 and FMA: four doubles at a time.
#pragma once
#include <immintrin.h>

#include <cstdint>

namespace {
struct V {
    static constexpr int N = 4;
    __m256d v;
    struct Int {
        __m256i v;
        static Int zero() { return {_mm256_setzero_si256()}; }
        void store(int64_t* to) const { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), v); }
        Int operator+(Int o) const { return {_mm256_add_epi64(v, o.v)}; }
    };
    static V load(const double* from) { return {_mm256_loadu_pd(from)}; }
    static V load(const float* from) { return {_mm256_cvtps_pd(_mm_loadu_ps(from))}; }
    static V set(double x) { return {_mm256_set1_pd(x)}; }
    void store(double* to) const { _mm256_storeu_pd(to, v); }
    void store(float* to) const { _mm_storeu_ps(to, _mm256_cvtpd_ps(v)); }
    void stream(double* to) const { _mm256_stream_pd(to, v); }  // past the cache, to an address that is a multiple of the vector
    void stream(float* to) const { _mm_stream_ps(to, _mm256_cvtpd_ps(v)); }
    static void fence() { _mm_sfence(); }
    V operator+(V o) const { return {_mm256_add_pd(v, o.v)}; }
    V operator-(V o) const { return {_mm256_sub_pd(v, o.v)}; }
    V operator*(V o) const { return {_mm256_mul_pd(v, o.v)}; }
    static V product_error(V a, V b, V product) { return {_mm256_fmsub_pd(a.v, b.v, product.v)}; }
    static V add_product(V a, V b, V c) { return {_mm256_fmadd_pd(a.v, b.v, c.v)}; }
    static V absolute(V a) { return {_mm256_andnot_pd(_mm256_set1_pd(-0.0), a.v)}; }
    static V max(V a, V b) { return {_mm256_max_pd(a.v, b.v)}; }
    static V min(V a, V b) { return {_mm256_min_pd(a.v, b.v)}; }
    static V greater(V a, V b) { return {_mm256_cmp_pd(a.v, b.v, _CMP_GT_OQ)}; }
    static V equal(V a, V b) { return {_mm256_cmp_pd(a.v, b.v, _CMP_EQ_OQ)}; }
    static V choose(V mask, V yes, V no) { return {_mm256_blendv_pd(no.v, yes.v, mask.v)}; }
    static bool any(V mask) { return _mm256_movemask_pd(mask.v) != 0; }
    V operator/(V o) const { return {_mm256_div_pd(v, o.v)}; }
    static V sqrt(V a) { return {_mm256_sqrt_pd(a.v)}; }
    static V exponent(V a) {  // of a positive normal number, as a double
        __m256i biased = _mm256_or_si256(_mm256_srli_epi64(_mm256_castpd_si256(a.v), 52), _mm256_castpd_si256(_mm256_set1_pd(0x1p52)));
        return {_mm256_sub_pd(_mm256_castsi256_pd(biased), _mm256_set1_pd(0x1p52 + 1023))};
    }
    static V mantissa(V a) {  // of a positive normal number, in [1, 2)
        __m256i fraction = _mm256_and_si256(_mm256_castpd_si256(a.v), _mm256_set1_epi64x((int64_t{1} << 52) - 1));
        return {_mm256_castsi256_pd(_mm256_or_si256(fraction, _mm256_castpd_si256(_mm256_set1_pd(1.0))))};
    }
    static V power_of_two(V k) {  // -1022 <= k <= 1023, an integer
        return {_mm256_castsi256_pd(_mm256_slli_epi64(_mm256_castpd_si256(_mm256_add_pd(k.v, _mm256_set1_pd(0x1p52 + 1023))), 52))};
    }
    static V odd(V sum, V rest) {  // sum + rest, the first the nearest to both, rounded to odd
        __m256i bits = _mm256_castpd_si256(sum.v), below = _mm256_srli_epi64(_mm256_xor_si256(bits, _mm256_castpd_si256(rest.v)), 63);
        V moved{_mm256_castsi256_pd(_mm256_or_si256(_mm256_sub_epi64(bits, below), _mm256_set1_epi64x(1)))};
        return choose(equal(rest, set(0.0)), sum, moved);
    }
    void store_odd(float* to) const {  // rounded to odd
        __m128 near = _mm256_cvtpd_ps(v);
        V zero = set(0.0), wide{_mm256_cvtps_pd(near)}, beyond = choose(greater(absolute(wide), absolute(*this)), set(-1.0), zero);
        __m128i bits = _mm_add_epi32(_mm_castps_si128(near), _mm256_cvtpd_epi32(beyond.v));
        bits = _mm_or_si128(bits, _mm256_cvtpd_epi32(choose(equal(wide, *this), zero, set(1.0)).v));
        _mm_storeu_ps(to, _mm_castsi128_ps(bits));
    }
    struct Doubt {  // whether any lane was close to a float's tie, by 8 units of a double, or unlike another
        __m256i seen = _mm256_setzero_si256();
        void see_tie(V a) {
            __m256i from_tie = _mm256_sub_epi64(_mm256_castpd_si256(a.v), _mm256_set1_epi64x((1 << 28) - 8));
            __m256i far = _mm256_and_si256(from_tie, _mm256_set1_epi64x((1 << 29) - 16));
            seen = _mm256_or_si256(seen, _mm256_cmpeq_epi64(far, _mm256_setzero_si256()));
        }
        void see_unlike(V a, V b) { seen = _mm256_or_si256(seen, _mm256_castpd_si256(_mm256_cmp_pd(a.v, b.v, _CMP_NEQ_UQ))); }
        bool any() const { return !_mm256_testz_si256(seen, seen); }
    };
    struct Spread {
        __m256i high = _mm256_setzero_si256(), low = _mm256_set1_epi32(-1);
        void see(V a) {
            __m256i bits = _mm256_and_si256(_mm256_castpd_si256(a.v), _mm256_set1_epi64x(INT64_MAX));
            high = _mm256_max_epu32(high, bits);
            low = _mm256_min_epu32(low, _mm256_sub_epi64(bits, _mm256_set1_epi64x(1)));
        }
        void read(uint32_t& most, uint32_t& least) const {
            uint32_t highs[8], lows[8];
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(highs), high);
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(lows), low);
            most = 0, least = ~uint32_t{0};
            for (int i = 1; i < 8; i += 2) {
                most = highs[i] > most ? highs[i] : most;
                least = lows[i] < least ? lows[i] : least;
            }
        }
    };
};
inline V::Int bits(V a) { return {_mm256_castpd_si256(a.v)}; }
}  // namespace
