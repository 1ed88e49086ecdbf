// Kept: what the plan of a state asks it to keep, with the laws of a group and canonical bytes.
#pragma once
#include <memory>

#include "histogram.hpp"
#include "plan.hpp"

namespace squarely {

// Rows that have no finite term: outside the domain of the formula, or beyond the largest double on either side.
enum NoTerm { kOutside, kTooLarge, kTooSmall, kNoTerms };

struct TermSum {
    ExactSum sum;
    int64_t without[kNoTerms] = {};
    void add(double term, const double* weight) {
        if (std::isfinite(term)) {
            weight ? sum.add_product(number_of(*weight), number_of(term)) : sum.add(number_of(term));
        } else {
            without[std::isnan(term) ? kOutside : term > 0 ? kTooLarge : kTooSmall]++;
        }
    }
};

struct Kept {
    std::shared_ptr<const Plan> plan;
    std::vector<TermSum> terms;
    Histogram histogram;

    Kept() = default;
    explicit Kept(std::shared_ptr<const Plan> what) : plan(std::move(what)), terms(plan ? plan->terms.size() : 0) {}

    bool same_plan(const Kept& o) const { return plan == o.plan || (plan && o.plan && *plan == *o.plan); }
    void merge(const Kept& o) { combine(o, false); }
    void remove(const Kept& o) { combine(o, true); }
    bool is_zero() const {
        for (const TermSum& term : terms)
            if (!term.sum.is_zero() || term.without[0] || term.without[1] || term.without[2]) return false;
        return histogram.is_zero();
    }

    // u16 columns, u16 terms, u8 histogram; names as u16 length and bytes; per term u16 recipe, u8 constants, u8 columns, constants,
    // places of columns, three counters, the sum; then u32 cells, each u32 bucket and the sum of its weights.
    template <class Put>
    void write(Put put) {
        auto put_sum = [&](ExactSum& sum) {
            sum.trim();
            put(static_cast<int16_t>(sum.base())), put(static_cast<uint16_t>(sum.limbs().size()));
            for (uint64_t limb : sum.limbs()) put(limb);
        };
        put(static_cast<uint16_t>(plan->columns.size())), put(static_cast<uint16_t>(terms.size())), put(static_cast<uint8_t>(plan->histogram));
        for (const std::string& name : plan->columns) {
            put(static_cast<uint16_t>(name.size()));
            for (char c : name) put(c);
        }
        for (size_t i = 0; i < terms.size(); i++) {
            const TermPlan& what = plan->terms[i];
            put(static_cast<uint16_t>(what.recipe)), put(static_cast<uint8_t>(what.constants.size())), put(static_cast<uint8_t>(what.columns.size()));
            for (double constant : what.constants) put(constant);
            for (uint8_t column : what.columns) put(column);
            for (int64_t count : terms[i].without) put(count);
            put_sum(terms[i].sum);
        }
        if (!plan->histogram) return;
        auto cells = histogram.cells();
        put(static_cast<uint32_t>(cells.size()));
        for (auto& [bucket, total] : cells) put(bucket), put_sum(total);
    }
    template <class Get, class GetSum>
    static Kept parse(Get get, GetSum get_sum) {
        Plan plan;
        uint16_t columns, terms;
        uint8_t histogram;
        get(columns), get(terms), get(histogram);
        if (columns > kMostColumns || terms > kMostTerms || histogram > 1) throw std::invalid_argument("its plan is out of range");
        plan.histogram = histogram;
        for (uint16_t length; columns--;) {
            get(length);
            std::string name(length, 0);
            for (char& c : name) get(c);
            plan.columns.push_back(name);
        }
        std::vector<TermSum> sums(terms);
        for (TermSum& sum : sums) {
            plan.terms.push_back(parse_term(get, plan.columns.size()));
            for (int64_t& count : sum.without) get(count);
            sum.sum = get_sum();
        }
        Kept kept(std::make_shared<const Plan>(std::move(plan)));
        kept.terms = std::move(sums);
        if (!histogram) return kept;
        uint32_t cells, bucket, before = 0;
        get(cells);
        for (uint32_t i = 0; i < cells; i++) {
            get(bucket);
            if (bucket >> kBucketBits || (i && bucket <= before)) throw std::invalid_argument("its histogram is out of order");
            kept.histogram.put(before = bucket, get_sum());
        }
        return kept;
    }

   private:
    template <class Get>
    static TermPlan parse_term(Get get, size_t known_columns) {
        uint16_t recipe;
        uint8_t constants, columns;
        get(recipe), get(constants), get(columns);
        std::vector<double> values(constants);
        std::vector<uint8_t> places(columns);
        for (double& value : values) get(value);
        for (uint8_t& place : places) get(place);
        return checked_term(recipe, std::move(values), std::move(places), known_columns);
    }
    void combine(const Kept& o, bool minus) {
        if (!same_plan(o) || !plan) return;  // the other is of nothing
        for (size_t i = 0; i < terms.size(); i++) {
            minus ? terms[i].sum.subtract(o.terms[i].sum) : terms[i].sum.add(o.terms[i].sum);
            for (int k = 0; k < kNoTerms; k++) terms[i].without[k] += minus ? -o.terms[i].without[k] : o.terms[i].without[k];
        }
        minus ? histogram.remove(o.histogram) : histogram.merge(o.histogram);
    }
};

}  // namespace squarely
