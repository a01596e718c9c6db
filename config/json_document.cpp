#include "config/json_document.hpp"

#include "config/json_schema.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

namespace pgveil::config {

namespace {

/// Watches the parser's events for a key that comes twice in one object.
class DuplicateKeys {
public:
    bool see(Json::parse_event_t event, const Json& parsed) {
        if (event == Json::parse_event_t::object_start) {
            objects_.emplace_back();
        } else if (event == Json::parse_event_t::object_end) {
            objects_.pop_back();
        } else if (event == Json::parse_event_t::key) {
            see_key(parsed.get<std::string>());
        }
        return true;
    }

    /// The pointer of the first key that stands twice (array indexes left out).
    const std::optional<std::string>& first() const { return first_; }

private:
    struct Object {
        std::set<std::string> keys;
        std::string last_key;
    };

    void see_key(const std::string& key) {
        Object& object = objects_.back();
        object.last_key = key;
        if (object.keys.insert(key).second || first_) {
            return;
        }
        first_.emplace();
        for (const Object& outer : objects_) {
            *first_ = pointer_to(*first_, outer.last_key);
        }
    }

    std::vector<Object> objects_;
    std::optional<std::string> first_;
};

std::size_t line_of(std::string_view text, std::size_t byte) {
    const std::string_view before = text.substr(0, std::min(byte, text.size()));
    return static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')) + 1;
}

}  // namespace

Error error_at(std::string_view file, std::string_view pointer, std::string_view problem) {
    std::string message(file);
    message += ": ";
    message += pointer.empty() ? std::string_view("the document") : pointer;
    message += ": ";
    message += problem;
    return {ErrorKind::kInvalid, std::move(message)};
}

std::string pointer_to(std::string_view pointer, std::string_view key) {
    std::string longer(pointer);
    longer += '/';
    for (const char letter : key) {
        if (letter == '~') {
            longer += "~0";
        } else if (letter == '/') {
            longer += "~1";
        } else {
            longer += letter;
        }
    }
    return longer;
}

Result<Json> parse_document(std::string_view file, std::string_view text, std::string_view schema) {
    DuplicateKeys duplicates;
    Json document;
    try {
        document = Json::parse(
            text.begin(),
            text.end(),
            [&duplicates](int /*depth*/, Json::parse_event_t event, Json& parsed) {
                return duplicates.see(event, parsed);
            },
            true,
            true
        );
    } catch (const Json::parse_error& error) {
        const std::size_t line = line_of(text, error.byte);
        return error_at(
            file,
            "line " + std::to_string(line),
            "is not JSON from here on; look for a missing comma, quote or bracket"
        );
    } catch (const Json::exception&) {
        return error_at(file, "", "is not JSON; check it with a JSON tool");
    }
    if (duplicates.first()) {
        return error_at(
            file, *duplicates.first(), "stands twice in its object; keep one of the two"
        );
    }
    if (const std::optional<SchemaViolation> violation = check_schema(document, schema)) {
        return error_at(file, violation->pointer, violation->problem);
    }
    // Json converts to anything, so the result is told which side it is.
    return Result<Json>(boost::system::in_place_value, std::move(document));
}

}  // namespace pgveil::config
