// AVX2 and FMA: four doubles at a time.
#include <immintrin.h>

#include "window.hpp"

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
    static V set(double x) { return {_mm256_set1_pd(x)}; }
    void store(double* to) const { _mm256_storeu_pd(to, v); }
    V operator+(V o) const { return {_mm256_add_pd(v, o.v)}; }
    V operator-(V o) const { return {_mm256_sub_pd(v, o.v)}; }
    V operator*(V o) const { return {_mm256_mul_pd(v, o.v)}; }
    static V product_error(V a, V b, V product) { return {_mm256_fmsub_pd(a.v, b.v, product.v)}; }
    static V absolute(V a) { return {_mm256_andnot_pd(_mm256_set1_pd(-0.0), a.v)}; }
    static V max(V a, V b) { return {_mm256_max_pd(a.v, b.v)}; }
    static V min(V a, V b) { return {_mm256_min_pd(a.v, b.v)}; }
    static V greater(V a, V b) { return {_mm256_cmp_pd(a.v, b.v, _CMP_GT_OQ)}; }
    static V choose(V mask, V yes, V no) { return {_mm256_blendv_pd(no.v, yes.v, mask.v)}; }
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
V::Int bits(V a) { return {_mm256_castpd_si256(a.v)}; }
#include "kernel.hpp"
}  // namespace

namespace squarely {
extern const Kernels kAvx2 = kernels_of<V>("avx2");
}
