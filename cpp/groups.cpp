#include "groups.hpp"

#include "feeder.hpp"

namespace squarely {
namespace {

constexpr size_t kSortedRows = size_t{1} << 15;  // a block and its sorted copy stay in the second cache

// A counting sort brings the rows of a group together, so that the kernel sees runs and not single rows.
// On return next[g] is where group g ends.
template <bool kWeighted>
void sort_by_group(const uint32_t* group, size_t n, const double* const from[3], double* const to[3], std::vector<uint32_t>& ends) {
    uint32_t* next = ends.data() + 1;
    auto counts = [&](size_t i) { return !kWeighted || !is_zero(from[2][i]); };
    for (size_t i = 0; i < n; i++) next[group[i]] += counts(i);
    for (size_t g = 1; g + 1 < ends.size(); g++) next[g] += next[g - 1];
    next--;
    const double *y = from[0], *p = from[1], *w = from[2];
    double *sorted_y = to[0], *sorted_p = to[1], *sorted_w = to[2];
    for (size_t i = 0; i < n; i++) {
        if (!counts(i)) continue;
        uint32_t at = next[group[i]]++;
        sorted_y[at] = y[i], sorted_p[at] = p[i];
        if (kWeighted) sorted_w[at] = w[i];
    }
}

}  // namespace

bool Groups::update(const Rows& rows, const Labels& labels) {
    int32_t bad = 0;  // negative where a label is out of range; without a branch, so that it costs little
    const int32_t last = static_cast<int32_t>(labels.count) - 1;
    for (size_t i = 0; i < rows.count; i++) bad |= labels.codes[i] | (last - labels.codes[i]);
    if (bad < 0) return false;
    if (std::any_of(labels.places, labels.places + labels.count, [&](int32_t place) { return place < 0 || static_cast<size_t>(place) >= states.size(); }))
        for (size_t i = 0; i < rows.count; i++)
            if (int32_t place = labels.places[labels.codes[i]]; place < 0 || static_cast<size_t>(place) >= states.size()) return false;
    for (size_t at = 0; at < rows.count; at += kSortedRows) update_block(rows, at, std::min(kSortedRows, rows.count - at), labels);
    return true;
}

void Groups::update_block(const Rows& rows, size_t at, size_t n, const Labels& labels) {
    const double* from[3] = {};
    double* to[3];
    widened_.resize(3 * kSortedRows), sorted_.resize(3 * kSortedRows), group_.resize(kSortedRows), next_.assign(states.size() + 1, 0), windows_.resize(states.size());
    uint32_t* group = group_.data();
    for (size_t i = 0; i < n; i++) group[i] = static_cast<uint32_t>(labels.places[labels.codes[at + i]]);
    const Column* column[3] = {&rows.y, &rows.p, &rows.w};
    bool exact = true;
    for (size_t c = 0; c < 3; c++) {
        to[c] = sorted_.data() + c * kSortedRows;
        if (c == 2 && !rows.weighted) continue;
        if (column[c]->is_plain()) {
            from[c] = column[c]->plain() + at;
            continue;
        }
        double* wide = widened_.data() + c * kSortedRows;
        exact = column[c]->read(at, n, wide) && exact;
        from[c] = wide;
    }
    if (!exact) {
        for (size_t i = 0; i < n; i++) add_wide_row(states[group[i]], rows, at + i);
        return;
    }
    (rows.weighted ? sort_by_group<true> : sort_by_group<false>)(group, n, from, to, next_);
    size_t begin = 0;
    for (size_t g = 0; g < states.size(); g++) {
        size_t end = next_[g];
        if (end > begin) Feeder(states[g], windows_[g]).feed(to[0] + begin, to[1] + begin, rows.weighted ? to[2] + begin : nullptr, end - begin);
        begin = end;
    }
}

}  // namespace squarely
