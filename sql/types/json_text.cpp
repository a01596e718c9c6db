#include "sql/types/json_text.hpp"

#include "sql/types/json_tokens.hpp"
#include "sql/types/numeric.hpp"
#include "sql/types/secret_sink.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace pgveil::types {

namespace {

constexpr std::uint8_t kJsonbVersion = 1;
constexpr std::size_t kJsonbBytesMax = 0x0FFFFFFF;

/// A part of the decoded text.
struct Range {
    std::size_t begin = 0;
    std::size_t size = 0;
};

/// One value; what it says lies in the decoded text, so that one block of secret memory holds all.
struct Node {
    JsonToken kind = JsonToken::kNull;  // kObjectBegin and kArrayBegin stand for the whole
    Range key;                          // in an object
    Range scalar;                       // of a string, without quotes, or a number
    std::vector<std::size_t> children;
};

/// PostgreSQL's recursive descent; with `is_kept` it also builds the tree.
class JsonParser {
public:
    JsonParser(std::string_view text, bool is_kept)
        : tokens_(text, is_kept ? &decoded_ : nullptr), is_kept_(is_kept) {}

    std::optional<Error> parse() {
        if (auto error = advance()) {
            return error;
        }
        if (auto error = value(0, {})) {
            return error;
        }
        return tokens_.kind() == JsonToken::kEnd
                   ? std::nullopt
                   : std::optional(tokens_.unexpected("end of input"));
    }

    core::SecretBytes written() {
        write(nodes_.size() - 1);
        return std::move(out_);
    }

private:
    std::size_t add(Node node) {
        nodes_.push_back(std::move(node));
        return nodes_.size() - 1;
    }

    /// The token at hand begins a value; afterwards the one behind it is at hand. The value is the
    /// last node then.
    std::optional<Error> value(std::size_t depth, Range key) {
        if (depth > kJsonDepthMax) {
            return unsupported_form(
                "JSON nested deeper than " + std::to_string(kJsonDepthMax) + " levels"
            );
        }
        switch (tokens_.kind()) {
            case JsonToken::kObjectBegin: return object(depth, key);
            case JsonToken::kArrayBegin: return array(depth, key);
            case JsonToken::kString:
            case JsonToken::kNumber:
            case JsonToken::kTrue:
            case JsonToken::kFalse:
            case JsonToken::kNull: return scalar(key);
            case JsonToken::kEnd:
            case JsonToken::kObjectEnd:
            case JsonToken::kArrayEnd:
            case JsonToken::kComma:
            case JsonToken::kColon: break;
        }
        return tokens_.unexpected("JSON value");
    }

    std::optional<Error> scalar(Range key) {
        Node node = {tokens_.kind(), key, string_, {}};
        if (is_kept_ && tokens_.kind() == JsonToken::kNumber) {
            const Result<Numeric> number = Numeric::from_text(tokens_.written());
            if (!number.has_value()) {
                return number.error();
            }
            SecretSink sink;
            number->append_text(sink);
            node.scalar = {decoded_.size(), sink.text().size()};
            decoded_.append(core::as_bytes(sink.text()));
        }
        if (is_kept_) {
            add(std::move(node));
        }
        return advance();
    }

    std::optional<Error> array(std::size_t depth, Range key) {
        Node node = {JsonToken::kArrayBegin, key, {}, {}};
        if (auto error = advance()) {
            return error;
        }
        bool is_first = true;
        while (tokens_.kind() != JsonToken::kArrayEnd || !is_first) {
            if (auto error = value(depth + 1, {})) {
                return error;
            }
            keep_child(node);
            is_first = false;
            if (tokens_.kind() != JsonToken::kComma) {
                break;
            }
            if (auto error = advance()) {
                return error;
            }
        }
        return close(std::move(node), JsonToken::kArrayEnd, "\",\" or \"]\"");
    }

    std::optional<Error> object(std::size_t depth, Range key) {
        Node node = {JsonToken::kObjectBegin, key, {}, {}};
        if (auto error = advance()) {
            return error;
        }
        bool is_first = true;
        while (tokens_.kind() != JsonToken::kObjectEnd || !is_first) {
            if (tokens_.kind() != JsonToken::kString) {
                return tokens_.unexpected(is_first ? "string or \"}\"" : "string");
            }
            if (auto error = field(depth)) {
                return error;
            }
            keep_child(node);
            is_first = false;
            if (tokens_.kind() != JsonToken::kComma) {
                break;
            }
            if (auto error = advance()) {
                return error;
            }
        }
        return close(std::move(node), JsonToken::kObjectEnd, "\",\" or \"}\"");
    }

    std::optional<Error> field(std::size_t depth) {
        const Range key = string_;
        if (auto error = advance()) {
            return error;
        }
        if (tokens_.kind() != JsonToken::kColon) {
            return tokens_.unexpected("\":\"");
        }
        if (auto error = advance()) {
            return error;
        }
        return value(depth + 1, key);
    }

