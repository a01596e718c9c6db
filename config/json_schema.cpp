#include "config/json_schema.hpp"

#include "keyshare/core/invariant.hpp"

#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>
#include <vector>

namespace pgveil::config {

namespace {

/// valijson names a place as "<root>", then "[key]" or "[index]" each.
std::vector<std::string> steps_of(const valijson::ValidationResults::Error& error) {
    std::vector<std::string> steps;
    for (const std::string& step : error.context) {
        if (step.size() >= 2 && step.front() == '[' && step.back() == ']') {
            steps.push_back(step.substr(1, step.size() - 2));
        }
    }
    return steps;
}

std::string pointer_of(const std::vector<std::string>& steps) {
    std::string pointer;
    for (const std::string& step : steps) {
        pointer = pointer_to(pointer, step);
    }
    return pointer;
}

/// The part of the schema that describes what stands behind one more step.
const Json& schema_behind(const Json& schema, const std::string& step) {
    static const Json nothing = Json::object();
    if (schema.contains("properties") && schema["properties"].contains(step)) {
        return schema["properties"][step];
    }
    if (schema.contains("additionalProperties") && schema["additionalProperties"].is_object()) {
        return schema["additionalProperties"];
    }
    return schema.contains("items") ? schema["items"] : nothing;
}

/// A step down to the place; keys that are not in the schema stay where they are.
const Json* value_behind(const Json* value, const std::string& step) {
    if (value == nullptr) {
        return nullptr;
    }
    if (value->is_object()) {
        return value->contains(step) ? &(*value)[step] : nullptr;
    }
    return nullptr;
}

std::string joined_keys(const Json& properties) {
    std::string keys;
    for (const auto& property : properties.items()) {
        keys += (keys.empty() ? "" : ", ") + property.key();
    }
    return keys;
}

/// The first key that the schema does not know, where it allows no others.
std::optional<std::string> unknown_key(const Json& schema, const Json* value) {
    const bool is_closed = schema.contains("additionalProperties") &&
                           schema["additionalProperties"].is_boolean() &&
                           !schema["additionalProperties"].get<bool>();
    if (!is_closed || value == nullptr || !value->is_object()) {
        return std::nullopt;
    }
    for (const auto& entry : value->items()) {
        if (!schema["properties"].contains(entry.key())) {
            return entry.key();
        }
    }
    return std::nullopt;
}

std::optional<std::string> missing_key(const Json& schema, const Json* value) {
    if (!schema.contains("required") || value == nullptr || !value->is_object()) {
        return std::nullopt;
    }
    for (const Json& key : schema["required"]) {
        if (!value->contains(key.get<std::string>())) {
            return key.get<std::string>();
        }
    }
    return std::nullopt;
}

SchemaViolation describe(
    const std::vector<std::string>& steps, const Json& schema, const Json* value
) {
    const std::string pointer = pointer_of(steps);
    if (const std::optional<std::string> key = unknown_key(schema, value)) {
        return {
            pointer_to(pointer, *key),
            "is not a known key; known here: " + joined_keys(schema["properties"])};
    }
    if (const std::optional<std::string> key = missing_key(schema, value)) {
        const std::string what = schema["properties"][*key].value("description", "");
        return {pointer, "the key \"" + *key + "\" is missing; add it (" + what + ")"};
    }
    return {pointer, "must be " + schema.value("description", "valid by the schema")};
}

}  // namespace

std::optional<SchemaViolation> check_schema(const Json& document, std::string_view schema) {
    const Json schema_document = Json::parse(schema.begin(), schema.end(), nullptr, false);
    core::invariant(schema_document.is_object(), "the embedded JSON Schema is JSON");
    valijson::Schema parsed_schema;
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    const valijson::adapters::NlohmannJsonAdapter schema_adapter(schema_document);
    parser.populateSchema(schema_adapter, parsed_schema);
    valijson::Validator validator;
    valijson::ValidationResults results;
    const valijson::adapters::NlohmannJsonAdapter document_adapter(document);
    if (validator.validate(parsed_schema, document_adapter, &results)) {
        return std::nullopt;
    }
    valijson::ValidationResults::Error deepest;
    valijson::ValidationResults::Error error;
    while (results.popError(error)) {
        if (error.context.size() > deepest.context.size()) {
            deepest = error;
        }
    }
    std::vector<std::string> steps;
    const Json* place = &schema_document;
    const Json* value = &document;
    for (const std::string& step : steps_of(deepest)) {
        const Json& behind = schema_behind(*place, step);
        if (!behind.contains("description")) {
            break;  // inside a choice: the place that offers it says what it must be
        }
        steps.push_back(step);
        place = &behind;
        value = value_behind(value, step);
    }
    return describe(steps, *place, value);
}

}  // namespace pgveil::config
