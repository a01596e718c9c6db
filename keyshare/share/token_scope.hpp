#pragma once

#include "keyshare/share/error.hpp"
#include "keyshare/share/key_kinds.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::share {

/// More tables than this are not named in one scope.
inline constexpr std::size_t kScopeTablesMax = 32;

/// What a token may be used for, where that is less than everything (CRYPTO.md section 3). The user
/// sets it; nobody who only holds the token can widen it. docs/FORMATS.md, "Scope".
struct TokenScope {
    bool read_only = false;
    /// `schema.table`, or `*.table` for every table of that name; sorted, each once. Empty: any.
    std::vector<std::string> tables = {};
    std::string role = {};         ///< the database role that may present it; empty: any
    std::uint32_t uses = 0;        ///< so many sessions may begin to use it; 0: any number
    std::uint32_t statements = 0;  ///< so many statements get keys from it; 0: any number

    /// What P gave to the session that may present it, and no other one (share::Challenges). Then
    /// the token's times count from that moment, by P's clock.
    std::optional<Nonce> challenge = {};
    /// It may touch the tables of a migration, which no other token may.
    bool maintain = false;
    /// The TLS connection to P that may present it, by its exporter (RFC 9266). No middle man who
    /// ends TLS himself, and no copy of the token, has another one.
    std::optional<Digest> tls = {};

    bool restricts() const {
        return read_only || !tables.empty() || !role.empty() || is_counted() || challenge ||
               maintain || tls;
    }

    bool is_counted() const { return uses > 0 || statements > 0; }

    /// The scope names this table, or any.
    bool covers_table(std::string_view schema, std::string_view table) const;

    friend bool operator==(const TokenScope&, const TokenScope&) = default;
};

/// Null: the token is not restricted.
using TokenScopePtr = std::shared_ptr<const TokenScope>;

/// The scope as people write it: `table`, `schema.table`, `*.table`, separated by commas. Sorted,
/// each once; a name without schema means the table of that name in every schema.
/// kInvalidArgument: a name that is none, or too many.
Result<std::vector<std::string>> parse_scope_tables(std::string_view text);

/// The bytes of the token's field `scope`; empty if nothing is restricted. kInvalidArgument: a role
/// or table that is no name.
Result<std::string> serialize(const TokenScope& scope);

/// kUnsupported: a restriction that this version does not know. kMalformed: no scope, or not in its
/// one canonical form.
Result<TokenScope> parse_token_scope(std::string_view bytes);

}  // namespace pgveil::share
