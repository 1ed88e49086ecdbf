// What Python sees of the sums.
#include <nanobind/nanobind.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <optional>

#include "bind_input.hpp"
#include "bind_parts.hpp"
#include "bind_released.hpp"
#include "isotonic.hpp"
#include "quantiles.hpp"
#include "sample.hpp"
#include "term_feeder.hpp"

namespace nb = nanobind;
using namespace nb::literals;
using namespace squarely;

namespace {

size_t columns_of(const PairSums& state) { return state.kept.plan ? state.kept.plan->columns.size() : 0; }

int64_t update(PairSums& state, nb::handle y, nb::handle p, nb::handle w, unsigned threads, nb::tuple more) {
    Input input(y, p, w, more, columns_of(state));
    if (input.rows.count < kWorthReleasing) {
        int64_t bad = input.bad_weight();
        if (bad < 0) accumulate(state, input.rows, 1);
        return bad;
    }
    PairSums part(state.kept.plan);  // other threads may read or write `state` while this one does not hold the GIL
    int64_t bad;
    {
        Released release;
        bad = input.bad_weight();
        if (bad < 0) accumulate(part, input.rows, threads);
    }
    if (bad < 0) state.merge(part);
    return bad;
}

// The state of a few rows of NumPy's own arrays that the core reads as they are; None where Python has to judge them, or there are many.
nb::object of_plain(std::shared_ptr<Plan> plan, nb::handle y, nb::handle p, nb::handle w) {
    static const PyObject* const array = nb::object(nb::module_::import_("numpy").attr("ndarray")).release().ptr();
    static PyObject* const dimensions = PyUnicode_InternFromString("ndim");
    auto is_column = [](nb::handle each) { return each.type().ptr() == array && PyLong_AsLong(nb::steal(PyObject_GetAttr(each.ptr(), dimensions)).ptr()) == 1; };
    if (!is_column(y) || !is_column(p) || !(w.is_none() || is_column(w))) return nb::none();
    std::optional<Input> input;
    try {
        input.emplace(y, p, w);
    } catch (const std::exception&) {  // other lengths, or numbers that are not the core's
        return nb::none();
    }
    if (input->rows.count >= kWorthReleasing || input->bad_weight() >= 0) return nb::none();
    nb::object state = nb::inst_alloc(nb::type<PairSums>());
    accumulate(*new (nb::inst_ptr<PairSums>(state)) PairSums(std::move(plan)), input->rows, 1);
    nb::inst_mark_ready(state);
    return state;
}

nb::object integer_from(const ExactSum& sum, int exponent) {  // sum / 2^exponent, which must be an integer
    const Limbs& limbs = sum.limbs();
    if (limbs.empty()) return nb::steal(PyLong_FromLong(0));
    int distance = 64 * sum.base() - exponent;  // >= -63 after trim(), since the lowest set bit is at or above `exponent`
    int whole = distance >= 0 ? distance / 64 : -1, shift = distance - 64 * whole;
    size_t zeros = whole > 0 ? static_cast<size_t>(whole) : 0, count = zeros;
    uint64_t few[32], *words = few;
    std::vector<uint64_t> many;
    if (zeros + limbs.size() + 1 > 32) many.resize(zeros + limbs.size() + 1), words = many.data();
    std::fill_n(words, zeros, 0);
    uint64_t carry = 0;
    for (size_t i = 0; i < limbs.size(); i++) {
        uint64_t word = shift ? (limbs[i] << shift) | carry : limbs[i];
        carry = shift ? limbs[i] >> (64 - shift) : 0;
        if (whole >= 0 || i > 0) words[count++] = word;
    }
    uint64_t fill = sum.is_negative() ? ~uint64_t{0} : 0;
    words[count++] = shift ? carry | (fill << shift) : fill;
    const unsigned char* bytes = reinterpret_cast<const unsigned char*>(words);
#if PY_VERSION_HEX >= 0x030D0000
    return nb::steal(PyLong_FromNativeBytes(bytes, 8 * count, Py_ASNATIVEBYTES_LITTLE_ENDIAN));
#else
    return nb::steal(_PyLong_FromByteArray(bytes, 8 * count, 1, 1));
#endif
}

int lowest_bit(const ExactSum& sum) { return 64 * sum.base() + __builtin_ctzll(sum.limbs().front()); }

// (whole, rows, a, b, w, y, p, max, abs, yy, yp, pp), whole where there are rows and none was refused: weight in units of 2^b, linear sums of 2^(a+b), quadratic sums of 2^(2a+b).
nb::tuple integers(PairSums& state) {
    bool any = false;
    int a = 0, b = 0;
    for (ExactSum& sum : state.sums) sum.trim();
    if (!state.sums[kW].limbs().empty()) b = std::min(0, lowest_bit(state.sums[kW]));
    auto lower = [&](int bit, int degree) {
        int unit = degree == 1 ? bit - b : (bit - b) >> 1;
        a = any ? std::min(a, unit) : unit;
        any = true;
    };
    for (int term = kY; term < kTerms; term++)
        if (!state.sums[term].limbs().empty()) lower(lowest_bit(state.sums[term]), term < kYY ? 1 : 2);
    auto unit = [&](int term) { return term == kW ? b : term < kYY ? a + b : 2 * a + b; };
    auto of = [&](int term) { return integer_from(state.sums[term], unit(term)); };
    bool whole = state.rows > 0 && state.refused == std::array<int64_t, kRefused>{};
    return nb::make_tuple(whole, state.rows, a, b, of(kW), of(kY), of(kP), of(kMax), of(kAbs), of(kYY), of(kYP), of(kPP));
}

nb::object extremes(const PairSums& state) {
    const Extremes& x = state.extremes;
    return state.extremes_known ? nb::object(nb::make_tuple(x.error, x.y_min, x.y_max, x.p_min, x.p_max)) : nb::none();
}

// A plan from (recipe, constants, places of columns) per term.
using TermTuple = std::tuple<uint16_t, std::vector<double>, std::vector<uint8_t>>;
std::shared_ptr<Plan> make_plan(std::vector<std::string> columns, const std::vector<TermTuple>& terms, bool histogram, bool pairs, bool target) {
    auto plan = std::make_shared<Plan>();
    if (columns.size() > kMostColumns || terms.size() > kMostTerms) throw nb::value_error("too many columns or terms");
    for (const auto& [recipe, constants, places] : terms) plan->terms.push_back(checked_term(recipe, constants, places, columns.size()));
    plan->columns = std::move(columns), plan->histogram = histogram, plan->pairs = pairs, plan->target = target;
    return plan;
}
nb::object plan_of(const PairSums& state) {
    if (!state.kept.plan) return nb::none();
    const Plan& plan = *state.kept.plan;
    std::vector<TermTuple> terms;
    for (const TermPlan& term : plan.terms) terms.emplace_back(static_cast<uint16_t>(term.recipe), term.constants, term.columns);
    return nb::make_tuple(plan.columns, terms, plan.histogram);
}
nb::tuple term_of(const PairSums& state, size_t i) {  // ((integer, exponent), rows without a term by what stood in the way)
    TermSum term = state.kept.terms.at(i);
    term.sum.trim();
    int exponent = term.sum.is_zero() ? 0 : lowest_bit(term.sum);
    return nb::make_tuple(nb::make_tuple(integer_from(term.sum, exponent), exponent), term.without[kOutside], term.without[kTooLarge], term.without[kTooSmall]);
}
nb::tuple cells_of(const PairSums& state) {  // (exponent of the unit, buckets, weights in units)
    const auto cells = state.kept.histogram.cells();
    int unit = 0;
    for (const auto& [bucket, total] : cells) unit = std::min(unit, lowest_bit(total));
    nb::list buckets, weights;
    for (const auto& [bucket, total] : cells) buckets.append(bucket), weights.append(integer_from(total, unit));
    return nb::make_tuple(unit, buckets, weights);
}

// Writes the term of each row; NaN where there is none.
void pointwise(uint16_t recipe, nb::handle y, nb::handle p, const std::vector<double>& constants, nb::tuple more, nb::handle out) {
    std::vector<uint8_t> places(nb::len(more));
    for (size_t i = 0; i < places.size(); i++) places[i] = static_cast<uint8_t>(i);
    const TermPlan term = checked_term(recipe, constants, places, places.size());
    Input input(y, p, nb::none(), more, places.size());
    View result(out, true);
    double* to = result.as<double>(Kind::f64, input.rows.count);
    Released release;
    write_terms(term, input.rows, to);
}

nb::bytes to_bytes(const std::string& text) { return nb::bytes(text.data(), text.size()); }
}  // namespace

