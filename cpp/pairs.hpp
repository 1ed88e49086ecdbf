// Rows of (y, p, w) into states: whole columns, in threads, or one state per group.
#pragma once
#include "columns.hpp"
#include "state.hpp"
#include "window.hpp"

namespace squarely {

struct Rows {
    Column y, p, w;
    bool weighted = false;
    size_t count = 0;
};

// The kernels of this processor, best last; and the ones in use.
std::vector<const Kernels*> available_kernels();
const Kernels& kernels_in_use();
void use_kernels(const Kernels& kernels);

// The first weight that is NaN, infinite or negative; -1 when there is none. Weights are judged before a state changes.
int64_t first_bad_weight(const Column& w, size_t count);

void accumulate(PairSums& state, const Rows& rows, unsigned threads);

// codes[i] names the group of row i; every code is below groups.size().
void accumulate_groups(std::vector<PairSums>& groups, const Rows& rows, const int32_t* codes);

}  // namespace squarely
