// A recipe over rows: the choice is made once, outside the loop.
#pragma once
#include "terms_algebraic.hpp"
#include "terms_columns.hpp"
#include "terms_logarithmic.hpp"
#include "terms_robust.hpp"
#include "terms_tweedie.hpp"

template <class V>
void evaluate_barron(const TermCall& call) {
    const double alpha = call.constants[0];
    const Barron<V> of(V::set(alpha), V::set(call.constants[1]));
    if (alpha == 2.0) return each_row<V, 0>(call, [&](const Row<V>& row) { return barron_quadratic(row, of); });
    if (alpha < 0x1p-100 && alpha > -0x1p-100) return each_row<V, 0>(call, [&](const Row<V>& row) { return barron_logarithmic(row, of); });
    if (alpha == -__builtin_inf()) return each_row<V, 0>(call, [&](const Row<V>& row) { return barron_exponential(row, of); });
    return each_row<V, 0>(call, [&](const Row<V>& row) { return barron(row, of); });
}

template <class V>
void evaluate_tweedie(const TermCall& call) {
    const double power = call.constants[0];
    if (power == 0.0) return each_row<V, 0>(call, [](const Row<V>& row) { return row.r * row.r; });
    if (power == 1.0) return each_row_tried<V>(call, [](const Row<V>& row) { return quick_poisson(row); }, [](const Row<V>& row) { return careful_poisson(row); });
    if (power == 2.0) return each_row_tried<V>(call, [](const Row<V>& row) { return quick_gamma(row); }, [](const Row<V>& row) { return careful_gamma(row); });
    if (power == 1.5) {
        auto careful = [](const Row<V>& row) { return careful_tweedie(row, Tweedie<V>(1.5)); };  // of few rows: its constants are made there
        if (!same_prediction(call)) return each_row_tried<V>(call, [](const Row<V>& row) { return quick_three_halves(row, V::sqrt(row.p)); }, careful);
        const V root_p = V::sqrt(V::set(call.p[0]));
        return each_row_tried<V>(call, [=](const Row<V>& row) { return quick_three_halves(row, root_p); }, careful);
    }
    const Tweedie<V> of(power);
    auto careful = [&](const Row<V>& row) { return careful_tweedie(row, of); };
    if (power == 3.0) return each_row_tried<V>(call, [](const Row<V>& row) { return quick_third(row); }, careful);
    if (!(power >= kLeastMiddle && power <= kMostMiddle)) return each_row<V, 0>(call, careful);
    const MiddleSeries series(power);
    return each_row_tried<V>(call, [&](const Row<V>& row) { return quick_tweedie(row, of, series); }, careful);
}

template <class V>
void evaluate_term(const TermCall& call) {
    using R = const Row<V>&;
    const V a = V::set(call.constants ? call.constants[0] : 1.0);
    switch (call.recipe) {
        case Recipe::squared_error: return each_row<V, 0>(call, [](R row) { return row.r * row.r; });
        case Recipe::absolute_error: return each_row<V, 0>(call, [](R row) { return V::absolute(row.r); });
        case Recipe::error: return each_row<V, 0>(call, [](R row) { return negative(row.r); });
        case Recipe::pinball: return each_row<V, 0>(call, [=](R row) { return pinball(row, a); });
        case Recipe::expectile: return each_row<V, 0>(call, [=](R row) { return expectile(row, a); });
        case Recipe::percentage: return each_row<V, 0>(call, [](R row) { return percentage(row); });
        case Recipe::absolute_percentage: return each_row<V, 0>(call, [=](R row) { return absolute_percentage(row, a); });
        case Recipe::squared_percentage: return each_row<V, 0>(call, [](R row) { return squared_percentage(row); });
        case Recipe::symmetric_percentage: return each_row<V, 0>(call, [](R row) { return symmetric_percentage(row); });
        case Recipe::signed_symmetric_percentage: return each_row<V, 0>(call, [](R row) { return signed_symmetric_percentage(row); });
        case Recipe::scaled_absolute: return each_row<V, 1>(call, [](R row) { return scaled_absolute(row); });
        case Recipe::scaled_squared: return each_row<V, 1>(call, [](R row) { return scaled_squared(row); });
        case Recipe::squared_log: return each_row_tried<V>(call, [](const Row<V>& row) { return quick_squared_log(row); }, [](const Row<V>& row) { return careful_squared_log(row); });
        case Recipe::tweedie: return evaluate_tweedie<V>(call);
        case Recipe::huber: return each_row<V, 0>(call, [=](R row) { return huber(row, a); });
        case Recipe::pseudo_huber: return each_row<V, 0>(call, [a, of = Tuning<V>(a)](R row) { return pseudo_huber(row, a, of); });
        case Recipe::log_cosh: return each_row<V, 0>(call, [](R row) { return log_cosh(row); });
        case Recipe::tukey: return each_row<V, 0>(call, [=](R row) { return tukey(row, a); });
        case Recipe::cauchy: return each_row<V, 0>(call, [a, of = Tuning<V>(a)](R row) { return cauchy(row, a, of); });
        case Recipe::welsch: return each_row<V, 0>(call, [a, of = Tuning<V>(a)](R row) { return welsch(row, a, of); });
        case Recipe::geman_mcclure: return each_row<V, 0>(call, [a, of = Tuning<V>(a)](R row) { return geman_mcclure(row, a, of); });
        case Recipe::barron: return evaluate_barron<V>(call);
        case Recipe::linex: return each_row<V, 0>(call, [a, of = split(V::absolute(a))](R row) { return linex(row, a, of); });
        case Recipe::threshold_weighted:
            return each_row<V, 0>(call, [a, b = V::set(call.constants[1])](R row) { return threshold_weighted(row, a, b); });
        case Recipe::interval_covered: return each_row<V, 2>(call, [](R row) { return interval_covered(row); });
        case Recipe::interval_width: return each_row<V, 2>(call, [](R row) { return with_interval(row, row.x1 - row.x0); });
        case Recipe::interval_score: return each_row<V, 2>(call, [=](R row) { return interval_score(row, a); });
        case Recipe::crps_gaussian: return each_row<V, 1>(call, [](R row) { return crps_gaussian(row); });
        case Recipe::gaussian_nll: return each_row<V, 1>(call, [](R row) { return gaussian_nll(row); });
        case Recipe::circular_absolute: return each_row<V, 0>(call, [=](R row) { return V::absolute(wrapped(row, a)); });
        case Recipe::circular_squared: return each_row<V, 0>(call, [=](R row) { V d = wrapped(row, a); return d * d; });
        case Recipe::circular_error: return each_row<V, 0>(call, [=](R row) { return negative(wrapped(row, a)); });
        case Recipe::quantile: return each_row<V, 1>(call, [=](R row) { return quantile_loss(row, a); });
    }
}