NB_MODULE(_core, m) {
    m.doc() = "Exact sums over pairs: the compiled core of squarely.";
    nb::class_<Plan>(m, "Plan").def(nb::new_(&make_plan), "columns"_a, "terms"_a, "histogram"_a, "pairs"_a = true, "target"_a = false);
    nb::class_<PairSums>(m, "PairSums")
        .def("__init__", [](PairSums* s, std::shared_ptr<Plan> plan) { new (s) PairSums(std::move(plan)); }, "plan"_a.none() = nb::none())
        .def("update", &update, "y_true"_a, "y_pred"_a, "weight"_a.none(), "threads"_a, "more"_a = nb::make_tuple(),
             "Add rows; returns the row of the first impossible weight (then nothing was added), or -1.")
        .def("add_refused", [](PairSums& s, int which, int64_t count) { s.refused.at(static_cast<size_t>(which)) += count; }, "which"_a, "count"_a)
        .def("merge", &PairSums::merge, "other"_a)
        .def("remove", &PairSums::remove, "other"_a)
        .def("predict", &PairSums::predict, "value"_a)
        .def("copy", [](const PairSums& s) { return PairSums(s); })
        .def("integers", &integers)
        .def("plan", &plan_of)
        .def("term", &term_of, "index"_a)
        .def("cells", &cells_of)
        .def("extremes", &extremes)
        .def("refused", [](const PairSums& s) { return refused(s.refused); })
        .def("weight_sum", [](const PairSums& s) { return s.sums[kW].rounded(); })
        .def_ro("rows", &PairSums::rows)
        .def("canonical", [](PairSums& s) { return to_bytes(s.canonical()); })
        .def("body", [](PairSums& s) { return to_bytes(s.canonical(true) + s.annotations()); })
        .def_static("of_plain", &of_plain, "plan"_a.none(), "y_true"_a.none(), "y_pred"_a.none(), "weight"_a.none())
        .def_static("parse", [](nb::bytes data) { return PairSums::parse(data.c_str(), data.size()); }, "data"_a);
    bind_groups(m);
    nb::set_leak_warnings(false);  // an interrupt may end the process while threads hold references
    m.attr("version") = SQUARELY_VERSION;
    bind_losses(m);
    bind_digits(m);
    m.def("first_bad_weight", [](nb::handle weight) { return first_bad_weight(View(weight).column(), View(weight).size()); }, "weight"_a);
    m.def("blocks_above", [](nb::handle y, nb::handle p, nb::handle w, double least) { Input in(y, p, w); Released release; return blocks_above(in.rows, least); }, "y_true"_a, "y_pred"_a, "weight"_a.none(), "least"_a);
    m.def("pointwise", &pointwise, "recipe"_a, "y_true"_a, "y_pred"_a, "constants"_a, "more"_a, "out"_a);
    m.def("quantile", [](nb::handle y, nb::handle p, nb::handle w, uint64_t top, uint64_t bottom, bool of_target, unsigned threads) {
            Input input(y, p, w);
            if (top > bottom || !bottom) throw nb::value_error("a share lies between 0 and 1");
            std::optional<Released> release;
            if (input.rows.count >= kWorthReleasing) release.emplace();
            Quantile found = quantile(input.rows, of_target ? Of::target : Of::error, top, bottom, threads);
            return std::make_tuple(found.lower, found.upper);
        }, "y_true"_a, "y_pred"_a, "weight"_a.none(), "top"_a, "bottom"_a, "of_target"_a = false, "threads"_a = 1, "The exact quantile of |y - p|, or of y: the values on both sides of it.");
    m.def("isotonic", [](nb::handle values, nb::handle weights) { Input in(values, weights, nb::none()); return isotonic(in.rows.y, in.rows.p, in.rows.count); }, "values"_a, "weights"_a, "The first row of each stretch that isotonic regression gives one value.");
    m.def("sampled", [](int64_t start, int64_t stop, unsigned level, uint32_t salt, nb::handle out) {
            if (start < 0 || stop <= start || level > 62) throw nb::value_error("expected rows from 0 on, and a level of at most 62");
            return sampled(start, stop, level, salt, View(out, true).as<int64_t>(Kind::i64, static_cast<size_t>(((stop - 1) >> level) - (start >> level) + 1)));
        }, "start"_a, "stop"_a, "level"_a, "salt"_a, "out"_a, "Writes the rows of a sample, and returns how many.");
    m.def("available", [] {
        std::vector<std::string> names;
        for (const Kernels* kernels : available_kernels()) names.emplace_back(kernels->name);
        return names;
    }, "The instruction sets this processor offers, the best last.");
    m.def("use", [](const std::string& name) {
            std::string before = kernels_in_use().name;
            for (const Kernels* kernels : available_kernels())
                if (name == kernels->name) {
                    use_kernels(*kernels);
                    return before;
                }
            throw nb::value_error("this processor does not offer that instruction set");
        }, "name"_a, "Use one instruction set for all sums; returns the one used before. The sums do not change.");
}
