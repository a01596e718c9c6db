#include "sql/analysis/parameter_needs.hpp"

#include "sql/analysis/common_type.hpp"
#include "sql/analysis/rejection.hpp"
#include "sql/analysis/type_names.hpp"
#include "sql/types/convert.hpp"
#include "sql/types/number_casts.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace pgveil::analysis {

namespace {

constexpr std::uint32_t kByteaOid = 17;
constexpr std::uint32_t kParametersMax = 65535;

/// A parameter of type `input` becomes the same value when it is compared as when it is assigned,
/// or one of the two is an error.
bool is_converted_alike(const ParameterPlan& plan, const types::Type& column) {
    const types::Type& input = plan.input_type;
    const bool is_whole = types::is_integer(input.kind) && types::is_integer(column.kind);
    const bool is_same =
        input.kind == column.kind || (is_text(input.kind) && is_text(column.kind)) || is_whole;
    return plan.casts.empty() && plan.use != ParameterUse::kBeside &&
           column == types::comparison_type(column) && !types::is_float(column.kind) && is_same;
}

/// One envelope serves both.
bool is_same_need(const ParameterPlan& one, const ParameterPlan& other) {
    const types::Type& type = one.column->type;
    // A length limit makes assigning and comparing two different conversions.
    const bool is_used_alike =
        one.use == other.use || (is_converted_alike(one, type) && is_converted_alike(other, type));
    return field::shares_context(*one.column, *other.column) && type == other.column->type &&
           one.column->is_bound() == other.column->is_bound() && one.casts == other.casts &&
           one.is_array == other.is_array && one.described_oid == other.described_oid &&
           is_used_alike;
}

bool keeps_every_value(types::Kind from, types::Kind to) {
    if (types::is_array(from) != types::is_array(to)) {
        return false;
    }
    const types::Kind one = types::element_of(from);
    const types::Kind other = types::element_of(to);
    return one == other || (is_text(one) && is_text(other)) ||
           (types::is_integer(one) && other == types::Kind::kInt8);
}

/// A cast behind another works on the type of that.
template <class Predicate>
bool all_casts(types::Kind from, const std::vector<types::Type>& casts, Predicate allows) {
    return std::all_of(casts.begin(), casts.end(), [&](const types::Type& to) {
        return allows(std::exchange(from, to.kind), to.kind);
    });
}

bool keep_every_value(types::Kind from, const std::vector<types::Type>& casts) {
    // A scale or precision may be too small.
    const bool are_whole = std::all_of(casts.begin(), casts.end(), [](const types::Type& type) {
        return type.typmod == -1 || is_text(types::element_of(type.kind));
    });
    return are_whole && all_casts(from, casts, keeps_every_value);
}

bool are_castable(types::Kind from, const std::vector<types::Type>& casts) {
    return all_casts(from, casts, types::is_castable);
}

std::string name_of(std::uint32_t number) {
    return "parameter $" + std::to_string(number);
}

}  // namespace

const ParameterNeeds::Inferred* ParameterNeeds::inferred(std::uint32_t number) const {
    const auto found = inferred_.find(number);
    return found == inferred_.end() ? nullptr : &found->second;
}

void ParameterNeeds::infer(std::uint32_t number, std::uint32_t oid, std::size_t list) {
    inferred_.try_emplace(number, Inferred{oid, list});
}

void ParameterNeeds::add_plain(ParameterPlan parameter) {
    const auto known = std::find_if(
        plan_->parameters.begin(),
        plan_->parameters.end(),
        [&](const ParameterPlan& entry) { return entry.number == parameter.number; }
    );
    if (known == plan_->parameters.end()) {
        plan_->parameters.push_back(std::move(parameter));
    }
}

bool ParameterNeeds::has_room() const {
    return can_split_ && plan_->parameter_count + plan_->split_parameters < kParametersMax;
}

/// The token `$1` becomes `$<number>`.
void ParameterNeeds::rename(
    std::uint32_t begin, const parse::Tokens& tokens, std::uint32_t number
) {
    const auto token = tokens.at(begin);
    if (token) {
        plan_->splices.push_back(Splice{
            begin, tokens[*token].end, FixedText{"$" + std::to_string(number)}});
    }
}

bool ParameterNeeds::add(ParameterPlan need, const parse::Tokens& tokens, std::uint32_t begin) {
    const std::uint32_t number = need.number;
    std::vector<Need>& known = needs_[number];
    for (Need& earlier : known) {
        const ParameterPlan& entry = plan_->parameters[earlier.index];
        if (is_same_need(entry, need)) {
            if (entry.source != 0) {
                rename(begin, tokens, entry.number);
            }
            earlier.begins.push_back(begin);
            latest_[number] = earlier.index;
            return true;
        }
    }
    if (!known.empty()) {
        if (!has_room()) {
            return false;
        }
        need.source = number;
        need.number = next_number();
        rename(begin, tokens, need.number);
    }
    known.push_back({plan_->parameters.size(), {begin}});
    latest_[number] = plan_->parameters.size();
    plan_->parameters.push_back(std::move(need));
    return true;
}

