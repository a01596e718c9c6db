#include "keyshare/store/claim_table.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/share/binary_fields.hpp"

#include <limits>
#include <optional>
#include <utility>

namespace pgveil::store {
namespace {

constexpr std::string_view kFormat = "pgveil/1 token claim";
constexpr std::string_view kCountedFormat = "pgveil/1 counted token claim";

// Of the notes about what was forgotten.
constexpr share::Nonce kLatestEnd{};
constexpr share::Nonce kNewestBeginning{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

RowName name_of(const share::Nonce& nonce) {
    return {"token_claim", core::base64url_encode(nonce)};
}

core::SecretBytes serialize(const TokenClaim& claim) {
    const bool is_counted = claim.uses > 0 || claim.statements > 0;
    share::FieldWriter writer(is_counted ? kCountedFormat : kFormat);
    writer.bytes(claim.nonce).text(claim.login).i64(claim.expires_s);
    if (is_counted) {
        writer.u32(claim.uses).u32(claim.statements);
    }
    return std::move(writer).finish();
}

std::optional<TokenClaim> read_claim(core::ByteView bytes, bool is_counted) {
    share::FieldReader reader(bytes, is_counted ? kCountedFormat : kFormat);
    TokenClaim claim;
    claim.nonce = reader.array<std::tuple_size_v<share::Nonce>>();
    claim.login = reader.text();
    claim.expires_s = reader.i64();
    if (is_counted) {
        claim.uses = reader.u32();
        claim.statements = reader.u32();
    }
    return reader.ok() ? std::optional(std::move(claim)) : std::nullopt;
}

Result<TokenClaim> open_claim(const RowSeal& seal, const std::string& key, core::ByteView sealed) {
    const auto opened = seal.open({"token_claim", key}, {0, core::to_bytes(sealed)});
    if (!opened.has_value()) {
        return opened.error();
    }
    auto claim = read_claim(opened->reveal(), false);
    if (!claim) {
        claim = read_claim(opened->reveal(), true);
    }
    if (!claim) {
        return broken_store("holds a token claim of a form this program does not know");
    }
    return *std::move(claim);
}

Result<void> put(
    const Database& database,
    const RowSeal& seal,
    const TokenClaim& claim,
    core::RandomSource& random
) {
    auto statement = database.prepare(
        "INSERT OR REPLACE INTO token_claim (nonce, expires, sealed) VALUES (?, ?, ?)"
    );
    if (!statement.has_value()) {
        return statement.error();
    }
    const RowName name = name_of(claim.nonce);
    const core::SecretBytes body = serialize(claim);
    const core::Bytes sealed = seal.seal(name, 0, body.reveal(), random);
    // The note of what was forgotten outlives what it is about.
    const std::int64_t kept_until_s =
        forgotten_in(claim) ? std::numeric_limits<std::int64_t>::max() : claim.expires_s;
    const auto done =
        statement->bind(name.key).bind(kept_until_s).bind(core::ByteView(sealed)).step();
    return done.has_value() ? Result<void>() : done.error();
}

}  // namespace

std::optional<TokenSpan> forgotten_in(const TokenClaim& claim) {
    if (claim.nonce == kLatestEnd) {
        return TokenSpan{0, claim.expires_s};
    }
    if (claim.nonce == kNewestBeginning) {
        return TokenSpan{claim.expires_s, 0};
    }
    return std::nullopt;
}

Result<void> ClaimTable::note_forgotten(TokenSpan forgotten, core::RandomSource& random) const {
    const auto done = put(*database_, *seal_, {kNewestBeginning, {}, forgotten.issued_s}, random);
    return done.has_value() ? put(*database_, *seal_, {kLatestEnd, {}, forgotten.expires_s}, random)
                            : done;
}

Result<void> ClaimTable::add(const TokenClaim& claim, core::RandomSource& random) const {
    const auto hasty = database_->run("PRAGMA synchronous = NORMAL");
    if (!hasty.has_value()) {
        return hasty;
    }
    const auto done = put(*database_, *seal_, claim, random);
    const auto careful = database_->run("PRAGMA synchronous = FULL");
    return done.has_value() ? careful : done;
}

Result<void> ClaimTable::count(const TokenClaim& claim, core::RandomSource& random) const {
    return put(*database_, *seal_, claim, random);
}

Result<std::vector<TokenClaim>> ClaimTable::all() const {
    auto rows = database_->prepare("SELECT nonce, sealed FROM token_claim");
    if (!rows.has_value()) {
        return rows.error();
    }
    std::vector<TokenClaim> claims;
    for (;;) {
        const auto more = rows->step();
        if (!more.has_value()) {
            return more.error();
        }
        if (!*more) {
            return claims;
        }
        auto claim = open_claim(*seal_, rows->text(0), rows->blob(1));
        if (!claim.has_value()) {
            return claim.error();
        }
        claims.push_back(*std::move(claim));
    }
}

Result<void> ClaimTable::forget_expired(std::int64_t now_s) const {
    auto statement = database_->prepare("DELETE FROM token_claim WHERE expires <= ?");
    if (!statement.has_value()) {
        return statement.error();
    }
    const auto done = statement->bind(now_s).step();
    return done.has_value() ? Result<void>() : done.error();
}

Result<void> ClaimTable::reseal(const RowSeal& fresh, core::RandomSource& random) const {
    const auto claims = all();
    if (!claims.has_value()) {
        return claims.error();
    }
    for (const TokenClaim& claim : *claims) {
        const auto done = put(*database_, fresh, claim, random);
        if (!done.has_value()) {
            return done;
        }
    }
    return {};
}

}  // namespace pgveil::store
