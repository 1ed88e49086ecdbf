// Losses of rows in one pass over memory: the sum of what counts, and what is asked of each row, its loss, gradient and curvature.
#pragma once
#include <cstddef>
#include <cstdint>

#include "nearest.hpp"
#include "threads.hpp"

namespace squarely {

constexpr size_t kLossBlock = 2048;  // rows that are added on their own: sums do not depend on who adds them

enum class Loss {
    squared, half_squared, absolute, huber, smooth_l1, pseudo_huber, log_cosh, fair, cauchy, geman_mcclure, welsch, tukey, winsorized, student_t,
    pinball, smooth_pinball, expectile, linex, squared_log,
    normal_variance, normal_log_variance, beta_variance, beta_log_variance, faithful_variance, faithful_log_variance, count
};

// Says whether a loss is a likelihood, whose rows have a spread: the variance or its logarithm.
constexpr bool has_spread(Loss which) { return which >= Loss::normal_variance; }

enum class Curvature { exact, gauss_newton, irls, count };  // rho'' u'^2 + rho' u''; max(rho'', 0) u'^2; rho' / u u'^2

// Numbers that stand for more rows than there are of them: row i has number (i / repeat) modulo size.
struct Spread {
    const void* numbers = nullptr;
    size_t size = 1, repeat = 1;
};

// Everything is computed in double and rounded once to the type of the rows. A row counts where its mask is true, its weight is not 0 and, if
// nan targets are left out, its target is a number; where it does not count, all that is written of it is 0 and nothing reads it into a sum.
struct LossRows {
    Loss which;
    double constants[2];
    bool is_double;  // else float: prediction, target, spread, weight and everything that is written
    const void *pred, *target, *spread;  // the last of likelihoods alone
    Spread weight, mask;  // either may have no numbers; a mask is bytes of 0 and 1
    bool omits_nan;
    double scale, den;  // multiplies gradients and curvatures, and divides them
    Curvature kind;
    void *loss, *gradient, *curvature;  // any may be null; curvature only beside gradient
    void* gradient_of_spread;           // of likelihoods, which have no curvature; may be null
    size_t count;
    bool is_odd = false;   // gradients that are rounded again: as floats rounded to odd, where psi rounds nothing but the difference
    bool streams = false;  // write past the cache: gradients, or losses where nothing else is written
};

// Writes what is asked for, of rows without a spread or a mask and with a weight for each or none.
void write_losses(const LossRows& rows, size_t threads);

// Writes the sum of the losses of each of `samples` equal runs of rows, times weights, beside what is asked for: the same bits for every number of
// threads and every processor.
void add_losses(const LossRows& rows, size_t samples, Threads threads, double* totals);

struct LossLoops {
    double (*add)(const LossRows& rows, size_t begin, size_t end, bool wants_sums);  // the rows of one block
};
extern const LossLoops kLossesPortable;
#ifdef SQUARELY_X86
extern const LossLoops kLossesAvx2, kLossesAvx512;
#endif

}  // namespace squarely
