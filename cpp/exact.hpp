// ExactSum: a binary number of any length. It holds every sum of doubles, and of products of two or three of them, without rounding.
//
// value = sum_i limb[i] * 2^(64 (base + i)), two's complement, the highest limb carries the sign.
// Contract of every operation: the value is exact before and after; only rounded() rounds, once, half to even.
#pragma once
#include <cmath>
#include <cstdint>

#include "limbs.hpp"

namespace squarely {

using uint128 = unsigned __int128;
using int128 = __int128;

// A finite number taken apart: (-1)^negative * magnitude * 2^exponent. 64-bit integers fit as they are.
struct Number {
    uint64_t magnitude;
    int exponent;
    bool negative;
};

inline uint64_t bits_of(double x) {
    uint64_t bits;
    std::memcpy(&bits, &x, 8);
    return bits;
}

inline Number number_of(double x) {  // x finite; subnormals included, whatever the rounding flags of the process
    uint64_t bits = bits_of(x);
    int biased = static_cast<int>((bits >> 52) & 0x7ff);
    uint64_t fraction = bits & ((uint64_t{1} << 52) - 1);
    return {biased ? fraction | (uint64_t{1} << 52) : fraction, (biased ? biased : 1) - 1075, (bits >> 63) != 0};
}

class ExactSum {
   public:
    bool is_zero() const {
        for (uint64_t limb : limbs_)
            if (limb) return false;
        return true;
    }
    bool is_negative() const { return !limbs_.empty() && static_cast<int64_t>(limbs_.back()) < 0; }

    // Adds (-1)^negative * (words as an unsigned integer, low word first) * 2^exponent.
    template <int N>
    void add_magnitude(const uint64_t (&words)[N], int exponent, bool negative) {
        int at = exponent >> 6, shift = exponent & 63, used = 0;
        uint64_t shifted[N + 1];
        uint64_t carry = 0;
        for (int i = 0; i < N; i++) {
            shifted[i] = shift ? (words[i] << shift) | carry : words[i];
            carry = shift ? words[i] >> (64 - shift) : 0;
            if (shifted[i]) used = i + 1;
        }
        shifted[N] = carry;
        if (carry) used = N + 1;
        if (!used) return;
        int skip = 0;
        while (!shifted[skip]) skip++;
        open_window(at + skip, at + used);
        size_t start = static_cast<size_t>(at + skip - base_);
        if (negative)
            subtract_words(shifted + skip, used - skip, start);
        else
            add_words(shifted + skip, used - skip, start);
    }

    void add(const Number& a) {
        uint64_t words[1] = {a.magnitude};
        add_magnitude(words, a.exponent, a.negative);
    }
    void add_product(const Number& a, const Number& b) {
        uint128 product = static_cast<uint128>(a.magnitude) * b.magnitude;
        uint64_t words[2] = {static_cast<uint64_t>(product), static_cast<uint64_t>(product >> 64)};
        add_magnitude(words, a.exponent + b.exponent, a.negative != b.negative);
    }
    void add_product(const Number& a, const Number& b, const Number& c) {
        uint128 product = static_cast<uint128>(a.magnitude) * b.magnitude;
        uint128 low = static_cast<uint128>(static_cast<uint64_t>(product)) * c.magnitude;
        uint128 high = static_cast<uint128>(static_cast<uint64_t>(product >> 64)) * c.magnitude + static_cast<uint64_t>(low >> 64);
        uint64_t words[3] = {static_cast<uint64_t>(low), static_cast<uint64_t>(high), static_cast<uint64_t>(high >> 64)};
        add_magnitude(words, a.exponent + b.exponent + c.exponent, (a.negative != b.negative) != c.negative);
    }
    void add_integer(int128 value, int exponent) {
        uint128 magnitude = value < 0 ? -static_cast<uint128>(value) : static_cast<uint128>(value);
        uint64_t words[2] = {static_cast<uint64_t>(magnitude), static_cast<uint64_t>(magnitude >> 64)};
        add_magnitude(words, exponent, value < 0);
    }

    void add(const ExactSum& other) { combine(other, false); }
    void add_product(const ExactSum& a, const Number& b) {
        ExactSum size = a;
        if (a.is_negative()) size.negate();
        for (size_t i = 0; i < size.limbs_.size(); i++)
            if (size.limbs_[i]) add_product(Number{size.limbs_[i], 64 * (size.base_ + static_cast<int>(i)), a.is_negative()}, b);
    }
    void subtract(const ExactSum& other) { combine(other, true); }
    void negate() {
        ExactSum zero;
        zero.subtract(*this);
        *this = std::move(zero);
    }
    // Negative, zero or positive, as this value is below, equal to or above the other.
    int compare(const ExactSum& other) const {
        ExactSum difference = *this;
        difference.subtract(other);
        return difference.is_negative() ? -1 : difference.is_zero() ? 0 : 1;
    }

