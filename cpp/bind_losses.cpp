// Losses for Python: of arrays that lie in one piece, all of one type and shape, of others it says that they are not for it; or of rows by the
// address of the first, whose caller has looked at types and lengths.
#include "bind_parts.hpp"
#include "bind_released.hpp"

#include <nanobind/stl/pair.h>
#include <nanobind/stl/tuple.h>

#include <optional>

#include "losses.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace squarely {
namespace {

constexpr size_t kWorthReleasing = 20'000;  // rows; below this, giving up the GIL costs more than it gives

using Constants = std::pair<double, double>;
using Address = uintptr_t;
using Stretched = std::tuple<Address, size_t, size_t>;  // numbers, how many there are, and for how many rows in a row each stands
using Lent = std::tuple<size_t, Address, Address>;      // how many threads, and run and which of their team, or 0

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
    bool meets(const Piece& other) const {
        if (!open_ || !other.open_) return false;
        const auto here = reinterpret_cast<Address>(buffer_.buf), there = reinterpret_cast<Address>(other.buffer_.buf);
        return here < there + static_cast<size_t>(other.buffer_.len) && there < here + static_cast<size_t>(buffer_.len);
    }
    size_t size() const { return static_cast<size_t>(buffer_.len / buffer_.itemsize); }
    void* at() const { return open_ ? buffer_.buf : nullptr; }

   private:
    Py_buffer buffer_;
    bool open_ = false;
};

Loss loss_of(int which, bool of_spread) {
    if (which < 0 || which >= static_cast<int>(Loss::count)) throw nb::value_error("there is no such loss");
    const Loss loss = static_cast<Loss>(which);
    if (has_spread(loss) != of_spread) throw nb::value_error("likelihoods, and no other losses, have a spread");
    return loss;
}

template <class Work>
void beside_python(size_t rows, Work work) {
    std::optional<Released> release;
    if (rows >= kWorthReleasing) release.emplace();
    work();
}

bool losses(int which, Constants constants, nb::handle pred, nb::handle target, nb::handle weight, nb::handle loss_out, nb::handle gradient_out,
            nb::handle curvature_out, int kind, size_t threads) {
    if (kind < 0 || kind >= static_cast<int>(Curvature::count)) throw nb::value_error("there is no such curvature");
    Piece p, t, w, loss, gradient, curvature;
    if (!p.open(pred, false) || (p.type() != 'd' && p.type() != 'f')) return false;
    auto take = [&](Piece& piece, nb::handle array, bool writable) { return array.is_none() || (piece.open(array, writable) && piece.like(p)); };
    if (!t.open(target, false) || !t.like(p) || !take(w, weight, false)) return false;
    if (!take(loss, loss_out, true) || !take(gradient, gradient_out, true) || !take(curvature, curvature_out, true)) return false;
    const Piece* const pieces[] = {&loss, &gradient, &curvature, &p, &t, &w};
    for (int out = 0; out < 3; out++)
        for (int other = out + 1; other < 6; other++)
            if (pieces[out]->meets(*pieces[other])) return false;
    const LossRows rows{loss_of(which, false), {constants.first, constants.second}, p.type() == 'd', p.at(), t.at(), nullptr, {w.at(), p.size(), 1}, {},
                        false, 1.0, 1.0, static_cast<Curvature>(kind), loss.at(), gradient.at(), curvature.at(), nullptr, p.size()};
    beside_python(rows.count, [&] { write_losses(rows, threads); });
    return true;
}

double sum_losses(int which, Constants constants, bool is_double, size_t count, Address pred, Address target, Address of_spread, const Stretched& weight,
                  const Stretched& mask, bool omits_nan, double scale, double den, Address gradient, Address gradient_of_spread, bool is_odd, size_t samples,
                  Address totals, const Lent& threads) {
    auto at = [](Address address) { return reinterpret_cast<void*>(address); };
    auto spread = [&](const Stretched& given) {
        const auto [numbers, size, repeat] = given;
        if (!size || !repeat) throw nb::value_error("a weight stands for no row");
        return Spread{at(numbers), size, repeat};
    };
    if (!samples || count % samples || (samples > 1 && !totals)) throw nb::value_error("rows do not divide into so many samples");
    const LossRows rows{loss_of(which, of_spread), {constants.first, constants.second}, is_double, at(pred), at(target), at(of_spread), spread(weight),
                        spread(mask), omits_nan, scale, den, Curvature::exact, nullptr, at(gradient), nullptr, at(gradient_of_spread), count, is_odd};
    const auto [size, run, which_thread] = threads;
    const Team team{reinterpret_cast<decltype(Team::run)>(run), reinterpret_cast<decltype(Team::which)>(which_thread), static_cast<unsigned>(size)};
    double total = 0;
    beside_python(count, [&] { add_losses(rows, samples, {size, team}, samples > 1 ? static_cast<double*>(at(totals)) : &total); });
    return total;
}

}  // namespace

void bind_losses(nb::module_& m) {
    m.def("losses", &losses, "which"_a, "constants"_a, "pred"_a, "target"_a, "weight"_a.none(), "loss_out"_a.none(), "gradient_out"_a.none(),
          "curvature_out"_a.none(), "kind"_a, "threads"_a,
          "Write losses and derivatives of rows; False, and nothing written, where the arrays are not of one shape, type and piece, or share memory.");
    m.def("add_losses", &sum_losses, "which"_a, "constants"_a, "is_double"_a, "count"_a, "pred"_a, "target"_a, "spread"_a,
          "weight"_a, "mask"_a, "omits_nan"_a, "scale"_a, "den"_a, "gradient"_a, "gradient_of_spread"_a, "is_odd"_a, "samples"_a, "totals"_a, "threads"_a,
          "Return the sum of the losses of rows, or write that of each sample; write their gradients.");
}

}  // namespace squarely
