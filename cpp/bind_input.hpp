// Arrays as Python hands them over: through the buffer protocol, without a copy, of any stride, read-only welcome.
#pragma once
#include <nanobind/nanobind.h>

#include <cstring>
#include <memory>
#include <vector>

#include "pairs.hpp"

namespace squarely {
namespace {

namespace nb = nanobind;

constexpr size_t kWorthReleasing = 20'000;  // rows; below this, giving up the GIL costs more than it gives

class View {
   public:
    explicit View(nb::handle array, bool writable = false, int fewest_dimensions = 1) {
        if (fewest_dimensions == 0 && PyFloat_Check(array.ptr())) { buffer_.buf = &(number_ = PyFloat_AS_DOUBLE(array.ptr())), buffer_.format = double_; return; }
        if (PyObject_GetBuffer(array.ptr(), &buffer_, (writable ? PyBUF_STRIDED : PyBUF_STRIDED_RO) | PyBUF_FORMAT)) throw nb::python_error();
        if (buffer_.ndim > 1 || buffer_.ndim < fewest_dimensions) {
            PyBuffer_Release(&buffer_);
            throw nb::value_error("expected a one-dimensional array");
        }
    }
    ~View() { PyBuffer_Release(&buffer_); }
    View(const View&) = delete; View& operator=(const View&) = delete;
    bool is_number() const { return buffer_.ndim == 0; }  // it stands for a column of any length
    size_t size() const { return static_cast<size_t>(buffer_.shape[0]); }
    Column column() const { return {static_cast<const char*>(buffer_.buf), is_number() ? 0 : buffer_.strides[0], kind()}; }
    template <class T>
    T* as(Kind expected, size_t count) const {
        if (kind() != expected || buffer_.strides[0] != sizeof(T)) throw nb::value_error("expected a contiguous array of another type");
        if (size() != count) throw nb::value_error("arrays differ in length");
        return static_cast<T*>(buffer_.buf);
    }

   private:
    Kind kind() const {
        const char* format = buffer_.format ? buffer_.format : "B";
        if (*format == '<' || *format == '=' || *format == '@') format++;
        bool is_signed = *format && std::strchr("bhilqn", *format);
        if (*format && format[1] == 0) switch (*format) {
                case 'd': return Kind::f64;
                case 'f': return Kind::f32;
                case 'e': return Kind::f16;
                case '?': return Kind::boolean;
                case 'b': case 'h': case 'i': case 'l': case 'q': case 'n': case 'B': case 'H': case 'I': case 'L': case 'Q': case 'N':
                    switch (buffer_.itemsize) {
                        case 1: return is_signed ? Kind::i8 : Kind::u8;
                        case 2: return is_signed ? Kind::i16 : Kind::u16;
                        case 4: return is_signed ? Kind::i32 : Kind::u32;
                        case 8: return is_signed ? Kind::i64 : Kind::u64;
                    }
            }
        throw nb::type_error("expected a numeric array in native byte order");
    }
    Py_buffer buffer_{};  // of no object, which needs no release
    double number_ = 0.0; char double_[2] = "d";
};

struct Input {
    View y, p;
    std::vector<std::unique_ptr<View>> others;
    Rows rows;
    Input(nb::handle y_true, nb::handle y_pred, nb::handle weight, nb::handle more = nb::handle(), size_t columns = 0) : y(y_true), p(y_pred, false, 0) {
        rows.y = y.column(), rows.p = p.column(), rows.count = y.size();
        if (!p.is_number() && p.size() != y.size()) throw nb::value_error("arrays differ in length");
        if (!weight.is_none()) rows.w = open(weight), rows.weighted = true;
        if (more)
            for (nb::handle column : more) rows.more.push_back(open(column));
        if (rows.more.size() != columns) throw nb::value_error("expected one array for each column of the plan");
    }
    Column open(nb::handle array) {
        others.push_back(std::make_unique<View>(array));
        if (others.back()->size() != y.size()) throw nb::value_error("arrays differ in length");
        return others.back()->column();
    }
    // The row of the first weight that cannot be one; -1 when all are fine.
    int64_t bad_weight() const { return rows.weighted ? first_bad_weight(rows.w, rows.count) : -1; }
};

inline nb::tuple refused(const std::array<int64_t, kRefused>& counts) { return nb::make_tuple(counts[0], counts[1], counts[2], counts[3]); }

}  // namespace
}  // namespace squarely