    // The one canonical form: no zero limb at the low end, no limb at the high end that only repeats the sign. Zero has no limbs.
    void trim() {
        size_t low = 0;
        while (low < limbs_.size() && limbs_[low] == 0) low++;
        if (low == limbs_.size()) {
            limbs_.clear();
            base_ = 0;
            return;
        }
        limbs_.drop_front(low);
        base_ += static_cast<int>(low);
        while (limbs_.size() > 1 && limbs_.back() == sign_of(limbs_[limbs_.size() - 2])) limbs_.pop_back();
    }
    int base() const { return base_; }
    const Limbs& limbs() const { return limbs_; }
    static ExactSum from_limbs(int base, Limbs limbs) {
        ExactSum sum;
        sum.base_ = limbs.empty() ? 0 : base;
        sum.limbs_ = std::move(limbs);
        return sum;
    }

    // The nearest double, ties to even; infinite when the value is beyond the largest double.
    double rounded() const {
        bool negative = is_negative();
        ExactSum absolute = *this;
        if (negative) absolute.negate();
        const Limbs& size = absolute.limbs_;
        size_t top = size.size();
        while (top && size[top - 1] == 0) top--;
        if (!top) return 0.0;
        int highest = 64 * (base_ + static_cast<int>(top) - 1) + 63 - __builtin_clzll(size[top - 1]);
        if (highest > 1023) return negative ? -INFINITY : INFINITY;
        int lowest = highest - 52 > -1074 ? highest - 52 : -1074;  // weight of the last bit that a double keeps
        auto bit_window = [&](int from) {                          // bits [from, from + 64) as an integer
            int64_t at = (from >> 6) - static_cast<int64_t>(base_);
            int shift = from & 63;
            auto limb = [&](int64_t i) { return i < 0 || i >= static_cast<int64_t>(top) ? 0 : size[static_cast<size_t>(i)]; };
            return shift ? (limb(at) >> shift) | (limb(at + 1) << (64 - shift)) : limb(at);
        };
        uint64_t kept = highest < lowest ? 0 : bit_window(lowest) & ((uint64_t{2} << (highest - lowest)) - 1);
        bool half = bit_window(lowest - 1) & 1, rest = false;
        for (int64_t i = 0; i < static_cast<int64_t>(top) && !rest; i++) {
            int64_t from = 64 * (static_cast<int64_t>(base_) + i);
            if (from >= lowest - 1) break;
            uint64_t limb = size[static_cast<size_t>(i)];
            rest = lowest - 1 - from >= 64 ? limb != 0 : (limb & ((uint64_t{1} << (lowest - 1 - from)) - 1)) != 0;
        }
        if (half && (rest || (kept & 1))) kept++;
        double x = std::ldexp(static_cast<double>(kept), lowest);  // exact: kept has at most 53 bits, or is a power of two
        return negative ? -x : x;
    }

   private:
    static uint64_t sign_of(uint64_t limb) { return static_cast<int64_t>(limb) < 0 ? ~uint64_t{0} : 0; }

    // After this, limbs [low, high) exist and one more above them takes the carry. No value changes.
    void open_window(int low, int high) {
        if (limbs_.empty()) {
            base_ = low;
            limbs_.resize(static_cast<size_t>(high - low) + 1);
            return;
        }
        if (low < base_) {
            limbs_.add_front(static_cast<size_t>(base_ - low));
            base_ = low;
        }
        size_t wanted = static_cast<size_t>(high - base_) + 1;
        if (limbs_.size() < wanted) limbs_.resize(wanted, sign_of(limbs_.back()));
        int64_t top = static_cast<int64_t>(limbs_.back());
        if (top >= INT64_MAX - 1 || top <= INT64_MIN + 1) limbs_.resize(limbs_.size() + 1, sign_of(limbs_.back()));
    }
    void add_words(const uint64_t* words, int count, size_t at) {
        uint64_t carry = 0;
        for (int i = 0; i < count; i++, at++) {
            uint128 total = static_cast<uint128>(limbs_[at]) + words[i] + carry;
            limbs_[at] = static_cast<uint64_t>(total);
            carry = static_cast<uint64_t>(total >> 64);
        }
        for (; carry; at++) carry = ++limbs_[at] == 0 && at + 1 < limbs_.size();
    }
    void subtract_words(const uint64_t* words, int count, size_t at) {
        uint64_t borrow = 0;
        for (int i = 0; i < count; i++, at++) {
            uint128 total = static_cast<uint128>(limbs_[at]) - words[i] - borrow;
            limbs_[at] = static_cast<uint64_t>(total);
            borrow = static_cast<uint64_t>(total >> 64) != 0;
        }
        for (; borrow; at++) borrow = limbs_[at]-- == 0 && at + 1 < limbs_.size();
    }
    void combine(const ExactSum& other, bool minus) {
        if (other.limbs_.empty()) return;
        Limbs words = other.limbs_;  // a copy: other may be *this
        int low = other.base_, high = low + static_cast<int>(words.size());
        open_window(low, high);
        words.resize(limbs_.size() - static_cast<size_t>(low - base_), sign_of(words.back()));
        uint64_t carry = minus;
        size_t at = static_cast<size_t>(low - base_);
        for (size_t i = 0; i < words.size(); i++, at++) {
            uint128 total = static_cast<uint128>(limbs_[at]) + (minus ? ~words[i] : words[i]) + carry;
            limbs_[at] = static_cast<uint64_t>(total);
            carry = static_cast<uint64_t>(total >> 64);
        }
    }

    int base_ = 0;
    Limbs limbs_;
};

}  // namespace squarely
