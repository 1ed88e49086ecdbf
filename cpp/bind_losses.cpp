// Losses for Python: arrays that lie in one piece, all of one type and shape; of others it says that they are not for it.
#include "bind_parts.hpp"

#include <optional>

#include "losses.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace squarely {
namespace {

constexpr size_t kWorthReleasing = 20'000;  // rows; below this, giving up the GIL costs more than it gives

class Piece {
   public:
    Piece() = default;
    ~Piece() {
        if (open_) PyBuffer_Release(&buffer_);
    }
    Piece(const Piece&) = delete;
    Piece& operator=(const Piece&) = delete;
    bool open(nb::handle array, bool writable) {
        open_ = !PyObject_GetBuffer(array.ptr(), &buffer_, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (writable ? PyBUF_WRITABLE : 0));
        if (!open_) PyErr_Clear();
        return open_;
    }
    char type() const { return buffer_.format && buffer_.format[0] && !buffer_.format[1] ? buffer_.format[0] : 0; }
    bool like(const Piece& other) const {
        if (type() != other.type() || buffer_.ndim != other.buffer_.ndim) return false;
        for (int i = 0; i < buffer_.ndim; i++)
            if (buffer_.shape[i] != other.buffer_.shape[i]) return false;
        return true;
    }
    size_t size() const { return static_cast<size_t>(buffer_.len / buffer_.itemsize); }
    template <class T>
    T* as() const { return open_ ? static_cast<T*>(buffer_.buf) : nullptr; }

   private:
    Py_buffer buffer_;
    bool open_ = false;
};

template <class T>
void fill(Loss loss, double constant, const Piece& pred, const Piece& target, const Piece& weight, const Piece& values, const Piece& gradient) {
    std::optional<nb::gil_scoped_release> release;
    if (pred.size() >= kWorthReleasing) release.emplace();
    write_losses<T>(loss, constant, {pred.as<T>(), target.as<T>(), weight.as<T>(), values.as<T>(), gradient.as<T>(), pred.size()});
}

bool losses(int which, double constant, nb::handle pred, nb::handle target, nb::handle weight, nb::handle loss_out, nb::handle gradient_out) {
    if (which < 0 || which >= static_cast<int>(Loss::count)) throw nb::value_error("there is no such loss");
    Piece p, t, w, loss, gradient;
    if (!p.open(pred, false) || (p.type() != 'd' && p.type() != 'f')) return false;
    if (!t.open(target, false) || !t.like(p)) return false;
    if (!weight.is_none() && (!w.open(weight, false) || !w.like(p))) return false;
    if (!loss_out.is_none() && (!loss.open(loss_out, true) || !loss.like(p))) return false;
    if (!gradient_out.is_none() && (!gradient.open(gradient_out, true) || !gradient.like(p))) return false;
    (p.type() == 'd' ? fill<double> : fill<float>)(static_cast<Loss>(which), constant, p, t, w, loss, gradient);
    return true;
}

}  // namespace

void bind_losses(nb::module_& m) {
    m.def("losses", &losses, "which"_a, "constant"_a, "pred"_a, "target"_a, "weight"_a.none(), "loss_out"_a.none(), "gradient_out"_a.none(),
          "Write losses and derivatives of rows; False, and nothing written, where the arrays are not of one shape, type and piece.");
}

}  // namespace squarely
