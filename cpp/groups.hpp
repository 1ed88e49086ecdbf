// Groups: one state per group, fed with rows that carry a label.
#pragma once
#include <optional>

#include "term_feeder.hpp"

namespace squarely {

// codes[i] is the label of row i, and places[label] the state of its bucket 0; -1 for a label not seen before. buckets[i] is how much
// further the state of row i is. Null: 0 for all rows.
struct Labels {
    const int32_t *codes = nullptr, *places = nullptr;
    size_t count = 0;  // of labels
    const uint16_t* buckets = nullptr;
};

class Groups {
   public:
    // The sizes of errors are counted together for so many neighbours, in the first of them.
    explicit Groups(std::shared_ptr<const Plan> plan, size_t together = 1) : plan_(std::move(plan)), together_(together) {
        if (plan_) terms_.emplace(*plan_, TermFeeder::kMostRows);
    }
    // The states, with every row in them.
    std::vector<PairSums>& states() { return flush(), states_; }
    size_t size() const { return states_.size(); }
    size_t columns() const { return plan_ ? plan_->columns.size() : 0; }
    // From now on the plan of the states is without the sizes of errors.
    void forget_sizes();
    void grow(size_t count) { states_.resize(std::max(count, states_.size()), PairSums(plan_)); }

    void add_refused(size_t group, size_t which, int64_t count) { states_.at(group).refused.at(which) += count; }
    // Rows refused so far, over all groups and the rows that wait.
    std::array<int64_t, kRefused> refused() const;

    // False, and nothing is added, where the label of a row has no state.
    bool update(const Rows& rows, const Labels& labels);

    // Adds the states of others: that of group i to group places[i], or nowhere where it is negative. With `take` the others are no good afterwards.
    void absorb(Groups& others, const int32_t* places, bool take);
    // Gives all rows one prediction; see PairSums.
    void predict(double value) {
        for (PairSums& state : states()) state.predict(value);
    }
    // What is known of group i in doubles, without cancellation: its sums about `center`, in units of 2^unit. See moments.hpp.
    void moments(const double* center, const int32_t* unit, double* out);
    // How much weight of group i has a size up to the middle of the bucket size[i], and how much there is.
    void reached(const int32_t* size, double* out);

   private:
    size_t rows_worth_feeding() const;
    TermFeeder::Segment segment(size_t group, size_t end) { return {&states_[group].kept, &states_[group / together_ * together_].kept.histogram, end}; }
    bool known(const Labels& labels, size_t rows) const;
    void update_block(const Rows& rows, size_t at, size_t count, const Labels& labels);
    void keep_waiting(size_t count, const Pointers& columns, bool narrow);
    void flush();
    // Rows with keys below `count`; those of key k belong to state places[k], or to state k where there are no places.
    struct Keyed {
        const uint32_t* keys;
        size_t count;
        const int32_t* places = nullptr;
        size_t state(size_t key) const { return places ? static_cast<size_t>(places[key]) : key; }
    };
    void feed(const Keyed& keyed, size_t count, const Pointers& columns, bool narrow);
    void feed_terms(const Keyed& keyed, size_t count, const Pointers& columns);

    std::shared_ptr<const Plan> plan_;
    size_t together_;
    std::optional<TermFeeder> terms_;
    std::vector<TermFeeder::Segment> segments_;
    std::vector<PairSums> states_;
    std::vector<Window> windows_;             // of each group: where the kernel looked last
    std::vector<double> widened_, sorted_;    // kept, because fresh memory costs more than the sort
    std::vector<uint32_t> group_, ends_, waiting_group_;
    std::vector<double> waiting_[3 + kMostColumns], differences_;
    bool waiting_narrow_ = true;  // whether a float holds each y and p that waits
    std::array<int64_t, kRefused> waiting_refused_{};
};

}  // namespace squarely
