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

// The threads of an OpenMP, by its GOMP_parallel and omp_get_thread_num, and how many it keeps: if fewer were asked for, it would let the others go.
// Those of a framework look out for work for milliseconds after they had some, and threads of this library would wait for their cores.
struct Team {
    void (*run)(void (*function)(void*), void* data, unsigned size, unsigned flags) = nullptr;
    int (*which)() = nullptr;
    unsigned size = 0;
};

// How many threads, and whose; without a team, those of this library.
struct Threads {
    Threads(size_t threads, Team lent = {}) : count(threads), team(lent) {}
    size_t count;
    Team team;
};

// Calls share(work, 0) here, and share(work, 1) to share(work, count - 1) on threads that come before it has returned. These threads wait for
// the next call, for one that waits begins in a few microseconds and a new one in a hundred.
void share_out(Threads threads, void (*share)(void* work, size_t i) noexcept, void* work);

// Calls work(0) to work(count - 1) beside each other, as far as threads are to be had; work(0) is always called.
template <class Work>
void beside_each_other(Threads threads, Work work) {
    struct Guarded {
        Work& work;
        std::vector<std::exception_ptr> failures;
    } guarded{work, std::vector<std::exception_ptr>(threads.count)};
    share_out(
        threads,
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
