// TermFeeder: blocks of rows into the terms and histograms of states. A term is computed for a whole block and then summed exactly.
#pragma once
#include "pairs.hpp"
#include "rounding.hpp"

namespace squarely {

// Writes the term of every row; NaN where there is none.
void write_terms(const TermPlan& term, const Rows& rows, double* out);

// The first row of each block of kMostRows in which a row has w (y - p)^2 above `least`.
std::vector<size_t> blocks_above(const Rows& rows, double least);

// Where the kernel that sums terms looks: finite terms in [2^(e-R), 2^e), weights in [2^(f-R'), 2^f), and zeros.
struct TermWindow {
    bool chosen = false;
    int e = 0, f = 0;
};

class TermFeeder {
   public:
    static constexpr size_t kMostRows = size_t{1} << 11;  // of a block: it stays in the first cache
    struct Segment {  // the rows of a block that belong to one state: from the end of the segment before
        Kept* kept;
        Histogram* sizes;  // neighbours may share one
        size_t end;
    };

    // No block that is fed will have more than `rows` rows.
    TermFeeder(const Plan& plan, size_t rows);
    // `columns`: y, p, w (null without weights), then those of the plan. `differences`: y - p where doubles hold y and p only nearly,
    // or null. Rows that the sums refuse, and rows of weight 0, leave no trace.
    void feed(const double* const* columns, const double* differences, size_t count, const Segment* segments, size_t segment_count);

    // Adds the targets of the last block, but for rows that leave no trace.
    void add_targets(ExactSum& sum, const double* y, size_t count);

    // Rows of the last block that leave no trace.
    const std::vector<uint32_t>& left_out() const { return left_out_; }

   private:
    void leave_out(const double* const* columns, size_t count, bool finite);  // finite: whether every y - p is
    void add(TermSum& term, TermWindow& window, const double* t, const double* w, size_t count);
    bool look(TermWindow& window, const double* t, const double* w, size_t count);

    const Plan& plan_;
    std::vector<TermWindow> windows_;
    TermWindow target_window_;
    uint32_t first_near_ = 0;  // of histograms; 0 until it is chosen
    std::unique_ptr<double[]> memory_;  // is not cleared first: clearing costs more than a short call
    double *errors_, *terms_, *patch_, *weights_;
    std::vector<uint32_t> left_out_;
};

}  // namespace squarely
