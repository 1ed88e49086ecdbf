// A product of numbers by another, rounded once: what two doubles cannot say for sure is settled by exact arithmetic.
#pragma once

namespace squarely {

// scale / den as two doubles, whose sum is wrong by less than 2^-105 of it.
struct Factor {
    double scale, den, high, low;
    double least;    // of a product by it, below which errors of products are no doubles
    bool is_usable;  // far enough from where numbers end that the low double says what it should
    bool is_power;   // of two, by which nothing is rounded
};
Factor factor_of(double scale, double den);

// weight * (psi + psi_low) * scale / den, which is less than a unit in the last place from high + low.
struct Quotient {
    double weight, psi, psi_low;
    const Factor& by;
    double high, low;
};

double nearest_of(const Quotient& exact);  // ties to even
double odd_of(const Quotient& exact);      // exact, or that of the two doubles about it whose last bit is 1: rounded again, it is rounded once

}  // namespace squarely
