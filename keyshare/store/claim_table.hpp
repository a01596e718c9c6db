#pragma once

#include "keyshare/core/random.hpp"
#include "keyshare/share/key_kinds.hpp"
#include "keyshare/store/error.hpp"
#include "keyshare/store/nonce_book.hpp"
#include "keyshare/store/row_seal.hpp"
#include "keyshare/store/sqlite.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pgveil::store {

/// Which login first used a token, and until when that matters (Unix seconds).
struct TokenClaim {
    share::Nonce nonce{};
    std::string login;
    std::int64_t expires_s = 0;
    std::uint32_t uses = 0;        ///< given, or reserved to be given
    std::uint32_t statements = 0;  ///< the same
};

/// What was forgotten, if this is no claim but a note about that. Its nonce is 0 (the latest end)
/// or 1 (the newest beginning), which no token has.
std::optional<TokenSpan> forgotten_in(const TokenClaim& claim);

/// The first uses of tokens in the share store's file, so that a restart of the proxy does not
/// forget them. Sealed like rows, but each for itself: the root row does not vouch for them. A new
/// claim is not waited for on disk: it survives the end of the process, not of the machine (which
/// takes longer to come back than most tokens live).
class ClaimTable {
public:
    static constexpr const char* kSchema =
        "CREATE TABLE IF NOT EXISTS token_claim ("
        " nonce TEXT NOT NULL PRIMARY KEY, expires INTEGER NOT NULL, sealed BLOB NOT NULL)"
        " WITHOUT ROWID;";

    /// Borrows both for its own life.
    ClaimTable(const Database& database, const RowSeal& seal)
        : database_(&database), seal_(&seal) {}

    Result<void> add(const TokenClaim& claim, core::RandomSource& random) const;
    /// Writes the claim anew with higher counts, and waits until the disk has it.
    Result<void> count(const TokenClaim& claim, core::RandomSource& random) const;
    /// kBroken if one does not open.
    Result<std::vector<TokenClaim>> all() const;
    Result<void> forget_expired(std::int64_t now_s) const;
    /// Notes what is forgotten (NonceBook::forgotten), and waits until the disk has it. all() gives
    /// it back as the claims for which forgotten_in() is not empty.
    Result<void> note_forgotten(TokenSpan forgotten, core::RandomSource& random) const;
    /// Seals all anew; the caller holds a transaction.
    Result<void> reseal(const RowSeal& fresh, core::RandomSource& random) const;

private:
    const Database* database_;
    const RowSeal* seal_;
};

}  // namespace pgveil::store
