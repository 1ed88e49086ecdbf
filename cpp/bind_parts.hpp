#pragma once
#include <nanobind/nanobind.h>

namespace squarely {

void bind_groups(nanobind::module_& m);
void bind_losses(nanobind::module_& m);
void bind_digits(nanobind::module_& m);

}  // namespace squarely
