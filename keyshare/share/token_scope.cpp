#include "keyshare/share/token_scope.hpp"

#include "keyshare/share/binary_fields.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace pgveil::share {
namespace {

constexpr std::string_view kScopeFormat = "pgveil/1 token scope";
constexpr std::size_t kNameSizeMax = 63;  // PostgreSQL's own limit

bool is_name(std::string_view name) {
    return !name.empty() && name.size() <= kNameSizeMax &&
           std::ranges::all_of(name, [](char letter) {
               return static_cast<unsigned char>(letter) >= 0x20 && letter != 0x7F;
           });
}

bool is_table(std::string_view table) {
    const std::size_t dot = table.find('.');
    return dot != std::string_view::npos && is_name(table.substr(0, dot)) &&
           is_name(table.substr(dot + 1)) && table.find('.', dot + 1) == std::string_view::npos &&
           table.find(',') == std::string_view::npos && !table.ends_with(".*");
}

bool are_tables(const std::vector<std::string>& tables) {
    const bool ascends =
        std::ranges::adjacent_find(tables, std::ranges::greater_equal()) == tables.end();
    return ascends && tables.size() <= kScopeTablesMax && std::ranges::all_of(tables, is_table);
}

Error malformed() {
    return Error{ErrorCode::kMalformed, "its scope is not of a form this program knows"};
}

/// One restriction: its name and its value, which is read as the name says.
class Restrictions {
public:
    explicit Restrictions(core::ByteView bytes) : reader_(bytes, kScopeFormat) {}

    Result<TokenScope> read() {
        std::string last;
        for (std::uint32_t left = reader_.u32(); left > 0 && !reader_.failed(); --left) {
            const std::string name = reader_.text();
            if (reader_.failed() || name <= last) {
                return malformed();
            }
            if (!take(name)) {
                return Error{ErrorCode::kUnsupported, "a restriction it does not know"};
            }
            last = name;
        }
        const bool is_valid = reader_.ok() && scope_.restricts() && are_tables(scope_.tables);
        return is_valid ? Result<TokenScope>(std::move(scope_)) : Result<TokenScope>(malformed());
    }

private:
    bool take(std::string_view name) {
        if (name == "challenge") {
            scope_.challenge = reader_.array<std::tuple_size_v<Nonce>>();
        } else if (name == "maintain") {
            scope_.maintain = true;
            static_cast<void>(reader_.bytes(0));
        } else if (name == "read_only") {
            scope_.read_only = true;
            static_cast<void>(reader_.bytes(0));
        } else if (name == "role") {
            scope_.role = reader_.text();
            require(is_name(scope_.role));
        } else if (name == "statements") {
            scope_.statements = count();
        } else if (name == "tables") {
            for (std::uint32_t left = count(); left > 0 && !reader_.failed(); --left) {
                scope_.tables.push_back(reader_.text());
            }
        } else if (name == "tls") {
            scope_.tls = reader_.array<std::tuple_size_v<Digest>>();
        } else if (name == "uses") {
            scope_.uses = count();
        } else {
            return false;
        }
        return true;
    }

    std::uint32_t count() {
        const std::uint32_t value = reader_.u32();
        require(value > 0);
        return value;
    }

    void require(bool holds) {
        if (!holds) {
            reader_.fail();
        }
    }

    FieldReader reader_;
    TokenScope scope_;
};

std::uint32_t restrictions_of(const TokenScope& scope) {
    const std::array<bool, 8> given = {
        scope.challenge.has_value(),
        scope.maintain,
        scope.read_only,
        !scope.role.empty(),
        scope.statements > 0,
        !scope.tables.empty(),
        scope.tls.has_value(),
        scope.uses > 0};
    return static_cast<std::uint32_t>(std::ranges::count(given, true));
}

void write_tables(FieldWriter& writer, const std::vector<std::string>& tables) {
    if (tables.empty()) {
        return;
    }
    writer.text("tables").u32(static_cast<std::uint32_t>(tables.size()));
    for (const std::string& table : tables) {
        writer.text(table);
    }
}

std::string_view without_blanks(std::string_view word) {
    constexpr std::string_view kBlanks = " \t";
    const std::size_t begin = word.find_first_not_of(kBlanks);
    return begin == std::string_view::npos
               ? std::string_view()
               : word.substr(begin, word.find_last_not_of(kBlanks) - begin + 1);
}

}  // namespace

bool TokenScope::covers_table(std::string_view schema, std::string_view table) const {
    return tables.empty() || std::ranges::any_of(tables, [&](std::string_view named) {
               const std::size_t dot = named.find('.');
               return named.substr(dot + 1) == table &&
                      (named.substr(0, dot) == "*" || named.substr(0, dot) == schema);
           });
}

Result<std::vector<std::string>> parse_scope_tables(std::string_view text) {
    std::vector<std::string> tables;
    for (;;) {
        const std::size_t comma = text.find(',');
        const std::string_view word = without_blanks(text.substr(0, comma));
        tables.push_back(
            word.find('.') == std::string_view::npos ? "*." + std::string(word) : std::string(word)
        );
        if (!is_table(tables.back())) {
            return Error{
                ErrorCode::kInvalidArgument,
                "\"" + std::string(word) +
                    "\" is no table: write table or schema.table, separated by commas"};
        }
        if (comma == std::string_view::npos) {
            break;
        }
        text.remove_prefix(comma + 1);
    }
    std::ranges::sort(tables);
    tables.erase(std::unique(tables.begin(), tables.end()), tables.end());
    if (tables.size() > kScopeTablesMax) {
        return Error{
            ErrorCode::kInvalidArgument,
            "a token names at most " + std::to_string(kScopeTablesMax) + " tables"};
    }
    return tables;
}

Result<std::string> serialize(const TokenScope& scope) {
    if (!scope.restricts()) {
        return std::string();
    }
    if (!are_tables(scope.tables) || (!scope.role.empty() && !is_name(scope.role))) {
        return Error{
            ErrorCode::kInvalidArgument,
            "a scope needs a role and tables as PostgreSQL names them"};
    }
    FieldWriter writer(kScopeFormat);
    writer.u32(restrictions_of(scope));
    if (scope.challenge) {
        writer.text("challenge").bytes(*scope.challenge);
    }
    if (scope.maintain) {
        writer.text("maintain").bytes({});
    }
    if (scope.read_only) {
        writer.text("read_only").bytes({});
    }
    if (!scope.role.empty()) {
        writer.text("role").text(scope.role);
    }
    if (scope.statements > 0) {
        writer.text("statements").u32(scope.statements);
    }
    write_tables(writer, scope.tables);
    if (scope.tls) {
        writer.text("tls").bytes(*scope.tls);
    }
    if (scope.uses > 0) {
        writer.text("uses").u32(scope.uses);
    }
    const core::SecretBytes bytes = std::move(writer).finish();
    return std::string(core::as_text(bytes.reveal()));
}

Result<TokenScope> parse_token_scope(std::string_view bytes) {
    return Restrictions(core::as_bytes(bytes)).read();
}

}  // namespace pgveil::share
