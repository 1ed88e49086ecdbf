// Other libraries may leave the processor rounding elsewhere or flushing subnormals to zero. Terms are computed under the default rules.
#pragma once
#include <cstdint>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace squarely {

class DefaultRounding {
   public:
#if defined(__x86_64__)
    DefaultRounding() : before_(_mm_getcsr()) { _mm_setcsr(0x1f80); }
    ~DefaultRounding() { _mm_setcsr(before_); }

   private:
    uint32_t before_;
#elif defined(__aarch64__)
    DefaultRounding() {
        uint64_t standard = 0;
        __asm__ volatile("mrs %0, fpcr" : "=r"(before_));
        __asm__ volatile("msr fpcr, %0" : : "r"(standard));
    }
    ~DefaultRounding() { __asm__ volatile("msr fpcr, %0" : : "r"(before_)); }

   private:
    uint64_t before_;
#else
    DefaultRounding() {}  // there is no portable way: the rules are taken to be the default ones
#endif
    DefaultRounding(const DefaultRounding&) = delete;
    DefaultRounding& operator=(const DefaultRounding&) = delete;
};

}  // namespace squarely