ParameterPlan* ParameterNeeds::latest(std::uint32_t number) {
    const auto found = latest_.find(number);
    return found == latest_.end() ? nullptr : &plan_->parameters[found->second];
}

void ParameterNeeds::add_null_test(
    std::uint32_t number, std::uint32_t begin, std::vector<const parse::Cast*> casts
) {
    const bool is_open = inferred(number) == nullptr && casts.empty();
    const auto type = casts.empty() ? std::nullopt : type_of(casts.front()->type, *enums_);
    const auto element =
        casts.empty() ? std::nullopt : element_type_of(casts.front()->type, *enums_);
    if (type) {
        infer(number, types::oid_of(type->kind), 0);
    } else if (element) {
        infer(number, types::array_oid_of(element->kind), 0);
    } else if (!casts.empty()) {
        infer(number, kForeignOid, 0);
    }
    null_tests_[number].push_back({begin, is_open, std::move(casts)});
}

std::optional<Rejection> ParameterNeeds::settle(
    std::uint32_t number,
    const Occurrences& occurrences,
    bool may_repeat,
    const parse::Tokens& tokens
) {
    const auto needs = needs_.find(number);
    const auto tests = null_tests_.find(number);
    std::size_t covered = tests == null_tests_.end() ? 0 : tests->second.size();
    if (needs == needs_.end()) {
        return covered != 0 && covered == occurrences.all ? hide_tested(number, occurrences, tokens)
                                                          : std::nullopt;
    }
    for (const Need& need : needs->second) {
        covered += need.begins.size();
    }
    const ColumnPtr column = plan_->parameters[needs->second.front().index].column;
    if (covered < occurrences.all) {
        return may_repeat && can_split_ ? part_from_plain(number, occurrences, tokens)
                                        : refusal_of_column(
                                              *column,
                                              name_of(number) + " in an unprotected place, too",
                                              std::string(kRepeatedHint),
                                              parse::kNowhere
                                          );
    }
    return tests == null_tests_.end() ? std::nullopt
                                      : settle_tested(number, occurrences, tests->second, tokens);
}

/// All other uses of the parameter are of one column.
std::optional<Rejection> ParameterNeeds::settle_tested(
    std::uint32_t number,
    const Occurrences& occurrences,
    const std::vector<NullTest>& tests,
    const parse::Tokens& tokens
) {
    const auto open =
        std::find_if(tests.begin(), tests.end(), [](const NullTest& test) { return test.is_open; });
    if (occurrences.declared_oid == 0 && open != tests.end()) {
        leave_undeclared(number);
        return std::nullopt;
    }
    const ParameterPlan& need = plan_->parameters[needs_.at(number).front().index];
    if (!never_fail(tests, type_of_value(number, occurrences)) ||
        !retype_tests(number, need.is_array ? "pg_catalog.bytea[]" : "pg_catalog.bytea", tokens)) {
        return refusal_of_column(
            *need.column,
            name_of(number) + " under this form of cast",
            "write $" + std::to_string(number) + "::type",
            parse::kNowhere
        );
    }
    return std::nullopt;
}

/// The server finds that the test knew no type (42P08), behind any other mistake that it finds.
void ParameterNeeds::leave_undeclared(std::uint32_t number) {
    for (const Need& need : needs_.at(number)) {
        ParameterPlan& entry = plan_->parameters[need.index];
        if (entry.number == number) {
            entry.declared_oid = 0;
        }
    }
}

/// The casts of a value that leaves as bytea.
bool ParameterNeeds::retype_tests(
    std::uint32_t number, std::string_view type, const parse::Tokens& tokens
) {
    for (const NullTest& test : null_tests_[number]) {
        for (const parse::Cast* cast : test.casts) {
            const auto end = parse::type_name_end(tokens, cast->type.begin);
            if (!end || cast->position == parse::kNowhere) {
                return false;
            }
            plan_->splices.push_back(Splice{cast->type.begin, *end, FixedText{std::string(type)}});
        }
    }
    return true;
}

