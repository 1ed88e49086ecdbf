#include "groups.hpp"

#include "feeder.hpp"
#include "moments.hpp"

namespace squarely {
namespace {

constexpr size_t kBlock = 520 * 128;                // rows whose sorted copy stays in the second cache; no power of 2, or groups would share lines
constexpr size_t kMostWaiting = size_t{1} << 21;  // rows
constexpr size_t kRowsOfEach = 64;  // of a group: with fewer, finding its state costs more than adding to it
constexpr size_t kAhead = 32;  // rows that are sorted before a place is needed that is asked for now

// A counting sort brings the rows of a key together, so that the kernel sees runs and not single rows.
// On return ends[k] is where key k ends.
template <bool kWeighted>
void sort_by_key(const uint32_t* key, size_t n, const Pointers& from, double* const* to, size_t columns, std::vector<uint32_t>& ends) {
    uint32_t* next = ends.data() + 1;
    auto counts = [&](size_t i) { return !kWeighted || !is_zero(from[2][i]); };
    for (size_t i = 0; i < n; i++) next[key[i]] += counts(i);
    for (size_t k = 1; k + 1 < ends.size(); k++) next[k] += next[k - 1];
    next--;
    const double *y = from[0], *p = from[1], *w = from[2];
    double *sorted_y = to[0], *sorted_p = to[1], *sorted_w = to[2];
    const size_t ahead = n > kBlock ? kAhead : n;  // a copy beyond the second cache is waited for
    for (size_t i = 0; i < n; i++) {
        if (i + ahead < n) __builtin_prefetch(sorted_y + next[key[i + ahead]], 1), __builtin_prefetch(sorted_p + next[key[i + ahead]], 1);
        if (!counts(i)) continue;
        uint32_t at = next[key[i]]++;
        sorted_y[at] = y[i], sorted_p[at] = p[i];
        if (kWeighted) sorted_w[at] = w[i];
        for (size_t c = 3; c < columns; c++) to[c][at] = from[c][i];
    }
}

}  // namespace

size_t Groups::rows_worth_feeding() const { return std::min(kMostWaiting, states_.size() * kRowsOfEach); }

// Says whether every row has a state.
bool Groups::known(const Labels& labels, size_t rows) const {
    int16_t highest = INT16_MIN;  // of the buckets, less 2^15: only of signed ones does every processor find the largest eight at a time
    for (size_t i = 0; labels.buckets && i < rows; i++) highest = std::max(highest, static_cast<int16_t>(labels.buckets[i] ^ 0x8000));
    const size_t buckets = static_cast<uint16_t>(highest) ^ 0x8000u;
    if (!labels.codes) return buckets < states_.size();
    uint32_t bad = 0;  // the highest bit is set where a label is out of range; without a branch, so that it costs little
    const uint32_t last = static_cast<uint32_t>(labels.count) - 1;
    for (size_t i = 0; i < rows; i++) bad |= static_cast<uint32_t>(labels.codes[i]) | (last - static_cast<uint32_t>(labels.codes[i]));
    if (bad >> 31) return false;
    auto unknown = [&](int32_t place) { return place < 0 || static_cast<size_t>(place) + buckets >= states_.size(); };
    if (std::any_of(labels.places, labels.places + labels.count, unknown))
        for (size_t i = 0; i < rows; i++)
            if (unknown(labels.places[labels.codes[i]])) return false;
    return true;
}

bool Groups::update(const Rows& rows, const Labels& labels) {
    if (!known(labels, rows.count)) return false;
    DefaultRounding rules;
    const size_t block = rows_worth_feeding() <= kBlock ? kBlock : kMostWaiting;
    group_.resize(std::min(block, rows.count));
    for (size_t at = 0; at < rows.count; at += block) update_block(rows, at, std::min(block, rows.count - at), labels);
    return true;
}

std::array<int64_t, kRefused> Groups::refused() const {
    std::array<int64_t, kRefused> total = waiting_refused_;
    for (const PairSums& state : states_)
        for (size_t i = 0; i < kRefused; i++) total[i] += state.refused[i];
    return total;
}

void Groups::absorb(Groups& others, const int32_t* places, bool take) {
    flush(), others.flush();
    for (size_t i = 0; i < others.states_.size(); i++) {
        if (places[i] < 0) continue;
        PairSums& mine = states_.at(static_cast<size_t>(places[i]));
        PairSums& theirs = others.states_[i];
        if (theirs.is_identity()) continue;
        if (!mine.is_identity())
            mine.merge(theirs);
        else if (take)
            mine = std::move(theirs);
        else
            mine = theirs;
    }
}

void Groups::forget_sizes() {
    if (!plan_) return;
    flush(), terms_.reset();
    Plan rest = *plan_;
    rest.histogram = false;
    plan_ = rest == Plan() ? nullptr : std::make_shared<const Plan>(std::move(rest));
    if (plan_) terms_.emplace(*plan_, TermFeeder::kMostRows);
    for (PairSums& state : states_) state.kept.plan = plan_, state.kept.histogram = Histogram();
}

void Groups::moments(const double* center, const int32_t* unit, double* out) {
    flush();
    for (size_t i = 0; i < states_.size(); i++) {
        write_moments(states_[i], center[i], unit[i], out);
        out += moments_of(states_[i]);
    }
}

void Groups::reached(const int32_t* size, double* out) {
    flush();
    for (size_t i = 0; i < states_.size(); i++, out += 2) states_[i].kept.histogram.reach(static_cast<uint32_t>(size[i]), out[0], out[1]);
}

void Groups::update_block(const Rows& rows, size_t at, size_t n, const Labels& labels) {
    Pointers from;
    const bool exact = rows.as_doubles(at, n, widened_, from), at_once = n >= rows_worth_feeding() || rows_worth_feeding() <= kBlock;
    if (exact && at_once && labels.codes && !labels.buckets && labels.count <= n / kRowsOfEach)  // few labels: rows need not be told their states
        return feed({reinterpret_cast<const uint32_t*>(labels.codes + at), labels.count, labels.places}, n, from, rows.narrow());
    for (size_t i = 0; i < n; i++) {
        const uint32_t first = labels.codes ? static_cast<uint32_t>(labels.places[labels.codes[at + i]]) : 0;
        group_[i] = labels.buckets ? first + labels.buckets[at + i] : first;
    }
    if (!exact) {
        if (terms_) rows.differences(at, n, differences_);
        for (size_t i = 0; i < n; i++) {
            add_wide_row(states_[group_[i]], rows, at + i);
            if (!terms_) continue;
            Pointers row;
            for (size_t c = 0; c < rows.columns(); c++) row[c] = from[c] ? from[c] + i : nullptr;
            const TermFeeder::Segment one = segment(group_[i], 1);
            terms_->feed(row, &differences_[i], 1, &one, 1);
        }
    } else if (at_once) {
        feed({group_.data(), states_.size()}, n, from, rows.narrow());
    } else {
        keep_waiting(n, from, rows.narrow());
    }
}

// Where groups are many, few rows of a block belong to one: rows wait until there are enough.
void Groups::keep_waiting(size_t n, const Pointers& from, bool narrow) {
    bool weighted = from[2] != nullptr;
    if (weighted != (waiting_[2].size() > 0)) flush();
    for (size_t i = 0; i < n; i++)
        if ((!is_finite(from[0][i]) || !is_finite(from[1][i])) && !(weighted && is_zero(from[2][i]))) waiting_refused_[why_refused(from[0][i], from[1][i])]++;
    waiting_narrow_ = waiting_narrow_ && narrow;
    waiting_group_.insert(waiting_group_.end(), group_.begin(), group_.begin() + static_cast<std::ptrdiff_t>(n));
    for (size_t c = 0; c < 3 + columns(); c++)
        if (from[c]) waiting_[c].insert(waiting_[c].end(), from[c], from[c] + n);
    if (waiting_group_.size() >= rows_worth_feeding()) flush();
}

void Groups::flush() {
    if (waiting_group_.empty()) return;
    DefaultRounding rules;
    Pointers from;
    for (size_t c = 0; c < 3 + columns(); c++) from[c] = waiting_[c].empty() ? nullptr : waiting_[c].data();
    feed({waiting_group_.data(), states_.size()}, waiting_group_.size(), from, waiting_narrow_);
    waiting_group_.clear();
    for (std::vector<double>& column : waiting_) column.clear();
    waiting_refused_ = {}, waiting_narrow_ = true;
}

void Groups::feed(const Keyed& keyed, size_t n, const Pointers& from, bool narrow) {
    size_t count = 3 + columns();
    double* to[3 + kMostColumns];
    sorted_.resize(std::max(sorted_.size(), count * n)), ends_.assign(keyed.count + 1, 0), windows_.resize(states_.size());
    for (size_t c = 0; c < count; c++) to[c] = sorted_.data() + c * n;
    (from[2] ? sort_by_key<true> : sort_by_key<false>)(keyed.keys, n, from, to, count, ends_);
    Pointers sorted;
    for (size_t c = 0; c < count; c++) sorted[c] = from[c] ? to[c] : nullptr;
    size_t begin = 0;
    for (size_t key = 0; key < keyed.count; key++) {
        const size_t end = ends_[key], g = keyed.state(key);
        if (end > begin) Feeder(states_[g], windows_[g], narrow).feed(to[0] + begin, to[1] + begin, sorted[2] ? to[2] + begin : nullptr, end - begin);
        begin = end;
    }
    if (terms_) feed_terms(keyed, begin, sorted);
}

// Terms are computed for blocks that may hold the end of one key and the beginning of the next.
void Groups::feed_terms(const Keyed& keyed, size_t n, const Pointers& sorted) {
    size_t key = 0;
    for (size_t at = 0; at < n; at += TermFeeder::kMostRows) {
        size_t count = std::min(TermFeeder::kMostRows, n - at);
        segments_.clear();
        for (size_t begin = at; begin < at + count;) {
            while (ends_[key] <= begin) key++;
            begin = std::min<size_t>(ends_[key], at + count);
            segments_.push_back(segment(keyed.state(key), begin - at));
        }
        Pointers from;
        for (size_t c = 0; c < 3 + columns(); c++) from[c] = sorted[c] ? sorted[c] + at : nullptr;
        terms_->feed(from, nullptr, count, segments_.data(), segments_.size());
    }
}

}  // namespace squarely
