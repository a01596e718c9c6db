#include "sql/schema/sql_template.hpp"

#include <array>
#include <cstdint>

namespace pgveil::schema {

namespace {

struct ShortForm {
    std::string_view name;
    std::string_view text;
};

constexpr std::array kShortForms = {
    ShortForm{"{=}", "OPERATOR(pg_catalog.=)"},
    ShortForm{"{<>}", "OPERATOR(pg_catalog.<>)"},
    ShortForm{"{>}", "OPERATOR(pg_catalog.>)"},
    ShortForm{"{+}", "OPERATOR(pg_catalog.+)"},
    ShortForm{"{-}", "OPERATOR(pg_catalog.-)"},
    ShortForm{
        "{marker}",
        "(SELECT mt.oid FROM pg_catalog.pg_type mt JOIN pg_catalog.pg_namespace mn "
        "ON mn.oid OPERATOR(pg_catalog.=) mt.typnamespace "
        "WHERE mn.nspname OPERATOR(pg_catalog.=) 'pgveil' "
        "AND mt.typname OPERATOR(pg_catalog.=) 'ciphertext')"},
    ShortForm{
        "{home}",
        "(SELECT hn.oid FROM pg_catalog.pg_namespace hn "
        "WHERE hn.nspname OPERATOR(pg_catalog.=) 'pgveil')"},
};

const ShortForm* short_form_at(std::string_view text) {
    for (const ShortForm& form : kShortForms) {
        if (text.starts_with(form.name)) {
            return &form;
        }
    }
    return nullptr;
}

constexpr std::size_t kLongForm = 8;

void append_hex(std::string& into, std::uint32_t value, std::size_t digits) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    for (std::size_t digit = digits; digit > 0; --digit) {
        into += kDigits[(value >> (4 * (digit - 1))) & 0xFU];
    }
}

/// The code point of the character that begins at text[at]; `at` moves behind it.
std::uint32_t next_character(std::string_view text, std::size_t& at) {
    const auto lead = static_cast<unsigned char>(text[at++]);
    std::uint32_t value = lead < 0xE0U ? lead & 0x1FU : lead < 0xF0U ? lead & 0xFU : lead & 0x7U;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U) {
        value = (value << 6U) | (static_cast<unsigned char>(text[at++]) & 0x3FU);
    }
    return value;
}

}  // namespace

std::string expand(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        const std::size_t brace = text.find('{');
        result.append(text.substr(0, brace));
        if (brace == std::string_view::npos) {
            break;
        }
        text.remove_prefix(brace);
        const ShortForm* const form = short_form_at(text);
        result.append(form == nullptr ? text.substr(0, 1) : form->text);
        text.remove_prefix(form == nullptr ? 1 : form->name.size());
    }
    return result;
}

std::string quote_literal(std::string_view text) {
    std::string quoted = "E'";
    for (std::size_t at = 0; at < text.size();) {
        if (static_cast<unsigned char>(text[at]) >= 0x80U) {
            quoted += "\\U";
            append_hex(quoted, next_character(text, at), kLongForm);
            continue;
        }
        if (text[at] == '\'' || text[at] == '\\') {
            quoted += text[at];
        }
        quoted += text[at++];
    }
    return quoted + "'";
}

}  // namespace pgveil::schema
