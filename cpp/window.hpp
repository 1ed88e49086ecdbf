// The windowed slice kernel: what it is asked, and the arithmetic that says how wide a window may be.
//
// A window (e, f) admits y and p that are 0 or in [2^(e-R), 2^e), and weights in [2^(f-R), 2^f). Inside it every product is head + tail
// exactly (tail = the error of the rounded product), and each part is cut into integer slices of `width` bits by adding
// 1.5 * 2^52 * unit: then the low bits of the double ARE the slice. Integers add in any order. Rows outside take the integer path.
// Narrow values, which a float holds, have a product without a tail: the same slices reach further down, so that fewer are needed.
//
// This header is compiled once per instruction set: it must hold no inline function with external linkage.
#pragma once
#include <cstddef>
#include <cstdint>

#include "recipes.hpp"

namespace squarely {

constexpr int ceil_divide(int a, int b) { return (a + b - 1) / b; }

constexpr int kWide = 52, kNarrow = 23;  // bits below the first one of y and p: a double's, a float's

// Slices of one rung of the ladder. Unweighted: two 51-bit terms meet in a slice; weighted: four, so 50 bits leave room for their sum.
struct Rung {
    bool weighted;
    int product;  // slices of y*y, y*p, p*p (times w)
    int below = kWide;
    constexpr int width() const { return weighted ? 50 : 51; }
    constexpr int range() const { return weighted ? (50 * product - 156) / 3 : (51 * product - 2 * below) / 2; }
    constexpr int linear() const { return ceil_divide(weighted ? 2 * range() + 104 : range() + below, width()); }
    constexpr int weight() const { return weighted ? ceil_divide(range() + 52, width()) : 0; }
    constexpr int slices() const { return 3 * product + 4 * linear() + weight(); }
    // Every unit stays a normal double, so flush-to-zero flags set by others cannot matter.
    constexpr int lowest_e() const { return weighted ? -(1020 - 50 * product) / 3 : -(1020 - 51 * product) / 2; }
    constexpr int highest_e() const { return weighted ? 300 : 490; }
};
constexpr Rung kPlain[] = {{false, 3}, {false, 4}, {false, 5}, {false, 7}};
constexpr Rung kPlainNarrow[] = {{false, 2, kNarrow}, {false, 3, kNarrow}, {false, 6, kNarrow}};
constexpr Rung kWeighted[] = {{true, 4}, {true, 6}};
constexpr int kPlainRungs = 4, kNarrowRungs = 3, kWeightedRungs = 2, kMostSlices = 48;

constexpr size_t kMicro = 128;        // rows that are checked, and if need be repaired, together
constexpr size_t kVectorsPerRun = 1024;  // 2^10 deposits of at most 2^51 stay far inside 64 bits
constexpr size_t kMostLanes = 8;

// Rows [at, at + count) of the run need care: write them with every row outside the window replaced by zeros.
using Repair = void (*)(void* context, size_t at, size_t count, double* y, double* p, double* w);

struct Run {
    const double *y, *p, *w;  // w is null in an unweighted run
    size_t rows;              // at most kVectorsPerRun * lanes
    int e, f;
    Repair repair;
    void* context;
    __int128* slices;  // out: yy, yp, pp, then y, p, max(y, p), max(y, 0), then w; each from the highest slice down
    double* extremes;  // in and out: error, y_min, y_max, p_min, p_max of the rows that were not repaired
};
// Terms are doubles that were rounded once; one window of 101 bits holds nearly all of them, so there is no ladder. Unweighted, then weighted.
constexpr int kTermWidth[] = {51, 50}, kTermSlices[] = {3, 5}, kTermRange[] = {51 * 3 - 52, 90}, kMostTermSlices = 5;
constexpr int kTermWeightRange = 50 * 5 - 104 - kTermRange[1];
constexpr int kLowestTermTop = -500, kHighestTermTop = 600, kLowestWeightTop = -250, kHighestWeightTop = 350, kRoomAboveTerms = 12;

struct TermRun {
    const double *t, *w;  // w is null in an unweighted run; both lie inside the window or are 0
    size_t rows;          // a multiple of lanes, at most kVectorsPerRun * lanes
    int e, f;
    __int128* slices;  // out: from the highest down
};

// Planes of integers of at most 2^20 in size: of at most 2^13 rows, so that a double holds each sum of products.
struct DigitPlanes {
    const double* first;
    size_t count, stride;
};

struct Kernels {
    const char* name;
    size_t lanes;
    void (*plain[kPlainRungs])(const Run&);
    void (*narrow[kNarrowRungs])(const Run&);
    void (*weighted[kWeightedRungs])(const Run&);
    // Highest and lowest (magnitude bits - 1) >> 32 among `rows` doubles, a multiple of lanes; zeros do not count.
    void (*spread)(const double* x, size_t rows, uint32_t* high, uint32_t* low);
    void (*sum[2])(const TermRun&);
    void (*term)(const TermCall&);
    void (*widen)(const float* from, size_t rows, double* to);
    void (*subtract_floats)(const float* y, const float* p, size_t rows, double* out);
    bool (*subtract)(const double* y, const double* p, size_t rows, double* out);  // says whether every y - p is finite
    bool (*steps)(const double* values, size_t count, uint8_t* step);  // of 256 equal ones, where there are any
    double (*cut)(const double* values, size_t rows, double scale, double* digits, double* rest);
    void (*multiply)(const DigitPlanes& left, const DigitPlanes& right, size_t rows, int64_t* sums);
    bool (*multiply_exactly)(const double* a, const double* b, size_t rows, double* product, double* error);
};

extern const Kernels kPortable;
#ifdef SQUARELY_X86
extern const Kernels kAvx2, kAvx512;
#endif

}  // namespace squarely
