#include "term_feeder.hpp"

#include "feeder.hpp"

namespace squarely {

void write_terms(const TermPlan& term, const Rows& rows, double* out) {
    DefaultRounding rules;
    constexpr size_t block = TermFeeder::kMostRows;
    const auto constants = term.padded();
    std::vector<double> widened, differences(block);
    for (size_t at = 0; at < rows.count; at += block) {
        size_t count = std::min(block, rows.count - at);
        Pointers from;
        if (!rows.as_doubles(at, count, widened, from))
            rows.differences(at, count, differences);
        else
            for (size_t i = 0; i < count; i++) differences[i] = from[0][i] - from[1][i];
        const double* more[kMostTermColumns] = {};
        for (size_t c = 0; c < term.columns.size(); c++) more[c] = from[3 + term.columns[c]];
        kernels_in_use().term({term.recipe, from[0], from[1], differences.data(), more[0], more[1], constants.data(), count, out + at});
        for (size_t i = 0; i < count; i++)
            if (!is_finite(from[0][i]) || !is_finite(from[1][i])) out[at + i] = NAN;
    }
}

std::vector<size_t> blocks_above(const Rows& rows, double least) {
    DefaultRounding rules;
    std::vector<size_t> found;
    const uint32_t edge = static_cast<uint32_t>(bits_of(std::sqrt(least)) >> 32);
    constexpr size_t block = TermFeeder::kMostRows;
    std::vector<double> widened, errors(block);
    for (size_t at = 0; at < rows.count; at += block) {
        size_t count = std::min(block, rows.count - at), above = 0;
        Pointers from{};
        if (!rows.weighted && rows.y.is_plain_float() && rows.p.is_plain_float())
            kernels_in_use().subtract_floats(rows.y.plain_float() + at, rows.p.plain_float() + at, count, errors.data());
        else if (rows.as_doubles(at, count, widened, from))
            kernels_in_use().subtract(from[0], from[1], count, errors.data());
        else
            rows.differences(at, count, errors);
        const double *w = from[2], *e = errors.data();
        uint32_t most = 0, lowest = 0;  // high words of the sizes: nearly always they tell that no row is
        if (!w && count == block) kernels_in_use().spread(e, count, &most, &lowest);
        if (!w && count == block && most < edge) continue;
        if (w)
            for (size_t i = 0; i < count; i++) above += e[i] * e[i] * w[i] > least;
        else
            for (size_t i = 0; i < count; i++) above += e[i] * e[i] > least;
        if (above) found.push_back(at);
    }
    return found;
}

TermFeeder::TermFeeder(const Plan& plan, size_t rows) : plan_(plan), windows_(plan.terms.size()) {
    size_t padded = whole_lines(std::min(rows, kMostRows) + kMostLanes);
    memory_.reset(new double[(plan.terms.empty() && !plan.target ? 1 : 4) * padded + kLine]);  // without terms only the differences are looked at
    errors_ = on_a_line(memory_.get()), terms_ = errors_ + padded, patch_ = terms_ + padded, weights_ = patch_ + padded;
}

void TermFeeder::feed(const double* const* columns, const double* differences, size_t count, const Segment* segments, size_t segment_count) {
    const double *y = columns[0], *p = columns[1], *w = columns[2];
    bool finite = false;
    if (differences)
        std::copy(differences, differences + count, errors_);
    else
        finite = kernels_in_use().subtract(y, p, count, errors_);
    leave_out(columns, count, finite);
    for (size_t k = 0; k < plan_.terms.size(); k++) {
        const TermPlan& term = plan_.terms[k];
        const double* more[kMostTermColumns] = {};
        for (size_t c = 0; c < term.columns.size(); c++) more[c] = columns[3 + term.columns[c]];
        const auto constants = term.padded();
        kernels_in_use().term({term.recipe, y, p, errors_, more[0], more[1], constants.data(), count, terms_});
        for (uint32_t row : left_out_) terms_[row] = 0.0;
        size_t begin = 0;
        for (const Segment* segment = segments; segment != segments + segment_count; begin = segment++->end)
            add(segment->kept->terms[k], windows_[k], terms_ + begin, w ? w + begin : nullptr, segment->end - begin);
    }
    if (!plan_.histogram) return;
    for (uint32_t row : left_out_) errors_[row] = NAN;
    if (!first_near_) first_near_ = Histogram::first_near(errors_, count);
    size_t begin = 0;
    for (const Segment *segment = segments, *last = segments + segment_count; segment != last;) {
        Histogram& sizes = *segment->sizes;
        while (segment + 1 != last && segment[1].sizes == &sizes) segment++;
        sizes.see(errors_ + begin, w ? w + begin : nullptr, segment->end - begin, first_near_);
        begin = segment++->end;
    }
}

void TermFeeder::add_targets(ExactSum& sum, const double* y, size_t count) {
    if (!left_out_.empty()) {
        std::copy(y, y + count, terms_);
        for (uint32_t row : left_out_) terms_[row] = 0.0;
        y = terms_;
    }
    TermSum total;
    add(total, target_window_, y, nullptr, count);
    sum.add(total.sum);
}

void TermFeeder::leave_out(const double* const* columns, size_t count, bool finite) {
    const double *y = columns[0], *p = columns[1], *w = columns[2];
    left_out_.clear();
    auto left_out = [&](size_t i) { return !is_finite(y[i]) || !is_finite(p[i]) || (w && is_zero(w[i])); };
    bool any = !finite;
    if (w)
        for (size_t i = 0; i < count; i++) any |= is_zero(w[i]);
    for (size_t i = 0; any && i < count; i++)
        if (left_out(i)) left_out_.push_back(static_cast<uint32_t>(i));
}

// Says whether all finite values of the block fall into the window, and moves the window where they do not.
bool TermFeeder::look(TermWindow& window, const double* t, const double* w, size_t count) {
    auto fits = [&](const double* x, int& top, int range, int low, int high, int room) {
        uint32_t most, least;
        kernels_in_use().spread(x, count, &most, &least);
        auto inside = [&] { return static_cast<int>(most >> 20) < top + 1023 && static_cast<int>(least >> 20) >= top + 1023 - range; };
        if (window.chosen && inside()) return true;
        int highest = static_cast<int>(most >> 20);
        if (highest != 0x7ff) top = clamp(highest - 1022 + room, low, high);
        return highest != 0x7ff && inside();
    };
    bool fine = fits(t, window.e, kTermRange[w != nullptr], kLowestTermTop, kHighestTermTop, kRoomAboveTerms);
    if (w) fine = fits(w, window.f, kTermWeightRange, kLowestWeightTop, kHighestWeightTop, 0) && fine;
    window.chosen = true;
    return fine;
}

void TermFeeder::add(TermSum& term, TermWindow& window, const double* t, const double* w, size_t count) {
    if (count < kFewRows) {
        for (size_t i = 0; i < count; i++) term.add(t[i], w ? w + i : nullptr);
        return;
    }
    size_t lanes = kernels_in_use().lanes, padded = (count + lanes - 1) / lanes * lanes;
    bool whole = padded == count;
    double *patched = patch_, *weights = weights_;
    auto copy = [&] {
        std::fill(std::copy(t, t + count, patched), patched + padded, 0.0);
        if (w) std::fill(std::copy(w, w + count, weights), weights + padded, 0.0);
        t = patched, w = w ? weights : nullptr;
    };
    if (!whole) copy();
    if (!look(window, t, w, padded)) {
        if (whole) copy();
        auto inside = [](double x, int top, int range) {
            int biased = biased_exponent(x);
            return is_zero(x) || (biased < top + 1023 && biased >= top + 1023 - range);
        };
        for (size_t i = 0; i < count; i++) {
            if (inside(patched[i], window.e, kTermRange[w != nullptr]) && (!w || inside(w[i], window.f, kTermWeightRange))) continue;
            term.add(patched[i], w ? w + i : nullptr);
            patched[i] = 0.0;
            if (w) weights[i] = 0.0;
        }
    }
    __int128 slices[kMostTermSlices];
    kernels_in_use().sum[w != nullptr]({t, w, padded, window.e, window.f, slices});
    int width = kTermWidth[w != nullptr], top = window.e + (w ? window.f : 0);
    for (int k = 0; k < kTermSlices[w != nullptr]; k++) term.sum.add_integer(slices[k], top - width * (k + 1));
}

}  // namespace squarely
