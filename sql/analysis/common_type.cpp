#include "sql/analysis/common_type.hpp"

#include "sql/analysis/constant_value.hpp"
#include "sql/analysis/draft.hpp"
#include "sql/analysis/type_names.hpp"
#include "sql/types/convert.hpp"
#include "sql/types/number_casts.hpp"

#include <algorithm>
#include <array>

namespace pgveil::analysis {

namespace {

using types::Kind;

/// In each line a value has an implicit cast to every type to its right, and none to the left.
constexpr std::array kNumbers = {
    Kind::kInt2, Kind::kInt4, Kind::kInt8, Kind::kNumeric, Kind::kFloat4, Kind::kFloat8};
constexpr std::array kTimes = {Kind::kDate, Kind::kTimestamp, Kind::kTimestamptz};

template <std::size_t Size>
std::optional<std::size_t> place_in(const std::array<Kind, Size>& line, Kind kind) {
    const auto found = std::find(line.begin(), line.end(), kind);
    return found == line.end() ? std::nullopt
                               : std::optional(static_cast<std::size_t>(found - line.begin()));
}

template <std::size_t Size>
std::optional<Kind> later_of(const std::array<Kind, Size>& line, Kind one, Kind other) {
    const auto first = place_in(line, one);
    const auto second = place_in(line, other);
    return first && second ? std::optional(std::max(*first, *second) == *first ? one : other)
                           : std::nullopt;
}

/// Strings have implicit casts to each other, so that the first one wins.
std::optional<Kind> common_kind(Kind one, Kind other) {
    if (one == other || (types::is_characters(one) && types::is_characters(other))) {
        return one;
    }
    const auto number = later_of(kNumbers, one, other);
    return number ? number : later_of(kTimes, one, other);
}

}  // namespace

bool is_text(Kind kind) {
    return kind == Kind::kText || kind == Kind::kVarchar;
}

bool same_bytes(Kind one, Kind other) {
    return one == other || (is_text(one) && is_text(other));
}

ArmType arm_type_of(const BareConstant& bare, const Draft& draft) {
    if (!bare.conversions.empty()) {
        return {true, bare.conversions.back().type};
    }
    if (!bare.casts.empty()) {
        return {true, type_of(bare.casts.back()->type, draft.enums())};
    }
    if (bare.parameter != nullptr) {
        const std::uint32_t oid = draft.known_oid(bare.parameter->number);
        const auto kind = draft.enums().kind_of_oid(oid);
        return {oid != 0, kind ? std::optional(types::Type{*kind, -1}) : std::nullopt};
    }
    const auto kind = kind_of_constant(*bare.constant);
    const bool is_untyped = bare.constant->kind == parse::Constant::Kind::kString ||
                            bare.constant->kind == parse::Constant::Kind::kNull;
    return {!is_untyped, kind ? std::optional(types::Type{*kind, -1}) : std::nullopt};
}

ArmType arm_type_of(const Value& value, const Draft& draft) {
    if (value.column != nullptr) {
        return {true, value.type()};
    }
    const auto bare =
        value.adaptables.empty() ? std::nullopt : bare_constant(value.adaptables.front());
    return bare ? arm_type_of(*bare, draft) : ArmType{true, std::nullopt};
}

std::optional<types::Type> common_type(const std::vector<ArmType>& arms) {
    std::optional<Kind> kind;
    for (const ArmType& arm : arms) {
        if (arm.is_declared && !arm.type) {
            return std::nullopt;
        }
        if (arm.is_declared) {
            const auto common = kind ? common_kind(*kind, arm.type->kind) : arm.type->kind;
            if (!common) {
                return std::nullopt;
            }
            kind = common;
        }
    }
    const types::Type whole{kind.value_or(Kind::kText), -1};
    const bool is_same =
        !arms.empty() && std::all_of(arms.begin(), arms.end(), [&](const auto& each) {
            return each.type && each.type->kind == whole.kind &&
                   each.type->typmod == arms.front().type->typmod;
        });
    return is_same ? arms.front().type : whole;
}

}  // namespace pgveil::analysis
