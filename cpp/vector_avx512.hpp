// AVX-512 (F and DQ): eight doubles at a time.
#pragma once
#include <immintrin.h>

#include <cstdint>

namespace {
struct V {
    static constexpr int N = 8;
    __m512d v;
    struct Int {
        __m512i v;
        static Int zero() { return {_mm512_setzero_si512()}; }
        void store(int64_t* to) const { _mm512_storeu_si512(to, v); }
        Int operator+(Int o) const { return {_mm512_add_epi64(v, o.v)}; }
    };
    static V load(const double* from) { return {_mm512_loadu_pd(from)}; }
    static V load(const float* from) { return {_mm512_cvtps_pd(_mm256_loadu_ps(from))}; }
    static V set(double x) { return {_mm512_set1_pd(x)}; }
    void store(double* to) const { _mm512_storeu_pd(to, v); }
    void store(float* to) const { _mm256_storeu_ps(to, _mm512_cvtpd_ps(v)); }
    void stream(double* to) const { _mm512_stream_pd(to, v); }  // past the cache, to an address that is a multiple of the vector
    void stream(float* to) const { _mm256_stream_ps(to, _mm512_cvtpd_ps(v)); }
    static void fence() { _mm_sfence(); }
    V operator+(V o) const { return {_mm512_add_pd(v, o.v)}; }
    V operator-(V o) const { return {_mm512_sub_pd(v, o.v)}; }
    V operator*(V o) const { return {_mm512_mul_pd(v, o.v)}; }
    static V product_error(V a, V b, V product) { return {_mm512_fmsub_pd(a.v, b.v, product.v)}; }
    static V add_product(V a, V b, V c) { return {_mm512_fmadd_pd(a.v, b.v, c.v)}; }
    static V absolute(V a) { return {_mm512_abs_pd(a.v)}; }
    static V max(V a, V b) { return {_mm512_max_pd(a.v, b.v)}; }
    static V min(V a, V b) { return {_mm512_min_pd(a.v, b.v)}; }
    static __mmask8 greater(V a, V b) { return _mm512_cmp_pd_mask(a.v, b.v, _CMP_GT_OQ); }
    static __mmask8 equal(V a, V b) { return _mm512_cmp_pd_mask(a.v, b.v, _CMP_EQ_OQ); }
    static V choose(__mmask8 mask, V yes, V no) { return {_mm512_mask_blend_pd(mask, no.v, yes.v)}; }
    static bool any(__mmask8 mask) { return mask != 0; }
    V operator/(V o) const { return {_mm512_div_pd(v, o.v)}; }
    static V sqrt(V a) { return {_mm512_sqrt_pd(a.v)}; }
    static V exponent(V a) { return {_mm512_getexp_pd(a.v)}; }  // of a positive normal number, as a double
    static V mantissa(V a) { return {_mm512_getmant_pd(a.v, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_zero)}; }  // of a positive normal number, in [1, 2)
    static V power_of_two(V k) { return {_mm512_scalef_pd(_mm512_set1_pd(1.0), k.v)}; }  // -1022 <= k <= 1023, an integer
    static V odd(V sum, V rest) {  // sum + rest, the first the nearest to both, rounded to odd
        __m512i bits = _mm512_castpd_si512(sum.v), below = _mm512_srli_epi64(_mm512_xor_si512(bits, _mm512_castpd_si512(rest.v)), 63);
        __mmask8 inexact = _mm512_cmp_pd_mask(rest.v, _mm512_setzero_pd(), _CMP_NEQ_UQ);
        return {_mm512_castsi512_pd(_mm512_mask_or_epi64(bits, inexact, _mm512_sub_epi64(bits, below), _mm512_set1_epi64(1)))};
    }
    void store_odd(float* to) const {  // rounded to odd
        __m256 near = _mm512_cvtpd_ps(v);
        V zero = set(0.0), wide{_mm512_cvtps_pd(near)}, beyond = choose(greater(absolute(wide), absolute(*this)), set(-1.0), zero);
        __m256i bits = _mm256_add_epi32(_mm256_castps_si256(near), _mm512_cvtpd_epi32(beyond.v));
        bits = _mm256_or_si256(bits, _mm512_cvtpd_epi32(choose(equal(wide, *this), zero, set(1.0)).v));
        _mm256_storeu_ps(to, _mm256_castsi256_ps(bits));
    }
    struct Doubt {  // whether any lane was close to a float's tie, by 8 units of a double, or unlike another
        __mmask8 seen = 0;
        void see_tie(V a) {
            __m512i from_tie = _mm512_sub_epi64(_mm512_castpd_si512(a.v), _mm512_set1_epi64((1 << 28) - 8));
            seen |= _mm512_testn_epi64_mask(from_tie, _mm512_set1_epi64((1 << 29) - 16));
        }
        void see_unlike(V a, V b) { seen |= _mm512_cmp_pd_mask(a.v, b.v, _CMP_NEQ_UQ); }
        bool any() const { return seen != 0; }
    };
    struct Spread {  // only the high halves matter, and 32-bit extremes are cheaper than 64-bit ones
        __m512i high = _mm512_setzero_si512(), low = _mm512_set1_epi32(-1);
        void see(V a) {
            __m512i bits = _mm512_and_si512(_mm512_castpd_si512(a.v), _mm512_set1_epi64(INT64_MAX));
            high = _mm512_max_epu32(high, bits);
            low = _mm512_min_epu32(low, _mm512_sub_epi64(bits, _mm512_set1_epi64(1)));
        }
        void read(uint32_t& most, uint32_t& least) const {
            most = _mm512_reduce_max_epu32(_mm512_maskz_mov_epi32(0xaaaa, high));
            least = _mm512_reduce_min_epu32(_mm512_mask_mov_epi32(_mm512_set1_epi32(-1), 0xaaaa, low));
        }
    };
};
inline V::Int bits(V a) { return {_mm512_castpd_si512(a.v)}; }
}  // namespace
