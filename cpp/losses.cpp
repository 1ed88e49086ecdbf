// Which loops are taken, who takes which blocks, and how their sums are added.
#include "losses.hpp"

#include <algorithm>

#include "pairs.hpp"
#include "threads.hpp"
#include "window.hpp"

namespace squarely {
namespace {

constexpr size_t kTurn = 32;                       // blocks that a thread takes at once
constexpr size_t kWorthStreaming = size_t{1} << 25;  // bytes of a gradient, which no cache keeps until it is read

const LossLoops& loops_in_use() {
#ifdef SQUARELY_X86
    if (&kernels_in_use() == &kAvx512) return kLossesAvx512;
    if (&kernels_in_use() == &kAvx2) return kLossesAvx2;
#endif
    return kLossesPortable;
}

// To these, reading a block from the first cache again costs less than writing two arrays at once.
bool is_cheap(Loss which) {
    return which == Loss::squared || which == Loss::half_squared || which == Loss::absolute || which == Loss::huber || which == Loss::pinball;
}

double add_in_pairs(const double* sums, size_t count) {
    if (count == 1) return sums[0];
    const size_t half = count / 2;
    return add_in_pairs(sums, half) + add_in_pairs(sums + half, count - half);
}

}  // namespace

void write_losses(const LossRows& rows) {
    const LossLoops& loops = loops_in_use();
    LossRows losses = rows, gradients = rows;
    losses.gradient = nullptr, gradients.loss = nullptr;
    const bool in_turn = rows.loss && rows.gradient && is_cheap(rows.which);
    const size_t size = rows.is_double ? 8 : 4, line = 64 / size;  // every block but the first begins where a line of the cache does
    const size_t block = in_turn ? kLossBlock / 2 : kLossBlock;
    size_t end = block - reinterpret_cast<uintptr_t>(rows.gradient ? rows.gradient : rows.loss) / size % line;
    for (size_t begin = 0; begin < rows.count; begin = end, end += block) {
        const size_t stop = std::min(end, rows.count);
        if (in_turn) loops.add(losses, begin, stop, false), loops.add(gradients, begin, stop, false);
        else loops.add(rows, begin, stop, false);
    }
}

void add_losses(const LossRows& given, size_t samples, size_t threads, double* totals) {
    LossRows rows = given;
    rows.streams = rows.count * (rows.is_double ? 8 : 4) >= kWorthStreaming;
    const LossLoops& loops = loops_in_use();
    const size_t length = rows.count / samples, each = (length + kLossBlock - 1) / kLossBlock, blocks = samples * each;
    std::vector<double> sums(blocks);
    auto add = [&](size_t block) {
        const size_t begin = block / each * length + block % each * kLossBlock, end = std::min(begin + kLossBlock, (block / each + 1) * length);
        sums[block] = loops.add(rows, begin, end, true);
    };
    std::atomic<size_t> next{0};
    auto work = [&](size_t) {
        for (size_t from; (from = next.fetch_add(kTurn)) < blocks;)
            for (size_t block = from; block < std::min(blocks, from + kTurn); block++) add(block);
    };
    if (threads > 1) beside_each_other(std::clamp((blocks + kTurn - 1) / kTurn, size_t{1}, threads), work);
    else work(0);
    for (size_t i = 0; i < samples; i++) totals[i] = each ? add_in_pairs(sums.data() + i * each, each) : 0.0;
}

}  // namespace squarely
