// Reading type names: words, an optional (n), and the trailing words of the two timestamps.
#include "sql/types/type.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <vector>

namespace pgveil::types {

namespace {

constexpr std::int32_t kVarcharMax = 10485760;
constexpr std::int32_t kTimestampPrecisionMax = 6;

/// A name taken apart: lower-case words joined by one blank, and the number in parentheses.
struct Spelling {
    std::string words;
    std::optional<std::int32_t> number;
};

struct Spelled {
    std::string_view words;
    Kind kind;
};

constexpr std::array kSpellings = {
    Spelled{"bool", Kind::kBool},
    Spelled{"boolean", Kind::kBool},
    Spelled{"int2", Kind::kInt2},
    Spelled{"smallint", Kind::kInt2},
    Spelled{"int", Kind::kInt4},
    Spelled{"int4", Kind::kInt4},
    Spelled{"integer", Kind::kInt4},
    Spelled{"int8", Kind::kInt8},
    Spelled{"bigint", Kind::kInt8},
    Spelled{"text", Kind::kText},
    Spelled{"varchar", Kind::kVarchar},
    Spelled{"character varying", Kind::kVarchar},
    Spelled{"char varying", Kind::kVarchar},
    Spelled{"national character varying", Kind::kVarchar},
    Spelled{"national char varying", Kind::kVarchar},
    Spelled{"nchar varying", Kind::kVarchar},
    Spelled{"date", Kind::kDate},
    Spelled{"timestamp", Kind::kTimestamp},
    Spelled{"timestamp without time zone", Kind::kTimestamp},
    Spelled{"timestamptz", Kind::kTimestamptz},
    Spelled{"timestamp with time zone", Kind::kTimestamptz},
    Spelled{"uuid", Kind::kUuid},
    Spelled{"bytea", Kind::kBytea},
};

/// Types of PostgreSQL that later versions will seal.
constexpr std::array<std::string_view, 23> kLaterTypes = {
    "float4",
    "real",
    "float8",
    "double precision",
    "float",
    "numeric",
    "decimal",
    "dec",
    "char",
    "character",
    "bpchar",
    "nchar",
    "time",
    "timetz",
    "time with time zone",
    "time without time zone",
    "interval",
    "json",
    "jsonb",
    "inet",
    "cidr",
    "name",
    "oid",
};

bool is_blank(char letter) {
    return letter == ' ' || letter == '\t' || letter == '\n' || letter == '\r';
}

char lower(char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

std::string squeeze(std::string_view text) {
    std::string out;
    for (const char letter : text) {
        if (!is_blank(letter)) {
            out += lower(letter);
        } else if (!out.empty() && out.back() != ' ') {
            out += ' ';
        }
    }
    while (!out.empty() && out.back() == ' ') {
        out.pop_back();
    }
    return out;
}

Error not_a_type(std::string_view name) {
    return unsupported_form("\"" + std::string(name) + "\" is not a type name");
}

std::optional<std::int32_t> parse_number(std::string_view digits) {
    std::int32_t number = 0;
    const char* end = digits.data() + digits.size();
    const auto parsed = std::from_chars(digits.data(), end, number);
    if (parsed.ec != std::errc() || parsed.ptr != end) {
        return std::nullopt;
    }
    return number;
}

Result<Spelling> take_apart(std::string_view name) {
    const std::size_t open = name.find('(');
    if (open == std::string_view::npos) {
        return Spelling{squeeze(name), std::nullopt};
    }
    const std::size_t close = name.find(')', open);
    if (close == std::string_view::npos) {
        return not_a_type(name);
    }
    const std::string digits = squeeze(name.substr(open + 1, close - open - 1));
    const std::optional<std::int32_t> number = parse_number(digits);
    if (!number) {
        return not_a_type(name);
    }
    const std::string rest = squeeze(name.substr(close + 1));
    return Spelling{squeeze(name.substr(0, open)) + (rest.empty() ? "" : " " + rest), number};
}

std::string without_catalog_schema(std::string words) {
    constexpr std::string_view kPrefix = "pg_catalog.";
    return words.starts_with(kPrefix) ? words.substr(kPrefix.size()) : words;
}

Result<Type> with_number(Kind kind, std::int32_t number) {
    if (kind == Kind::kVarchar) {
        if (number < 1) {
            return invalid_value("22023", "length for type varchar must be at least 1");
        }
        if (number > kVarcharMax) {
            return invalid_value("22023", "length for type varchar cannot exceed 10485760");
        }
        return Type{kind, number + 4};
    }
    if (kind == Kind::kTimestamp || kind == Kind::kTimestamptz) {
        if (number < 0 || number > kTimestampPrecisionMax) {
            return invalid_value("22023", "the precision of a timestamp must be 0 to 6");
        }
        return Type{kind, number};
    }
    return invalid_value(
        "42601", "type modifier is not allowed for type \"" + name_of(Type{kind}) + "\""
    );
}

}  // namespace

Result<Type> parse_type_name(std::string_view name) {
    Result<Spelling> spelling = take_apart(name);
    if (!spelling.has_value()) {
        return spelling.error();
    }
    const std::string words = without_catalog_schema(spelling->words);
    for (const Spelled& known : kSpellings) {
        if (known.words != words) {
            continue;
        }
        return spelling->number ? with_number(known.kind, *spelling->number) : Type{known.kind};
    }
    const bool is_array = words.find('[') != std::string::npos || words.ends_with(" array");
    if (is_array || std::find(kLaterTypes.begin(), kLaterTypes.end(), words) != kLaterTypes.end()) {
        return unsupported_form("type \"" + squeeze(name) + "\" is not available yet");
    }
    return unsupported_form("\"" + std::string(name) + "\" is not a known type");
}

}  // namespace pgveil::types