    std::optional<Error> close(Node node, JsonToken end, const std::string& expected) {
        if (tokens_.kind() != end) {
            return tokens_.unexpected(expected);
        }
        if (node.kind == JsonToken::kObjectBegin) {
            settle_keys(node.children);
        }
        if (is_kept_) {
            add(std::move(node));
        }
        return advance();
    }

    void keep_child(Node& parent) {
        if (is_kept_) {
            parent.children.push_back(nodes_.size() - 1);
        }
    }

    std::optional<Error> advance() {
        const std::size_t begin = decoded_.size();
        auto error = tokens_.advance();
        string_ = {begin, decoded_.size() - begin};
        return error;
    }

    /// By length, then by bytes; of equal keys the last.
    void settle_keys(std::vector<std::size_t>& children) const {
        const auto is_before = [this](std::size_t left, std::size_t right) {
            const std::string_view one = text_of(nodes_[left].key);
            const std::string_view two = text_of(nodes_[right].key);
            return one.size() != two.size() ? one.size() < two.size() : one < two;
        };
        std::ranges::reverse(children);
        std::ranges::stable_sort(children, is_before);
        const auto is_same = [this](std::size_t left, std::size_t right) {
            return text_of(nodes_[left].key) == text_of(nodes_[right].key);
        };
        children.erase(std::unique(children.begin(), children.end(), is_same), children.end());
    }

    std::string_view text_of(Range range) const {
        return core::as_text(decoded_.reveal().subspan(range.begin, range.size));
    }

    void put(std::string_view text) { out_.append(core::as_bytes(text)); }

    void write(std::size_t index) {
        const Node& node = nodes_[index];
        switch (node.kind) {
            case JsonToken::kObjectBegin: write_children(node, "{", "}"); return;
            case JsonToken::kArrayBegin: write_children(node, "[", "]"); return;
            case JsonToken::kString: write_string(text_of(node.scalar)); return;
            case JsonToken::kNumber: put(text_of(node.scalar)); return;
            case JsonToken::kTrue: put("true"); return;
            case JsonToken::kFalse: put("false"); return;
            case JsonToken::kNull:
            case JsonToken::kEnd:
            case JsonToken::kObjectEnd:
            case JsonToken::kArrayEnd:
            case JsonToken::kComma:
            case JsonToken::kColon: put("null"); return;
        }
    }

    void write_children(const Node& node, std::string_view open, std::string_view end) {
        put(open);
        bool is_first = true;
        for (const std::size_t child : node.children) {
            put(is_first ? "" : ", ");
            if (node.kind == JsonToken::kObjectBegin) {
                write_string(text_of(nodes_[child].key));
                put(": ");
            }
            write(child);
            is_first = false;
        }
        put(end);
    }

    void write_string(std::string_view text) {
        put("\"");
        std::size_t plain = 0;
        for (std::size_t index = 0; index < text.size(); ++index) {
            const std::string escape = escape_of(text[index]);
            if (!escape.empty()) {
                put(text.substr(plain, index - plain));
                put(escape);
                plain = index + 1;
            }
        }
        put(text.substr(plain));
        put("\"");
    }

    /// Empty: the character stands for itself.
    static std::string escape_of(char letter) {
        constexpr std::string_view kHex = "0123456789abcdef";
        switch (letter) {
            case '"': return "\\\"";
            case '\\': return "\\\\";
            case '\b': return "\\b";
            case '\f': return "\\f";
            case '\n': return "\\n";
            case '\r': return "\\r";
            case '\t': return "\\t";
            default: break;
        }
        const auto byte = static_cast<std::uint8_t>(letter);
        return byte >= ' ' ? std::string()
                           : std::string("\\u00") + kHex[byte >> 4U] + kHex[byte & 15U];
    }

    core::SecretBytes decoded_;
    JsonTokens tokens_;
    bool is_kept_;
    Range string_;
    std::vector<Node> nodes_;
    core::SecretBytes out_;
};

}  // namespace

Result<void> check_json(std::string_view text) {
    JsonParser parser(text, false);
    const auto error = parser.parse();
    return error ? Result<void>(*error) : Result<void>();
}

Result<core::SecretBytes> normalised_json(std::string_view text) {
    if (text.size() > kJsonbBytesMax) {
        return unsupported_form("a jsonb of more than 256 MiB cannot be sealed");
    }
    JsonParser parser(text, true);
    if (const auto error = parser.parse()) {
        return *error;
    }
    return parser.written();
}

core::SecretBytes send_form_of_jsonb(const core::SecretBytes& normalised) {
    auto bytes = core::SecretBytes::copy_of({&kJsonbVersion, 1});
    bytes.append(normalised.reveal());
    return bytes;
}

Result<std::string_view> jsonb_text(core::ByteView binary) {
    if (binary.empty()) {
        return invalid_value("08P01", "insufficient data left in message");
    }
    if (binary.front() != kJsonbVersion) {
        return invalid_value(
            "XX000", "unsupported jsonb version number " + std::to_string(binary.front())
        );
    }
    return core::as_text(binary.subspan(1));
}

}  // namespace pgveil::types
