// Other threads may run Python while the core computes.
#pragma once

#include <Python.h>

#include <chrono>
#include <thread>

namespace squarely {

// A daemon thread that comes back to an interpreter which ends is told to leave by an unwinding of its stack, which no binding lets through:
// it would end the process. So it waits here for the end of the process, as it does in Python 3.14.
class Released {
   public:
    Released() : state_(PyEval_SaveThread()) {}
    ~Released() {
        try {
            PyEval_RestoreThread(state_);
        } catch (...) {
            for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
        }
    }
    Released(const Released&) = delete;
    Released& operator=(const Released&) = delete;

   private:
    PyThreadState* state_;
};

}  // namespace squarely
