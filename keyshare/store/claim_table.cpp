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

SealedClaim sealed_claim(const RowSeal& seal, const TokenClaim& claim, core::RandomSource& random) {
    RowName name = name_of(claim.nonce);
    const core::SecretBytes body = serialize(claim);
    core::Bytes sealed = seal.seal(name, 0, body.reveal(), random);
    // The note of what was forgotten outlives what it is about.
    const std::int64_t kept_until_s =
        forgotten_in(claim) ? std::numeric_limits<std::int64_t>::max() : claim.expires_s;
    return {std::move(name.key), kept_until_s, std::move(sealed)};
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

Result<std::int64_t> ClaimTable::raise_note(
    const share::Nonce& name, std::int64_t value, core::RandomSource& random
) const {
    constexpr int kAttemptsMax = 8;
    for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
        const auto made = add({name, {}, 0}, random);  // not durable: what replaces it is
        if (!made.has_value()) {
            return made.error();
        }
        const auto standing = find(name);
        if (!standing.has_value()) {
            return standing.error();
        }
        if (standing->claim.expires_s >= value) {
            return standing->claim.expires_s;
        }
        const auto raised = replace({name, {}, value}, standing->sealed, random);
        if (!raised.has_value()) {
            return raised.error();
        }
        if (*raised) {
            return value;
        }
    }
    return Error{ErrorCode::kUnavailable, "too many proxies forget tokens at once"};
}

Result<TokenSpan> ClaimTable::note_forgotten(TokenSpan forgotten, core::RandomSource& random)
    const {
    const auto issued = raise_note(kNewestBeginning, forgotten.issued_s, random);
    if (!issued.has_value()) {
        return issued.error();
    }
    const auto ends = raise_note(kLatestEnd, forgotten.expires_s, random);
    if (!ends.has_value()) {
        return ends.error();
    }
    return TokenSpan{*issued, *ends};
}

Result<std::optional<TokenClaim>> ClaimTable::add(
    const TokenClaim& claim, core::RandomSource& random
) const {
    const SealedClaim sealed = sealed_claim(*seal_, claim, random);
    const auto standing = rows_->claim(sealed);
    if (!standing.has_value()) {
        return standing.error();
    }
    if (!standing->has_value()) {
        return std::optional<TokenClaim>();
    }
    auto opened = open_claim(*seal_, sealed.key, **standing);
    if (!opened.has_value()) {
        return opened.error();
    }
    return std::optional(*std::move(opened));
}

Result<ClaimTable::Standing> ClaimTable::find(const share::Nonce& nonce) const {
    const RowName name = name_of(nonce);
    auto sealed = rows_->find_claim(name.key);
    if (!sealed.has_value()) {
        return sealed.error();
    }
    if (!sealed->has_value()) {
        return broken_store("has lost the claim of a token");
    }
    auto opened = open_claim(*seal_, name.key, **sealed);
    if (!opened.has_value()) {
        return opened.error();
    }
    return Standing{*std::move(opened), **std::move(sealed)};
}

Result<bool> ClaimTable::replace(
    const TokenClaim& claim, const core::Bytes& former, core::RandomSource& random
) const {
    return rows_->replace_claim(sealed_claim(*seal_, claim, random), former);
}

Result<std::vector<TokenClaim>> ClaimTable::all() const {
    const auto rows = rows_->claims();
    if (!rows.has_value()) {
        return rows.error();
    }
    std::vector<TokenClaim> claims;
    for (const SealedClaim& row : *rows) {
        auto claim = open_claim(*seal_, row.key, row.sealed);
        if (!claim.has_value()) {
            return claim.error();
        }
        claims.push_back(*std::move(claim));
    }
    return claims;
}

Result<void> ClaimTable::forget_expired(std::int64_t now_s) const {
    return rows_->forget_claims(now_s);
}

Result<std::vector<SealedClaim>> ClaimTable::sealed_under(
    const RowSeal& fresh, core::RandomSource& random
) const {
    const auto claims = all();
    if (!claims.has_value()) {
        return claims.error();
    }
    std::vector<SealedClaim> sealed;
    for (const TokenClaim& claim : *claims) {
        sealed.push_back(sealed_claim(fresh, claim, random));
    }
    return sealed;
}

}  // namespace pgveil::store
