// What a state keeps beside its eight sums: sums of terms that are rounded once, and counts of the sizes of errors.
#pragma once
#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "recipes.hpp"

namespace squarely {

constexpr size_t kMostConstants = 2, kMostTermColumns = 2, kMostColumns = 250, kMostTerms = 1024;

struct TermPlan {
    Recipe recipe;
    std::vector<double> constants;
    std::vector<uint8_t> columns;  // places in Plan::columns
    std::array<double, kMostConstants> padded() const {
        std::array<double, kMostConstants> all{};
        std::copy(constants.begin(), constants.end(), all.begin());
        return all;
    }
    bool operator==(const TermPlan& o) const {
        return recipe == o.recipe && columns == o.columns && constants.size() == o.constants.size() &&
               std::memcmp(constants.data(), o.constants.data(), 8 * constants.size()) == 0;
    }
};

// A term as asked for by others, who may be mistaken.
inline TermPlan checked_term(uint16_t recipe, std::vector<double> constants, std::vector<uint8_t> columns, size_t known_columns) {
    if (recipe < 1 || recipe > kLastRecipe) throw std::invalid_argument("it holds a term that this version does not know");
    TermPlan term{static_cast<Recipe>(recipe), std::move(constants), std::move(columns)};
    const Shape shape = shape_of(term.recipe);
    if (term.constants.size() != shape.constants || term.columns.size() != shape.columns)
        throw std::invalid_argument("a term has too few or too many constants or columns");
    for (uint8_t column : term.columns)
        if (column >= known_columns) throw std::invalid_argument("a term reads a column that is not there");
    return term;
}

// The terms are in the order that whoever makes the plan gives them; equal plans have equal orders.
struct Plan {
    std::vector<std::string> columns;  // that terms read beside y and p
    std::vector<TermPlan> terms;
    bool histogram = false;
    bool pairs = true;  // whether the eight sums are wanted too; without them a state knows its rows and terms, and answers one question
    bool target = false;  // whether, without the eight, Sum w y is wanted
    bool operator==(const Plan&) const = default;
};

}  // namespace squarely
