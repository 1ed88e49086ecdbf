// Threads that share the rows of a call: each takes parts until none is left, so that one that starts late takes fewer.
#pragma once
#include <algorithm>
#include <atomic>
#include <exception>
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

// Calls share(work, 0) here, and share(work, 1) to share(work, count - 1) on threads that come before it has returned. These threads wait for
// the next call, for one that waits begins in a few microseconds and a new one in a hundred.
void share_out(size_t count, void (*share)(void* work, size_t i) noexcept, void* work);

// Calls work(0) to work(count - 1) beside each other, as far as threads are to be had; work(0) is always called.
template <class Work>
void beside_each_other(size_t count, Work work) {
    struct Guarded {
        Work& work;
        std::vector<std::exception_ptr> failures;
    } guarded{work, std::vector<std::exception_ptr>(count)};
    share_out(
        count,
        [](void* given, size_t i) noexcept {
            Guarded& guarded = *static_cast<Guarded*>(given);
            try {
                guarded.work(i);
            } catch (...) {
                guarded.failures[i] = std::current_exception();
            }
        },
        &guarded
    );
    for (const std::exception_ptr& failure : guarded.failures)
        if (failure) std::rethrow_exception(failure);
}

}  // namespace squarely
