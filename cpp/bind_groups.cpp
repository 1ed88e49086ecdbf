// Groups for Python.
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/vector.h>

#include <optional>

#include "bind_input.hpp"
#include "bind_parts.hpp"
#include "bind_released.hpp"
#include "groups.hpp"
#include "moments.hpp"

using namespace nanobind::literals;

namespace squarely {
namespace {

// Labels of rows as int32 and the group of each label (-1: not known yet), and the bucket of each row as uint16, which counts from the
// group. None: every row belongs to group 0, or to bucket 0.
int64_t update_groups(Groups& groups, nb::handle y, nb::handle p, nb::handle w, nb::handle codes, nb::handle places, nb::handle buckets, nb::tuple more) {
    Input input(y, p, w, more, groups.columns());
    if (!groups.size()) throw nb::value_error("there is no group");
    std::optional<View> of_codes, of_places, of_buckets;
    Labels labels;
    if (!codes.is_none()) labels.codes = of_codes.emplace(codes).as<int32_t>(Kind::i32, input.rows.count);
    if (!codes.is_none()) labels.places = of_places.emplace(places).as<int32_t>(Kind::i32, labels.count = of_places->size());
    if (!buckets.is_none()) labels.buckets = of_buckets.emplace(buckets).as<uint16_t>(Kind::u16, input.rows.count);
    Released release;
    if (int64_t bad = input.bad_weight(); bad >= 0) return bad;
    if (labels.codes || labels.buckets) return groups.update(input.rows, labels) ? -1 : -2;
    return accumulate(groups.states()[0], input.rows, 1), -1;
}

void moments(Groups& groups, nb::handle center, nb::handle unit, nb::handle out) {
    View of_center(center), of_unit(unit), to(out, true);
    const size_t count = groups.size(), width = count ? moments_of(groups.states()[0]) : 0;
    groups.moments(of_center.as<double>(Kind::f64, count), of_unit.as<int32_t>(Kind::i32, count), to.as<double>(Kind::f64, width * count));
}

}  // namespace

void bind_groups(nb::module_& m) {
    nb::class_<Groups>(m, "Groups")
        .def("__init__", [](Groups* g, std::shared_ptr<Plan> plan, size_t together) { new (g) Groups(std::move(plan), together); }, "plan"_a.none() = nb::none(), "together"_a = 1)
        .def("grow", &Groups::grow, "count"_a)
        .def("forget_sizes", &Groups::forget_sizes)
        .def("predict", &Groups::predict, "value"_a)
        .def("update", &update_groups, "y_true"_a, "y_pred"_a, "weight"_a.none(), "codes"_a.none(), "places"_a.none(), "buckets"_a.none() = nb::none(), "more"_a = nb::make_tuple())
        .def("state", [](Groups& g, size_t i) { return PairSums(g.states().at(i)); }, "index"_a)
        .def("add_refused", &Groups::add_refused, "index"_a, "which"_a, "count"_a)
        .def("refused", [](const Groups& g) { return refused(g.refused()); })
        .def("absorb", [](Groups& g, Groups& o, nb::handle places, bool take) { g.absorb(o, View(places).as<int32_t>(Kind::i32, o.size()), take); }, "others"_a, "places"_a, "take"_a)
        .def("merge", [](Groups& g, size_t i, const PairSums& state) { g.states().at(i).merge(state); }, "index"_a, "state"_a)
        .def("reached", [](Groups& g, nb::handle size, nb::handle out) {
                g.reached(View(size).as<int32_t>(Kind::i32, g.size()), View(out, true).as<double>(Kind::f64, 2 * g.size()));
            }, "size"_a, "out"_a)
        .def("moments", &moments, "center"_a, "unit"_a, "out"_a)
        .def("__len__", &Groups::size);
}

}  // namespace squarely
