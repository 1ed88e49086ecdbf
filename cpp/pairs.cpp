#include <optional>

#include "feeder.hpp"
#include "term_feeder.hpp"
#include "threads.hpp"

namespace squarely {
namespace {

constexpr size_t kBlock = kVectorsPerRun * kMostLanes;  // rows of a run of the kernel

std::atomic<const Kernels*> g_kernels{nullptr};

// Rows of plain doubles pass without a copy; others are widened block by block. Weight 0 is left out here.
class Accumulator {
   public:
    Accumulator(PairSums& state, const Rows& rows) : state_(state), rows_(rows), feeder_(state, window_, rows.narrow()) {
        if (state.kept.plan) terms_.emplace(*state.kept.plan, rows.count);
    }
    void add(size_t begin, size_t end) {
        size_t block = terms_ || !rows_.plain() ? TermFeeder::kMostRows : kBlock;
        for (size_t at = begin; at < end; at += block) add_block(at, std::min(block, end - at));
    }

   private:
    void add_block(size_t at, size_t count) {
        Pointers from;
        bool exact = rows_.as_doubles(at, count, widened_, from);
        if (terms_) {
            if (!exact) rows_.differences(at, count, differences_);
            const TermFeeder::Segment all{&state_.kept, &state_.kept.histogram, count};
            terms_->feed(from, exact ? nullptr : differences_.data(), count, &all, 1);
            const Plan& plan = *state_.kept.plan;
            if (!plan.pairs && !rows_.weighted && (exact || !plan.target)) return count_rows(from, count);
        }
        if (!exact) {
            for (size_t i = 0; i < count; i++) add_wide_row(state_, rows_, at + i);
        } else if (!rows_.weighted || std::none_of(from[2], from[2] + count, is_zero)) {
            feeder_.feed(from[0], from[1], from[2], count);
        } else {
            compressed_.resize(3 * kBlock);
            double *y = compressed_.data(), *p = y + kBlock, *w = p + kBlock;
            size_t kept = 0;
            for (size_t i = 0; i < count; i++) {
                y[kept] = from[0][i], p[kept] = from[1][i], w[kept] = from[2][i];
                kept += !is_zero(from[2][i]);
            }
            feeder_.feed(y, p, w, kept);
        }
    }

    void count_rows(const Pointers& from, size_t count) {
        for (uint32_t row : terms_->left_out()) refuse(state_, from[0][row], from[1][row]);
        size_t kept = count - terms_->left_out().size();
        state_.rows += static_cast<int64_t>(kept);
        state_.sums[kW].add_integer(static_cast<int128>(kept), 0);
        if (state_.kept.plan->target) terms_->add_targets(state_.sums[kY], from[0], count);
    }

    PairSums& state_;
    const Rows& rows_;
    Window window_;
    Feeder feeder_;
    std::optional<TermFeeder> terms_;
    std::vector<double> widened_, compressed_, differences_;
};

}  // namespace

std::vector<const Kernels*> available_kernels() {
    std::vector<const Kernels*> found{&kPortable};
#ifdef SQUARELY_X86
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) found.push_back(&kAvx2);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) found.push_back(&kAvx512);
#endif
    return found;
}
const Kernels& kernels_in_use() {
    const Kernels* kernels = g_kernels.load(std::memory_order_relaxed);
    if (!kernels) g_kernels = kernels = available_kernels().back();
    return *kernels;
}
void use_kernels(const Kernels& kernels) { g_kernels = &kernels; }

bool Rows::as_doubles(size_t at, size_t rows, std::vector<double>& widened, Pointers& from) const {
    bool exact = true;
    double* wide = nullptr;  // where the next column goes that is not doubles in place
    const size_t stride = whole_lines(rows);
    from[2] = nullptr;
    for (size_t c = 0; c < columns(); c++) {
        if (c == 2 && !weighted) continue;
        const Column& values = column(c);
        if (values.is_plain()) {
            from[c] = values.plain() + at;
            continue;
        }
        if (!wide) {
            const size_t left = columns() - c - (c < 2 && !weighted);
            if (widened.size() < left * stride + kLine) widened.resize(left * stride + kLine);
            wide = on_a_line(widened.data());
        }
        bool same = true;
        if (values.is_plain_float())
            kernels_in_use().widen(values.plain_float() + at, rows, wide);
        else
            same = values.read(at, rows, wide);
        exact = exact && (same || c > 2);  // a term is rounded anyway
        from[c] = wide, wide += stride;
    }
    return exact;
}

void Rows::differences(size_t at, size_t rows, std::vector<double>& out) const {
    out.resize(rows);
    for (size_t i = 0; i < rows; i++) {
        double of_y, of_p;
        y.read(at + i, 1, &of_y), p.read(at + i, 1, &of_p);
        out[i] = of_y - of_p;
        if (!is_finite(of_y) || !is_finite(of_p)) continue;
        ExactSum exact;
        exact.add(y.number(at + i));
        Number less = p.number(at + i);
        less.negative = !less.negative;
        exact.add(less);
        out[i] = exact.rounded();
    }
}

int64_t first_bad_weight(const Column& w, size_t count) {
    constexpr uint64_t infinity = uint64_t{0x7ff} << 52, minus_zero = uint64_t{1} << 63;
    auto is_bad = [](double x) { return bits_of(x) >= infinity && bits_of(x) != minus_zero; };  // infinite, NaN or negative
    double block[512];
    for (size_t at = 0; at < count; at += 512) {
        size_t size = std::min<size_t>(512, count - at);
        const double* weights = w.is_plain() ? w.plain() + at : block;
        if (weights == block) w.read(at, size, block);
        bool any = false;
        for (size_t i = 0; i < size; i++) any |= is_bad(weights[i]);
        if (any) return static_cast<int64_t>(at + static_cast<size_t>(std::find_if(weights, weights + size, is_bad) - weights));
    }
    return -1;
}

void accumulate(PairSums& state, const Rows& rows, unsigned threads) {
    Parts parts(rows.count);
    size_t count = std::min<size_t>(threads, parts.count());
    if (count <= 1) {
        DefaultRounding rules;
        return Accumulator(state, rows).add(0, rows.count);
    }
    std::vector<PairSums> partial(count, PairSums(state.kept.plan));
    beside_each_other(count, [&](size_t i) {
        DefaultRounding rules;
        Accumulator accumulator(partial[i], rows);
        for (size_t begin, end; parts.take(begin, end);) accumulator.add(begin, end);
    });
    for (const PairSums& part : partial) state.merge(part);
}

}  // namespace squarely
