// Digits of columns for Python: see digits.hpp. Planes are rows of a matrix of doubles that lies in one piece.
#include <algorithm>
#include <atomic>
#include <vector>

#include "bind_parts.hpp"
#include "bind_released.hpp"
#include "grouped_digits.hpp"
#include "pairs.hpp"
#include "threads.hpp"
#include "window.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace squarely {
namespace {

class Doubles {
   public:
    Doubles(nb::handle array, bool writable, const char* type = "d") {
        if (PyObject_GetBuffer(array.ptr(), &buffer_, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (writable ? PyBUF_WRITABLE : 0))) throw nb::python_error();
        if (!buffer_.format || !std::strchr(type, buffer_.format[0])) {
            PyBuffer_Release(&buffer_);
            throw nb::type_error("an array of another type was expected");
        }
    }
    ~Doubles() { PyBuffer_Release(&buffer_); }
    Doubles(const Doubles&) = delete;
    Doubles& operator=(const Doubles&) = delete;
    size_t size() const { return static_cast<size_t>(buffer_.len / buffer_.itemsize); }
    DigitPlanes planes() const {
        if (buffer_.ndim != 2) throw nb::value_error("planes are the rows of a matrix");
        return {static_cast<const double*>(buffer_.buf), static_cast<size_t>(buffer_.shape[0]), static_cast<size_t>(buffer_.shape[1])};
    }
    template <class T = double>
    T* data() const { return static_cast<T*>(buffer_.buf); }

   private:
    Py_buffer buffer_;
};

double cut(nb::handle values, double scale, nb::handle digits, nb::handle rest) {
    Doubles from(values, false), into(digits, true), left(rest, true);
    if (into.size() < from.size() || left.size() < from.size()) throw nb::value_error("there are fewer digits than values");
    Released release;
    return kernels_in_use().cut(from.data(), from.size(), scale, into.data(), left.data());
}

bool multiply_each(nb::handle a, nb::handle b, nb::handle product, nb::handle error) {
    Doubles left(a, false), right(b, false), high(product, true), low(error, true);
    if (right.size() != left.size() || high.size() < left.size() || low.size() < left.size()) throw nb::value_error("lengths do not fit");
    Released release;
    return kernels_in_use().multiply_exactly(left.data(), right.data(), left.size(), high.data(), low.data());
}

// Threads take parts of the rows until none is left; sums of integers are the same in any parts.
void multiply(nb::handle left, nb::handle right, size_t rows, nb::handle sums, size_t threads) {
    Doubles a(left, false), b(right, false), into(sums, true, "lq");
    DigitPlanes first = a.planes(), second = b.planes();
    if (into.size() != first.count * second.count || rows > std::min(first.stride, second.stride)) throw nb::value_error("shapes do not fit");
    const size_t parts = std::clamp<size_t>(threads, 1, std::max<size_t>(rows, 1)), length = (rows + parts - 1) / parts;
    Released release;
    std::vector<std::vector<int64_t>> others(parts - 1, std::vector<int64_t>(into.size()));
    std::atomic<size_t> next{0};
    beside_each_other(parts, [&](size_t) {
        for (size_t part; (part = next++) < parts;) {
            const size_t from = std::min(rows, part * length), here = std::min(length, rows - from);
            const DigitPlanes a{first.first + from, first.count, first.stride}, b{second.first + from, second.count, second.stride};
            kernels_in_use().multiply(a, b, here, part ? others[part - 1].data() : into.data<int64_t>());
        }
    });
    for (const std::vector<int64_t>& other : others)
        for (size_t i = 0; i < other.size(); i++) into.data<int64_t>()[i] += other[i];
}

void group(nb::handle left, nb::handle right, nb::handle codes, size_t groups, nb::handle sums) {
    Doubles a(left, false), b(right, false), of(codes, false, "lq"), into(sums, true, "lq");
    DigitPlanes first = a.planes(), second = b.planes();
    const size_t rows = of.size();
    if (into.size() != first.count * second.count * groups || rows > std::min(first.stride, second.stride)) throw nb::value_error("shapes do not fit");
    Released release;
    const int64_t* group_of = of.data<int64_t>();
    if (std::any_of(group_of, group_of + rows, [&](int64_t code) { return code < 0 || static_cast<size_t>(code) >= groups; }))
        throw std::out_of_range("a group has no sums");
    group_digits(first, second, group_of, rows, groups, into.data<int64_t>());
}

}  // namespace

void bind_digits(nb::module_& m) {
    m.def("cut_digits", &cut, "values"_a, "scale"_a, "digits"_a, "rest"_a,
          "Round values * scale to integers, keep what is left, and return the largest of that.");
    m.def("multiply_exactly", &multiply_each, "a"_a, "b"_a, "product"_a, "error"_a,
          "Write products and their rounding errors; False where some are beyond what that takes.");
    m.def("multiply_digits", &multiply, "left"_a, "right"_a, "rows"_a, "sums"_a, "threads"_a,
          "Write the sums of products of planes, as 64-bit integers.");
    m.def("group_digits", &group, "left"_a, "right"_a, "codes"_a, "groups"_a, "sums"_a, "Write these sums for the rows of each group.");
}

}  // namespace squarely
