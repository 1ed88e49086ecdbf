// Which loops are taken, who takes which blocks, and how their sums are added.
#include "losses.hpp"

#include <algorithm>

#include "pairs.hpp"
#include "window.hpp"

namespace squarely {
namespace {

constexpr size_t kTurn = 32;                       // blocks that a thread takes at once
constexpr size_t kWrittenBlock = size_t{1} << 14;  // rows that are written at once where nothing is added
constexpr size_t kWorthStreaming = size_t{1} << 25;  // bytes of an array that is written, which no cache keeps until it is read

const LossLoops& loops_in_use() {
#ifdef SQUARELY_X86
    if (&kernels_in_use() == &kAvx512) return kLossesAvx512;
    if (&kernels_in_use() == &kAvx2) return kLossesAvx2;
#endif
    return kLossesPortable;
}

// The blocks of a thread, of which others take what it has left.
struct alignas(64) Stretch {
    std::atomic<size_t> next;
    size_t end;
};

// Does every block, on so many threads. A thread begins with its own stretch of them, for the caches of its core may know it from the call
// before, and takes some blocks at once.
template <class Work>
void in_turns(size_t blocks, size_t turn, Threads threads, Work work) {
    turn = std::clamp(blocks / (4 * threads.count), size_t{1}, turn);
    const size_t count = std::clamp((blocks + turn - 1) / turn, size_t{1}, threads.count);
    std::vector<Stretch> stretches(count);
    for (size_t i = 0; i < count; i++) stretches[i].next = blocks * i / count, stretches[i].end = blocks * (i + 1) / count;
    beside_each_other({count, threads.team}, [&](size_t i) {
        for (size_t k = 0; k < count; k++) {
            Stretch& mine = stretches[(i + k) % count];
            for (size_t from; (from = mine.next.fetch_add(turn)) < mine.end;)
                for (size_t block = from; block < std::min(mine.end, from + turn); block++) work(block);
        }
    });
}

double add_in_pairs(const double* sums, size_t count) {
    if (count == 1) return sums[0];
    const size_t half = count / 2;
    return add_in_pairs(sums, half) + add_in_pairs(sums + half, count - half);
}

}  // namespace

void write_losses(const LossRows& given, size_t threads) {
    const LossLoops& loops = loops_in_use();
    LossRows rows = given;
    const size_t size = rows.is_double ? 8 : 4, line = 64 / size;  // every block but the first begins where a line of the cache does
    rows.streams = rows.count * size >= kWorthStreaming;
    const size_t first = kWrittenBlock - reinterpret_cast<uintptr_t>(rows.gradient ? rows.gradient : rows.loss) / size % line;
    const size_t blocks = rows.count <= first ? 1 : 1 + (rows.count - first + kWrittenBlock - 1) / kWrittenBlock;
    in_turns(blocks, kLossBlock * kTurn / kWrittenBlock, threads, [&](size_t at) {
        const size_t begin = at ? first + (at - 1) * kWrittenBlock : 0, end = std::min(rows.count, first + at * kWrittenBlock);
        loops.add(rows, begin, end, false);
    });
}

void add_losses(const LossRows& given, size_t samples, Threads threads, double* totals) {
    LossRows rows = given;
    rows.streams = rows.count * (rows.is_double ? 8 : 4) >= kWorthStreaming;
    const LossLoops& loops = loops_in_use();
    const size_t length = rows.count / samples, each = (length + kLossBlock - 1) / kLossBlock, blocks = samples * each;
    std::vector<double> sums(blocks);
    auto add = [&](size_t block) {
        const size_t begin = block / each * length + block % each * kLossBlock, end = std::min(begin + kLossBlock, (block / each + 1) * length);
        sums[block] = loops.add(rows, begin, end, true);
    };
    in_turns(blocks, kTurn, threads, add);
    for (size_t i = 0; i < samples; i++) totals[i] = each ? add_in_pairs(sums.data() + i * each, each) : 0.0;
}

}  // namespace squarely
