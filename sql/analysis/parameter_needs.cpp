#include "sql/analysis/parameter_needs.hpp"

#include "sql/analysis/common_type.hpp"
#include "sql/analysis/rejection.hpp"
#include "sql/analysis/type_names.hpp"
#include "sql/types/convert.hpp"
#include "sql/types/number_casts.hpp"

#include <algorithm>
#include <string>

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
    if (tests == null_tests_.end()) {
        return std::nullopt;
    }
    const auto open =
        std::find_if(tests->second.begin(), tests->second.end(), [](const NullTest& test) {
            return test.is_open;
        });
    if (occurrences.declared_oid == 0 && open != tests->second.end()) {
        return postgres_error(
            "42P08", "could not determine data type of " + name_of(number), open->begin
        );
    }
    const bool is_array = plan_->parameters[needs->second.front().index].is_array;
    if (!retype_tests(number, is_array ? "pg_catalog.bytea[]" : "pg_catalog.bytea", tokens)) {
        return refusal_of_column(
            *column,
            name_of(number) + " under this form of cast",
            "write $" + std::to_string(number) + "::type",
            parse::kNowhere
        );
    }
    return std::nullopt;
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

/// The server needs to know of such a value only whether it is NULL.
std::optional<Rejection> ParameterNeeds::hide_tested(
    std::uint32_t number, const Occurrences& occurrences, const parse::Tokens& tokens
) {
    const std::vector<NullTest>& tests = null_tests_[number];
    const Inferred* const known = inferred(number);
    const std::uint32_t inferred_oid = known != nullptr ? known->oid : 0;
    const std::uint32_t oid =
        occurrences.declared_oid != 0 ? occurrences.declared_oid : inferred_oid;
    const auto kind = enums_->kind_of_oid(oid);
    const bool has_one_form = std::all_of(tests.begin(), tests.end(), [&](const NullTest& test) {
        return test.casts.size() == tests.front().casts.size() && test.casts.size() <= 1;
    });
    if (!can_split_ || !kind || !has_one_form) {
        return std::nullopt;  // leaves as it came, and is compared with what is sealed
    }
    ParameterPlan entry;
    entry.number = number;
    entry.is_null_test = true;
    entry.declared_oid = kByteaOid;
    entry.described_oid = oid;
    entry.input_type = {*kind, -1};
    for (const parse::Cast* cast : tests.front().casts) {
        const auto type = type_of(cast->type, *enums_);
        if (!type || !types::is_castable(*kind, type->kind)) {
            return std::nullopt;
        }
        entry.casts.push_back(*type);
    }
    const std::size_t splices = plan_->splices.size();
    if (!retype_tests(number, "pg_catalog.bytea", tokens)) {
        plan_->splices.resize(splices);
        return std::nullopt;
    }
    add_plain(std::move(entry));
    return std::nullopt;
}

}  // namespace pgveil::analysis
