// Groups: one state per group, fed with rows that carry a label.
#pragma once
#include "pairs.hpp"

namespace squarely {

// codes[i] is the label of row i, and places[label] the group it stands for; -1 for a label not seen before.
struct Labels {
    const int32_t *codes, *places;
    size_t count;
};

class Groups {
   public:
    std::vector<PairSums> states;

    // False, and nothing is added, where the label of a row has no group.
    bool update(const Rows& rows, const Labels& labels);

   private:
    void update_block(const Rows& rows, size_t at, size_t count, const Labels& labels);

    std::vector<double> widened_, sorted_;  // kept, because fresh memory costs more than the sort
    std::vector<uint32_t> group_, next_;
    std::vector<Window> windows_;  // of each group
};

}  // namespace squarely
