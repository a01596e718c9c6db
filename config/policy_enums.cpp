#include "config/policy_enums.hpp"

#include "config/policy_name.hpp"
#include "sql/types/enum_type.hpp"
#include "sql/types/text.hpp"

#include <optional>
#include <utility>

namespace pgveil::config {

namespace {

constexpr std::size_t kLabelBytesMax = 63;

Result<std::vector<std::string>> read_labels(
    std::string_view file, const std::string& pointer, const Json& entry
) {
    std::vector<std::string> labels;
    for (const Json& item : entry) {
        labels.push_back(item.get<std::string>());
        const bool is_text = types::check_utf8(labels.back()).has_value();
        if (!is_text || labels.back().size() > kLabelBytesMax) {
            return error_at(
                file,
                pointer_to(pointer, std::to_string(labels.size() - 1)),
                "is no label of an enum: these have at most 63 bytes, and no NUL"
            );
        }
    }
    return labels;
}

Result<types::Kind> read_enum(std::string_view file, const std::string& key, const Json& entry) {
    const std::string pointer = pointer_to("/enums", key);
    ParsedName name = parse_name(key);
    if (name.problem.empty() && (name.parts.size() != 2 || name.parts[0] == "*")) {
        name.problem = "is not of the form schema.type";
    }
    if (!name.problem.empty()) {
        return error_at(file, pointer, name.problem);
    }
    Result<std::vector<std::string>> labels = read_labels(file, pointer, entry);
    if (!labels.has_value()) {
        return labels.error();
    }
    const auto kind =
        types::enum_kind({std::move(name.parts[0]), std::move(name.parts[1]), std::move(*labels)});
    return kind.has_value() ? Result<types::Kind>(*kind)
                            : error_at(file, pointer, kind.error().message);
}

/// The enum that `name` means; nullopt if it is none, or one of several.
std::optional<types::Kind> enum_named(
    std::string_view name, const std::vector<types::Kind>& enums
) {
    const ParsedName parsed = parse_name(name);
    std::optional<types::Kind> found;
    for (const types::Kind kind : enums) {
        const types::EnumDefinition& definition = types::enum_definition_of(kind);
        const bool is_named =
            parsed.problem.empty() && !parsed.parts.empty() && parsed.parts.size() <= 2 &&
            parsed.parts.back() == definition.name &&
            (parsed.parts.size() == 1 || parsed.parts.front() == definition.schema);
        if (is_named && found) {
            return std::nullopt;
        }
        found = is_named ? kind : found;
    }
    return found;
}

/// `mood`, `public.mood`, `public."Mood"[]`.
std::optional<types::Type> enum_spelled(
    std::string_view text, const std::vector<types::Kind>& enums
) {
    constexpr std::string_view kBounds = "[]";
    const bool is_array = text.ends_with(kBounds);
    text.remove_suffix(is_array ? kBounds.size() : 0);
    const auto kind = enum_named(text, enums);
    return kind ? std::optional(types::Type{is_array ? types::array_of(*kind) : *kind, -1})
                : std::nullopt;
}

}  // namespace

Result<std::vector<types::Kind>> read_enums(std::string_view file, const Json& document) {
    std::vector<types::Kind> enums;
    const Json entries = document.value("enums", Json::object());
    for (const auto& item : entries.items()) {
        const Result<types::Kind> kind = read_enum(file, item.key(), item.value());
        if (!kind.has_value()) {
            return kind.error();
        }
        for (const types::Kind other : enums) {
            const types::EnumDefinition& definition = types::enum_definition_of(*kind);
            const types::EnumDefinition& known = types::enum_definition_of(other);
            if (definition.schema == known.schema && definition.name == known.name) {
                return error_at(
                    file, pointer_to("/enums", item.key()), "is the same enum as another entry"
                );
            }
        }
        enums.push_back(*kind);
    }
    return enums;
}

Result<types::Type> read_type(
    std::string_view file,
    const std::string& pointer,
    const Json& entry,
    const std::vector<types::Kind>& enums
) {
    const auto text = entry["type"].get<std::string>();
    auto type = types::parse_type_name(text);
    if (type.has_value()) {
        return *type;
    }
    if (const auto spelled = enum_spelled(text, enums)) {
        return *spelled;
    }
    return error_at(
        file,
        pointer_to(pointer, "type"),
        type.error().message +
            "; available: bool, int2, int4, int8, text, varchar(n), date, timestamp(p), "
            "timestamptz(p), uuid, bytea, numeric(p,s), float4, float8, char(n), time(p), "
            "timetz(p), interval, inet, cidr, json, jsonb, an enum that stands under /enums, and "
            "arrays of them such as int4[]"
    );
}

}  // namespace pgveil::config
