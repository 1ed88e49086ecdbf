// The exact arithmetic behind a product that two doubles do not settle, and the ways it is rounded.
#include "nearest.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace squarely {
namespace {

constexpr double kUsable = 0x1p300;
constexpr double kTiniest = 0x1p-400;  // of psi: what is smaller says no more than its sign, for all others are multiples of 2^-220

struct Scaled {  // all about 1, so that no product is lost
    double weight, psi, psi_low, scale, den;
    int exponent = 0;
    explicit Scaled(const Quotient& of) {
        auto mantissa = [&](double x, int sign) {
            int own;
            x = std::frexp(x, &own), exponent += sign * own;
            return x;
        };
        weight = mantissa(of.weight, 1), scale = mantissa(of.by.scale, 1), den = mantissa(of.by.den, -1);
        const int before = exponent;
        psi = mantissa(of.psi, 1), psi_low = std::ldexp(of.psi_low, before - exponent);
        if (of.psi_low != 0 && std::fabs(psi_low) < kTiniest) psi_low = std::copysign(kTiniest, of.psi_low);
    }
    double scaled(double x) const { return std::ldexp(x, -exponent); }
};

class Terms {  // doubles that do not overlap, by size, whose sum is that of all that was added
   public:
    void add(double x) {
        int kept = 0;
        for (int i = 0; i < count_; i++) {
            const double sum = x + terms_[i], part = sum - x, rest = (x - (sum - part)) + (terms_[i] - part);
            if (rest != 0) terms_[kept++] = rest;
            x = sum;
        }
        count_ = kept;
        if (x != 0) terms_[count_++] = x;
    }
    void add_product(double a, double b) {
        const double product = a * b;
        add(std::fma(a, b, -product)), add(product);
    }
    int sign() const { return count_ == 0 ? 0 : terms_[count_ - 1] > 0 ? 1 : -1; }

   private:
    double terms_[12];
    int count_ = 0;
};

int side_of(const Scaled& of, double at, double half) {  // the sign of what is asked less at + half, both scaled
    Terms terms;
    const double once = of.weight * of.scale, rest = std::fma(of.weight, of.scale, -once);
    terms.add_product(once, of.psi), terms.add_product(once, of.psi_low), terms.add_product(rest, of.psi), terms.add_product(rest, of.psi_low);
    terms.add_product(-at, of.den), terms.add_product(-half, of.den);
    return of.den > 0 ? terms.sign() : -terms.sign();
}

double toward(double x, int side) { return std::nextafter(x, side * std::numeric_limits<double>::infinity()); }

bool is_number(double high) { return high != 0 && std::fabs(high) <= std::numeric_limits<double>::max(); }

double about(const Quotient& exact) { return exact.low == exact.low ? exact.high + exact.low : exact.high; }  // less than a unit from exact

bool is_last_bit(double x) { return std::bit_cast<uint64_t>(x) & 1; }

}  // namespace

Factor factor_of(double scale, double den) {
    const double high = scale / den, low = std::fma(-high, den, scale) / den;
    int unused;
    auto is_usable = [](double x) { return std::fabs(x) > 1 / kUsable && std::fabs(x) < kUsable; };
    const bool is_power = low == 0 && std::fabs(std::frexp(high, &unused)) == 0.5;
    return {scale, den, high, low, 0x1p-960 * std::fmax(std::fabs(high), 1.0), is_usable(scale) && is_usable(den) && is_usable(high), is_power};
}

double nearest_of(const Quotient& exact) {
    if (!is_number(exact.high)) return exact.high;
    const double found = about(exact);
    const Scaled scaled(exact);
    const double at = scaled.scaled(found);
    const int side = side_of(scaled, at, 0.0);
    const double next = side == 0 ? found : toward(found, side);
    if (std::isinf(next)) return found;
    const int past = side_of(scaled, at, (scaled.scaled(next) - at) / 2);
    if (past == 0) return is_last_bit(found) ? next : found;
    return past == side ? next : found;
}

double odd_of(const Quotient& exact) {
    if (!is_number(exact.high)) return exact.high;
    const double found = about(exact);
    const Scaled scaled(exact);
    const int side = side_of(scaled, scaled.scaled(found), 0.0);
    return side == 0 || is_last_bit(found) ? found : toward(found, side);
}

}  // namespace squarely
