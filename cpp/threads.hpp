// Threads that share the rows of a call: each takes parts until none is left, so that one that starts late takes fewer.
#pragma once
#include <algorithm>
#include <atomic>
#include <exception>
#include <system_error>
#include <thread>
#include <vector>

namespace squarely {

class Parts {
   public:
    explicit Parts(size_t rows) : rows_(rows) {}
    size_t count() const { return (rows_ + kRows - 1) / kRows; }
    bool take(size_t& begin, size_t& end) {
        begin = next_++ * kRows, end = std::min(rows_, begin + kRows);
        return begin < rows_;
    }

   private:
    static constexpr size_t kRows = size_t{1} << 16;
    const size_t rows_;
    std::atomic<size_t> next_{0};
};

// Calls work(0) to work(count - 1) beside each other, as far as threads are to be had; work(0) is always called.
template <class Work>
void beside_each_other(size_t count, Work work) {
    std::vector<std::exception_ptr> failures(count);
    auto guarded = [&](size_t i) noexcept {
        try {
            work(i);
        } catch (...) {
            failures[i] = std::current_exception();
        }
    };
    std::vector<std::thread> workers;
    workers.reserve(count);
    try {
        for (size_t i = 1; i < count; i++) workers.emplace_back(guarded, i);
    } catch (const std::system_error&) {  // no more threads are to be had: those there are take all parts
    }
    guarded(0);
    for (std::thread& worker : workers) worker.join();
    for (const std::exception_ptr& failure : failures)
        if (failure) std::rethrow_exception(failure);
}

}  // namespace squarely
