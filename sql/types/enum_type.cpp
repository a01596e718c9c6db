#include "sql/types/enum_type.hpp"

#include "keyshare/core/invariant.hpp"

#include <algorithm>
#include <deque>
#include <mutex>
#include <shared_mutex>

namespace pgveil::types {

namespace {

struct Known {
    EnumDefinition definition;
    EnumIdentity identity;

    friend bool operator==(const Known&, const Known&) = default;
};

/// Every enum that occurred. What it hands out lives as long as the process.
class Registry {
public:
    Result<Kind> add(Known wanted) {
        constexpr std::size_t kKindsMax = 65536;
        const std::unique_lock lock(mutex_);
        const auto found = std::ranges::find(known_, wanted);
        if (found == known_.end() && known_.size() == kKindsMax) {
            return invalid_value(
                "54000",
                "pgveil has seen too many enum types",
                "Restart pgveil, and look for a database that renumbers its types."
            );
        }
        const auto index = static_cast<std::uint32_t>(found - known_.begin());
        if (found == known_.end()) {
            known_.push_back(std::move(wanted));
        }
        return static_cast<Kind>((index + 1) << kEnumShift);
    }

    const Known& at(Kind kind) {
        const std::uint32_t number = static_cast<std::uint32_t>(kind) >> kEnumShift;
        const std::shared_lock lock(mutex_);
        core::invariant(number != 0 && number <= known_.size(), "the kind is an enum");
        return known_[number - 1];
    }

private:
    std::shared_mutex mutex_;
    std::deque<Known> known_;  // elements do not move
};

Registry& registry() {
    static Registry all;
    return all;
}

bool is_plain_name(std::string_view name) {
    const bool has_digit_first =
        !name.empty() && ((name.front() >= '0' && name.front() <= '9') || name.front() == '$');
    return !name.empty() && !has_digit_first &&
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_$") ==
               std::string_view::npos;
}

std::string quoted(std::string_view name) {
    if (is_plain_name(name)) {
        return std::string(name);
    }
    std::string text = "\"";
    for (const char letter : name) {
        text.append(letter == '"' ? 2 : 1, letter);
    }
    return text + "\"";
}

}  // namespace

Result<Kind> enum_kind(const EnumDefinition& definition, const EnumIdentity& identity) {
    return registry().add({definition, identity});
}

const EnumDefinition& enum_definition_of(Kind kind) {
    return registry().at(kind).definition;
}

const EnumIdentity& enum_identity_of(Kind kind) {
    return registry().at(kind).identity;
}

bool is_same_enum(Kind left, Kind right) {
    return is_enum(left) && is_enum(right) && is_array(left) == is_array(right) &&
           enum_definition_of(left) == enum_definition_of(right);
}

std::string enum_name_of(const EnumDefinition& definition) {
    return quoted(definition.schema) + "." + quoted(definition.name);
}

Result<void> check_label(Kind kind, std::string_view text) {
    const std::vector<std::string>& labels = enum_definition_of(kind).labels;
    if (std::ranges::find(labels, text) != labels.end()) {
        return {};
    }
    return invalid_value(
        "22P02",
        "invalid input value for enum " + sql_name_of(Type{element_of(kind)}) + ": \"" +
            std::string(text) + "\""
    );
}

}  // namespace pgveil::types
