// Rows of (y, p, w) into a state: whole columns, in threads.
#pragma once
#include <vector>

#include "columns.hpp"
#include "state.hpp"
#include "window.hpp"

namespace squarely {

// Buffers begin where a line of the cache does: a vector that lies in two lines costs as much as two.
constexpr size_t kLine = 8;  // doubles
constexpr size_t whole_lines(size_t doubles) { return (doubles + kLine - 1) / kLine * kLine; }
inline double* on_a_line(double* at) { return reinterpret_cast<double*>((reinterpret_cast<uintptr_t>(at) + 63) & ~uintptr_t{63}); }

using Pointers = const double* [3 + kMostColumns];  // to y, p, w (null without weights), and the columns of the plan

struct Rows {
    Column y, p, w;
    bool weighted = false;
    size_t count = 0;
    std::vector<Column> more;  // the columns of the plan

    size_t columns() const { return 3 + more.size(); }
    bool plain() const { return y.is_plain() && p.is_plain() && (!weighted || w.is_plain()); }
    bool narrow() const { return y.is_narrow() && p.is_narrow(); }
    const Column& column(size_t i) const { return i == 0 ? y : i == 1 ? p : i == 2 ? w : more[i - 3]; }

    // Points `from` at doubles, in place or in `widened`. False where a 64-bit integer of y, p or w has no exact double.
    bool as_doubles(size_t at, size_t rows, std::vector<double>& widened, Pointers& from) const;
    // y - p, rounded once, of rows that doubles hold only nearly.
    void differences(size_t at, size_t rows, std::vector<double>& out) const;
};

// Where a kernel looks: a rung of a ladder, and the exponents of the largest pair (e) and weight (f) inside.
struct Window {
    const Rung *ladder = nullptr, *rung = nullptr;
    int which = 0, e = 0, f = 0;
};

// The kernels of this processor, best last; and the ones in use.
std::vector<const Kernels*> available_kernels();
const Kernels& kernels_in_use();
void use_kernels(const Kernels& kernels);

// The first weight that is NaN, infinite or negative; -1 when there is none. Weights are judged before a state changes.
int64_t first_bad_weight(const Column& w, size_t count);

void accumulate(PairSums& state, const Rows& rows, unsigned threads);

}  // namespace squarely
