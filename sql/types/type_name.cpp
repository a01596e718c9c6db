// Reading type names: words, optional modifiers (n, m), and the trailing words of the timestamps.
#include "sql/types/interval_typmod.hpp"
#include "sql/types/numeric.hpp"
#include "sql/types/type.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <vector>

namespace pgveil::types {

namespace {

constexpr std::int32_t kLengthMax = 10485760;
constexpr std::int32_t kTimePrecisionMax = 6;
constexpr std::int32_t kNumericPrecisionMax = 1000;
constexpr std::int32_t kNumericScaleMax = 1000;
constexpr std::int32_t kFloat4BitsMax = 24;
constexpr std::int32_t kFloat8BitsMax = 53;

using Modifiers = std::vector<std::int32_t>;

/// A name taken apart: lower-case words joined by one blank, and the numbers in parentheses.
struct Spelling {
    std::string words;
    Modifiers modifiers;
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
    Spelled{"numeric", Kind::kNumeric},
    Spelled{"decimal", Kind::kNumeric},
    Spelled{"dec", Kind::kNumeric},
    Spelled{"float4", Kind::kFloat4},
    Spelled{"real", Kind::kFloat4},
    Spelled{"float8", Kind::kFloat8},
    Spelled{"double precision", Kind::kFloat8},
    Spelled{"float", Kind::kFloat8},
    Spelled{"bpchar", Kind::kBpchar},
    Spelled{"char", Kind::kBpchar},
    Spelled{"character", Kind::kBpchar},
    Spelled{"nchar", Kind::kBpchar},
    Spelled{"national char", Kind::kBpchar},
    Spelled{"national character", Kind::kBpchar},
    Spelled{"time", Kind::kTime},
    Spelled{"time without time zone", Kind::kTime},
    Spelled{"timetz", Kind::kTimetz},
    Spelled{"time with time zone", Kind::kTimetz},
    Spelled{"interval", Kind::kInterval},
    Spelled{"inet", Kind::kInet},
    Spelled{"cidr", Kind::kCidr},
    Spelled{"json", Kind::kJson},
    Spelled{"jsonb", Kind::kJsonb},
};

/// Types of PostgreSQL that are not sealed, though their names are known.
constexpr std::array<std::string_view, 10> kOtherTypes = {
    "name", "oid", "bit", "bit varying", "varbit", "money", "xml", "macaddr", "tsvector", "point"};

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

/// `10, -2`; nullopt if one of them is no number.
std::optional<Modifiers> parse_modifiers(std::string_view list) {
    Modifiers modifiers;
    for (bool is_last = false; !is_last;) {
        const std::size_t comma = list.find(',');
        is_last = comma == std::string_view::npos;
        const std::optional<std::int32_t> number = parse_number(squeeze(list.substr(0, comma)));
        if (!number) {
            return std::nullopt;
        }
        modifiers.push_back(*number);
        list.remove_prefix(is_last ? list.size() : comma + 1);
    }
    return modifiers;
}

Result<Spelling> take_apart(std::string_view name) {
    const std::size_t open = name.find('(');
    if (open == std::string_view::npos) {
        return Spelling{squeeze(name), {}};
    }
    const std::size_t close = name.find(')', open);
    if (close == std::string_view::npos) {
        return not_a_type(name);
    }
    std::optional<Modifiers> modifiers = parse_modifiers(name.substr(open + 1, close - open - 1));
    if (!modifiers) {
        return not_a_type(name);
    }
    const std::string rest = squeeze(name.substr(close + 1));
    return Spelling{
        squeeze(name.substr(0, open)) + (rest.empty() ? "" : " " + rest), std::move(*modifiers)};
}

std::string without_catalog_schema(std::string words) {
    constexpr std::string_view kPrefix = "pg_catalog.";
    return words.starts_with(kPrefix) ? words.substr(kPrefix.size()) : words;
}

/// anychar_typmodin(); `name` is what PostgreSQL calls the type there.
Result<Type> with_length(Kind kind, std::int32_t length, const std::string& name) {
    if (length < 1) {
        return invalid_value("22023", "length for type " + name + " must be at least 1");
    }
    if (length > kLengthMax) {
        return invalid_value("22023", "length for type " + name + " cannot exceed 10485760");
    }
    return Type{kind, length + 4};
}

/// numerictypmodin() of PostgreSQL 15.
Result<Type> with_precision_and_scale(std::span<const std::int32_t> modifiers) {
    const NumericShape shape = {modifiers[0], modifiers.size() > 1 ? modifiers[1] : 0};
    if (shape.precision < 1 || shape.precision > kNumericPrecisionMax) {
        return invalid_value(
            "22023",
            "NUMERIC precision " + std::to_string(shape.precision) + " must be between 1 and 1000"
        );
    }
    if (shape.scale < -kNumericScaleMax || shape.scale > kNumericScaleMax) {
        return invalid_value(
            "22023",
            "NUMERIC scale " + std::to_string(shape.scale) + " must be between -1000 and 1000"
        );
    }
    return Type{Kind::kNumeric, shape.typmod()};
}

bool takes_precision(Kind kind) {
    return kind == Kind::kTimestamp || kind == Kind::kTimestamptz || kind == Kind::kTime ||
           kind == Kind::kTimetz;
}

Result<Type> with_time_precision(Kind kind, std::int32_t precision) {
    if (precision < 0 || precision > kTimePrecisionMax) {
        return invalid_value(
            "22023", "the precision of type " + name_of(Type{kind}) + " must be 0 to 6"
        );
    }
    return Type{kind, precision};
}

Result<Type> with_interval_modifiers(std::span<const std::int32_t> modifiers) {
    const Result<std::int32_t> typmod = interval_typmod(modifiers);
    return typmod.has_value() ? Result<Type>(Type{Kind::kInterval, *typmod}) : typmod.error();
}

Result<Type> with_modifiers(Kind kind, std::span<const std::int32_t> modifiers) {
    if (kind == Kind::kNumeric) {
        return modifiers.size() > 2 ? invalid_value("22023", "invalid NUMERIC type modifier")
                                    : with_precision_and_scale(modifiers);
    }
    if (kind == Kind::kInterval) {
        return with_interval_modifiers(modifiers);
    }
    const bool takes_length = kind == Kind::kVarchar || kind == Kind::kBpchar;
    if (!takes_length && !takes_precision(kind)) {
        return invalid_value(
            "42601", "type modifier is not allowed for type \"" + name_of(Type{kind}) + "\""
        );
    }
    if (modifiers.size() > 1) {
        return invalid_value("22023", "invalid type modifier");
    }
    return takes_length
               ? with_length(kind, modifiers[0], kind == Kind::kVarchar ? "varchar" : "char")
               : with_time_precision(kind, modifiers[0]);
}

/// `float(n)`: n bits of precision choose between the two.
Result<Type> float_of_bits(std::int32_t bits) {
    if (bits < 1) {
        return invalid_value("22023", "precision for type float must be at least 1 bit");
    }
    if (bits > kFloat8BitsMax) {
        return invalid_value("22023", "precision for type float must be less than 54 bits");
    }
    return Type{bits <= kFloat4BitsMax ? Kind::kFloat4 : Kind::kFloat8};
}

Result<Type> type_of_spelling(Kind kind, std::string_view words, const Modifiers& modifiers) {
    if (!modifiers.empty()) {
        const bool is_float = words == "float" && modifiers.size() == 1;
        return is_float ? float_of_bits(modifiers.front()) : with_modifiers(kind, modifiers);
    }
    // Only under its internal name does char come without a length.
    const bool is_one_character = kind == Kind::kBpchar && words != "bpchar";
    return is_one_character ? with_length(kind, 1, "char") : Type{kind};
}

/// `interval`, then the names of the fields it keeps, then digits of the second.
std::optional<Result<Type>> interval_of_spelling(const Spelling& spelling) {
    constexpr std::string_view kWord = "interval";
    std::string_view words = spelling.words;
    if (!words.starts_with(kWord)) {
        return std::nullopt;
    }
    words.remove_prefix(kWord.size());
    words.remove_prefix(words.starts_with(' ') ? 1 : 0);
    const IntervalFields fields = interval_fields_named(words);
    const bool has_seconds = (fields & kSecondBit) != 0;
    if (fields == 0 || (!has_seconds && !spelling.modifiers.empty())) {
        return std::nullopt;
    }
    Modifiers modifiers = {static_cast<std::int32_t>(fields)};
    modifiers.insert(modifiers.end(), spelling.modifiers.begin(), spelling.modifiers.end());
    return with_interval_modifiers(modifiers);
}

/// Takes `[]`, `[3]`, ... or ` array`, ` array[3]` off the end; false if there is none.
bool take_array_bounds(std::string& words) {
    bool is_array = false;
    while (words.ends_with(']')) {
        const std::size_t open = words.rfind('[');
        if (open == std::string::npos) {
            return false;
        }
        words = squeeze(words.substr(0, open));
        is_array = true;
    }
    constexpr std::string_view kWord = " array";
    if (words.ends_with(kWord)) {
        words.resize(words.size() - kWord.size());
        is_array = true;
    }
    return is_array;
}

Result<Type> type_without_bounds(std::string_view name) {
    Result<Spelling> spelling = take_apart(name);
    if (!spelling.has_value()) {
        return spelling.error();
    }
    spelling->words = without_catalog_schema(spelling->words);
    if (const auto interval = interval_of_spelling(*spelling)) {
        return *interval;
    }
    const std::string& words = spelling->words;
    const auto* const known = std::ranges::find(kSpellings, words, &Spelled::words);
    if (known != kSpellings.end()) {
        return type_of_spelling(known->kind, words, spelling->modifiers);
    }
    if (std::find(kOtherTypes.begin(), kOtherTypes.end(), words) != kOtherTypes.end()) {
        return unsupported_form("type \"" + squeeze(name) + "\" is not available yet");
    }
    return unsupported_form("\"" + std::string(name) + "\" is not a known type");
}

}  // namespace

Result<Type> parse_type_name(std::string_view name) {
    std::string element = squeeze(name);
    if (!take_array_bounds(element)) {
        return type_without_bounds(name);
    }
    const Result<Type> type = type_without_bounds(element);
    return type.has_value() ? Result<Type>(Type{array_of(type->kind), type->typmod}) : type.error();
}

Result<Type> type_of_catalog_name(
    std::string_view typname, std::span<const std::int32_t> modifiers
) {
    for (const Spelled& known : kSpellings) {
        if (known.words == typname && name_of(Type{known.kind}) == typname) {
            return modifiers.empty() ? Result<Type>(Type{known.kind})
                                     : with_modifiers(known.kind, modifiers);
        }
    }
    return unsupported_form("type \"" + std::string(typname) + "\" is not available yet");
}

}  // namespace pgveil::types
