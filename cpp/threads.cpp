// A pool of threads, which grows to the most that a call has asked for.
#include "threads.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif
#ifndef _WIN32
#include <pthread.h>
#include <signal.h>
#endif

namespace squarely {
namespace {

constexpr std::chrono::microseconds kSoon{100};

inline void pause() {
#if defined(__x86_64__) || defined(_M_X64)
    _mm_pause();
#endif
}

struct Call {
    void (*share)(void*, size_t) noexcept;
    void* work;
    size_t count, next = 1;
    std::atomic<size_t> running{0};  // when it is 0 again, the call may be gone
};

// While it lives, signals are for other threads: a thread is born with the mask of its maker.
class NoSignals {
#ifndef _WIN32
   public:
    NoSignals() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~NoSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

   private:
    sigset_t before_;
#endif
};

// Looks whether something has come about, for about as long as it takes to fall asleep and to be woken.
template <class Condition>
bool soon(Condition is_so) {
    const auto end = std::chrono::steady_clock::now() + kSoon;
    do {
        for (int look = 0; look < 16; look++) {
            if (is_so()) return true;
            pause();
        }
    } while (std::chrono::steady_clock::now() < end);
    return false;
}

class Pool {
   public:
    void run(Call& call) {
        {
            std::lock_guard lock(mutex_);
            grow(call.count - 1);
            calls_.push_back(&call);
            waiting_++;
        }
        for (size_t i = 1; i < call.count; i++) wanted_.notify_one();
        call.share(call.work, 0);
        {
            std::lock_guard lock(mutex_);  // who comes now finds nothing to do
            if (auto at = std::find(calls_.begin(), calls_.end(), &call); at != calls_.end()) calls_.erase(at), waiting_--;
        }
        if (soon([&] { return !call.running; })) return;
        std::unique_lock lock(mutex_);
        done_.wait(lock, [&] { return !call.running; });
    }

   private:
    void grow(size_t threads) {
        if (threads_ >= threads) return;
        [[maybe_unused]] NoSignals quiet;
        try {
            for (; threads_ < threads; threads_++) std::thread([this] { serve(); }).detach();
        } catch (const std::system_error&) {  // no more threads are to be had: those there are take all parts
        }
    }

    void serve() {
        std::unique_lock lock(mutex_);
        auto look_out = [&] {
            lock.unlock();
            soon([&] { return waiting_ > 0; });
            lock.lock();
        };
        for (;;) {
            if (calls_.empty()) {
                wanted_.wait(lock);
                if (calls_.empty()) look_out();  // the call was over before this thread was awake, and so would the next be
                continue;
            }
            Call& call = *calls_.front();
            const size_t i = call.next++;
            if (call.next == call.count) calls_.pop_front(), waiting_--;
            call.running++;
            lock.unlock();
            call.share(call.work, i);
            lock.lock();
            if (!--call.running) done_.notify_all();
            look_out();
        }
    }

    std::mutex mutex_;
    std::condition_variable wanted_, done_;
    std::deque<Call*> calls_;
    std::atomic<size_t> waiting_{0};  // calls
    size_t threads_ = 0;
};

void lend(Team team, Call& call) {
    struct Lent {
        Team team;
        Call& call;
    } lent{team, call};
    team.run(
        [](void* data) {
            const Lent& lent = *static_cast<Lent*>(data);
            const size_t i = lent.team.which();
            if (i < lent.call.count) lent.call.share(lent.call.work, i);
        },
        &lent, team.size, 0
    );
}

// Never destroyed, for its threads may outlive whatever destroys it. A forked process has none of them, and takes a new pool.
std::atomic<Pool*> the_pool{nullptr};

Pool& pool() {
#ifndef _WIN32
    static const int watched = pthread_atfork(nullptr, nullptr, [] { the_pool = nullptr; });
    static_cast<void>(watched);
#endif
    Pool* there = the_pool;
    if (there) return *there;
    Pool* made = new Pool;
    if (the_pool.compare_exchange_strong(there, made)) return *made;
    delete made;  // another thread was first, and nobody has seen this one
    return *there;
}

}  // namespace

void share_out(Threads threads, void (*share)(void*, size_t) noexcept, void* work) {
    if (threads.count <= 1) return share(work, 0);
    Call call{share, work, threads.count};
    if (threads.team.run) lend(threads.team, call);
    else pool().run(call);
}

}  // namespace squarely
