#pragma once

#include "keyshare/core/random.hpp"
#include "keyshare/share/key_kinds.hpp"
#include "keyshare/store/error.hpp"
#include "keyshare/store/nonce_book.hpp"
#include "keyshare/store/row_seal.hpp"
#include "keyshare/store/row_store.hpp"

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

/// The first uses of tokens in the share store, so that a restart of the proxy does not forget them
/// and other proxies on the store know them. Sealed like rows, but each for itself: the root row
/// does not vouch for them. A new claim is not waited for on disk: it survives the end of the
/// process, not of the machine (which takes longer to come back than most tokens live). Threads as
/// RowStore.
class ClaimTable {
public:
    /// Borrows both for its own life.
    ClaimTable(RowStore& rows, const RowSeal& seal) : rows_(&rows), seal_(&seal) {}

    /// Writes it down, unless the token was claimed before: then what stands there. Nothing: it was
    /// the first.
    Result<std::optional<TokenClaim>> add(const TokenClaim& claim, core::RandomSource& random)
        const;

    /// The claim as it stands in the store, with its sealed form for replace().
    struct Standing {
        TokenClaim claim;
        core::Bytes sealed;
    };

    /// kBroken: there is none.
    Result<Standing> find(const share::Nonce& nonce) const;
    /// Writes the claim anew with higher counts in the place of `former`, and waits until the disk
    /// has it. False: it was not there any more.
    Result<bool> replace(
        const TokenClaim& claim, const core::Bytes& former, core::RandomSource& random
    ) const;
    /// kBroken if one does not open.
    Result<std::vector<TokenClaim>> all() const;
    Result<void> forget_expired(std::int64_t now_s) const;
    /// Notes what is forgotten (NonceBook::forgotten), and waits until the disk has it. Gives what
    /// is noted then, which others on the store may have raised. all() gives it back as the claims
    /// for which forgotten_in() is not empty.
    Result<TokenSpan> note_forgotten(TokenSpan forgotten, core::RandomSource& random) const;
    /// All of them under another seal.
    Result<std::vector<SealedClaim>> sealed_under(const RowSeal& fresh, core::RandomSource& random)
        const;

private:
    Result<std::int64_t> raise_note(
        const share::Nonce& name, std::int64_t value, core::RandomSource& random
    ) const;

    RowStore* rows_;
    const RowSeal* seal_;
};

}  // namespace pgveil::store
