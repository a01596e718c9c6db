#include "proxy/relay/quoted_values.hpp"

#include "proxy/relay/key_source.hpp"
#include "sql/field/envelope.hpp"
#include "sql/field/plaintext.hpp"
#include "sql/types/codec.hpp"

#include <algorithm>

namespace pgveil::relay {

namespace {

constexpr std::string_view kHexStart = "\\x";
constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kNotShown = "(encrypted)";

class SecretSink final : public types::TextSink {
public:
    explicit SecretSink(core::SecretBytes& to) : to_(&to) {}

    void append(std::string_view text) override { to_->append(core::as_bytes(text)); }

private:
    core::SecretBytes* to_;
};

/// Empty if these are no hexadecimal digits. PostgreSQL may cut in the middle of a byte.
core::Bytes bytes_of(std::string_view digits) {
    auto bytes = core::from_hex(digits.substr(0, digits.size() / 2 * 2));
    return bytes.has_value() ? std::move(*bytes) : core::Bytes();
}

}  // namespace

QuotedValues::QuotedValues(SessionState& state, Segment* request, const wire::ErrorResponse& error)
    : state_(state), request_(request) {
    const std::string_view schema = error.find('s').value_or("");
    const auto* const table = state.policy->find(schema, error.find('t').value_or(""));
    if (request == nullptr || !request->keys || table == nullptr) {
        return;
    }
    for (const config::ColumnPolicy& column : table->columns) {
        columns_.push_back(field::protected_column(schema, table->name, column));
    }
}

core::SecretBytes QuotedValues::shown(std::string_view text) {
    core::SecretBytes result;
    std::size_t position = 0;
    for (;;) {
        const std::size_t hex = std::min(text.find(kHexStart, position), text.size());
        // The lines that CONTEXT quotes from COPY have every backslash twice.
        const bool is_doubled = hex > position && hex < text.size() && text[hex - 1] == '\\';
        const std::size_t start = is_doubled ? hex - 1 : hex;
        result.append(core::as_bytes(text.substr(position, start - position)));
        if (start == text.size()) {
            return result;
        }
        const std::size_t digits = hex + kHexStart.size();
        position = std::min(text.find_first_not_of(kHexDigits, digits), text.size());
        const core::Bytes bytes = bytes_of(text.substr(digits, position - digits));
        // "Failing row contains (...)" cuts every value at 64 characters.
        const bool is_cut = text.substr(position).starts_with("...");
        if (!(is_cut ? field::begins_envelope(bytes) : field::parse_envelope(bytes).has_value())) {
            result.append(core::as_bytes(text.substr(start, position - start)));
        } else if (is_cut || !append_opened(bytes, result)) {
            result.append(core::as_bytes(kNotShown));
        }
    }
}

bool QuotedValues::append_opened(core::ByteView envelope, core::SecretBytes& to) {
    const auto parsed = field::parse_envelope(envelope);
    for (const analysis::ColumnPtr& column : columns_) {
        if (column->is_bound() || column->scheme != parsed->scheme) {
            continue;
        }
        const auto cipher = opening_cipher(state_, *request_, column, parsed->key_id);
        if (!cipher.has_value()) {
            continue;
        }
        auto opened = (*cipher)->open(envelope);
        if (!opened.has_value()) {
            continue;
        }
        const auto value = field::value_of(*column, std::move(*opened));
        core::SecretBytes text;
        SecretSink sink(text);
        if (value.has_value() &&
            types::append_text(column->type, value->reveal(), state_.settings.style(), sink)
                .has_value()) {
            to.append(text.reveal());
            return true;
        }
    }
    return false;
}

}  // namespace pgveil::relay