/// The client's number keeps the plain value; all needs leave under numbers of their own.
std::optional<Rejection> ParameterNeeds::part_from_plain(
    std::uint32_t number, const Occurrences& occurrences, const parse::Tokens& tokens
) {
    Need& first = needs_[number].front();
    ParameterPlan& entry = plan_->parameters[first.index];
    if (occurrences.declared_oid == 0 || !entry.row.empty() || !has_room()) {
        return refusal_of_column(
            *entry.column,
            name_of(number) + " in an unprotected place, too",
            "declare the parameter's type, or send the value as two parameters",
            parse::kNowhere
        );
    }
    entry.source = number;
    entry.number = next_number();
    for (const std::uint32_t begin : first.begins) {
        rename(begin, tokens, entry.number);
    }
    return std::nullopt;
}

/// The type that the client sends; 0: nothing says it.
std::uint32_t ParameterNeeds::type_of_value(std::uint32_t number, const Occurrences& occurrences)
    const {
    const Inferred* const known = inferred(number);
    const std::uint32_t inferred_oid = known != nullptr ? known->oid : 0;
    return occurrences.declared_oid != 0 ? occurrences.declared_oid : inferred_oid;
}

/// The types that a tested value is cast to; nullopt: one is none of ours.
std::optional<std::vector<types::Type>> ParameterNeeds::casts_of(const NullTest& test) const {
    std::vector<types::Type> casts;
    for (const parse::Cast* cast : test.casts) {
        const auto type = type_of(cast->type, *enums_);
        if (!type) {
            return std::nullopt;
        }
        casts.push_back(*type);
    }
    return casts;
}

/// No value of the type `oid` ends in an error under the casts, which the server does not see.
bool ParameterNeeds::never_fail(const std::vector<NullTest>& tests, std::uint32_t oid) const {
    const auto kind = enums_->kind_of_oid(oid);
    return std::all_of(tests.begin(), tests.end(), [&](const NullTest& test) {
        const auto casts = casts_of(test);
        return casts && (casts->empty() || (kind && keep_every_value(*kind, *casts)));
    });
}

/// What the tests make of a value of this type, but for casts that take every value; nullopt: they
/// do not all do the same.
std::optional<std::vector<types::Type>> ParameterNeeds::common_casts(
    const std::vector<NullTest>& tests, types::Kind from
) const {
    std::vector<types::Type> common;
    for (const NullTest& test : tests) {
        const auto casts = casts_of(test);
        if (!casts || !are_castable(from, *casts)) {
            return std::nullopt;
        }
        if (keep_every_value(from, *casts) || common == *casts) {
            continue;
        }
        if (!common.empty()) {
            return std::nullopt;
        }
        common = *casts;
    }
    return common;
}

/// A value leaves sealed, and this one may be the same.
bool ParameterNeeds::seals_anything() const {
    return !needs_.empty() ||
           std::any_of(plan_->splices.begin(), plan_->splices.end(), [](const Splice& splice) {
               return std::holds_alternative<SealedLiteral>(splice.replacement);
           });
}

/// The server needs to know of such a value only whether it is NULL.
std::optional<Rejection> ParameterNeeds::hide_tested(
    std::uint32_t number, const Occurrences& occurrences, const parse::Tokens& tokens
) {
    const std::vector<NullTest>& tests = null_tests_[number];
    const std::uint32_t oid = type_of_value(number, occurrences);
    const bool is_open =
        occurrences.declared_oid == 0 &&
        std::any_of(tests.begin(), tests.end(), [](const auto& test) { return test.is_open; });
    ParameterPlan entry;
    entry.number = number;
    entry.is_null_test = true;
    if (is_open && can_split_) {
        add_plain(std::move(entry));  // the server does not take it without a type
        return std::nullopt;
    }
    const auto kind = enums_->kind_of_oid(oid);
    const auto casts = kind ? common_casts(tests, *kind) : std::nullopt;
    const std::size_t splices = plan_->splices.size();
    if (!can_split_ || !casts || !retype_tests(number, "pg_catalog.bytea", tokens)) {
        plan_->splices.resize(splices);
        return refuse_tested(number);
    }
    entry.declared_oid = kByteaOid;
    entry.described_oid = oid;
    entry.input_type = {*kind, -1};
    entry.casts = *casts;
    add_plain(std::move(entry));
    return std::nullopt;
}

/// The value would leave as it came.
std::optional<Rejection> ParameterNeeds::refuse_tested(std::uint32_t number) const {
    if (!seals_anything()) {
        return std::nullopt;
    }
    return refusal_of(
        name_of(number),
        can_split_ ? "IS NULL of a parameter of this type beside encrypted values"
                   : "IS NULL in PREPARE of a parameter that stands nowhere else",
        can_split_ ? "declare it as text, or write $" + std::to_string(number) + "::text IS NULL"
                   : "test the parameter that is compared, or prepare it through the protocol",
        null_tests_.at(number).front().begin
    );
}

}  // namespace pgveil::analysis
