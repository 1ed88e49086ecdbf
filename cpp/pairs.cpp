#include "feeder.hpp"

#include <atomic>
#include <thread>

namespace squarely {
namespace {

constexpr size_t kBlock = kVectorsPerRun * kMostLanes;  // rows that are widened or compressed at a time
constexpr size_t kRowsPerPart = size_t{1} << 16;

std::atomic<const Kernels*> g_kernels{nullptr};

// Rows that are already plain doubles pass without a copy; others are widened block by block; weight 0 is left out here.
void accumulate_part(PairSums& state, const Rows& rows, size_t begin, size_t end, Window& window) {
    Feeder feeder(state, window);
    if (rows.y.is_plain() && rows.p.is_plain() && !rows.weighted) return feeder.feed(rows.y.plain() + begin, rows.p.plain() + begin, nullptr, end - begin);
    std::vector<double> scratch(3 * std::min(kBlock, end - begin));
    double *y = scratch.data(), *p = y + scratch.size() / 3, *w = p + scratch.size() / 3;
    for (size_t at = begin; at < end; at += kBlock) {
        size_t count = std::min(kBlock, end - at);
        bool exact = rows.y.read(at, count, y);
        exact = rows.p.read(at, count, p) && exact;
        if (rows.weighted) exact = rows.w.read(at, count, w) && exact;
        if (!exact) {
            for (size_t i = 0; i < count; i++) add_wide_row(state, rows, at + i);
            continue;
        }
        size_t kept = count;
        if (rows.weighted) {
            kept = 0;
            for (size_t i = 0; i < count; i++) {
                y[kept] = y[i], p[kept] = p[i], w[kept] = w[i];
                kept += !is_zero(w[i]);
            }
        }
        feeder.feed(y, p, rows.weighted ? w : nullptr, kept);
    }
}

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

int64_t first_bad_weight(const Column& w, size_t count) {
    double block[512];
    for (size_t at = 0; at < count; at += 512) {
        size_t size = std::min<size_t>(512, count - at);
        w.read(at, size, block);
        for (size_t i = 0; i < size; i++)
            if (!is_finite(block[i]) || (bits_of(block[i]) >> 63 && !is_zero(block[i]))) return static_cast<int64_t>(at + i);
    }
    return -1;
}

void accumulate(PairSums& state, const Rows& rows, unsigned threads) {
    size_t parts = (rows.count + kRowsPerPart - 1) / kRowsPerPart, count = std::min<size_t>(threads, parts);
    if (count <= 1) {
        Window window;
        return accumulate_part(state, rows, 0, rows.count, window);
    }
    std::vector<PairSums> partial(count);
    std::vector<std::thread> workers;
    std::atomic<size_t> next{0};  // a thread that starts late takes fewer parts
    auto work = [&](size_t i) {
        Window window;
        for (size_t part; (part = next++) < parts;)
            accumulate_part(partial[i], rows, part * kRowsPerPart, std::min(rows.count, (part + 1) * kRowsPerPart), window);
    };
    for (size_t i = 1; i < count; i++) workers.emplace_back(work, i);
    work(0);
    for (std::thread& worker : workers) worker.join();
    for (const PairSums& part : partial) state.merge(part);
}

}  // namespace squarely
