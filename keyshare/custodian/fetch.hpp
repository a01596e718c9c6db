#pragma once

#include "keyshare/core/hpke.hpp"
#include "keyshare/core/secret.hpp"
#include "keyshare/custodian/deposits.hpp"
#include "keyshare/custody/asker.hpp"
#include "keyshare/custody/receipt.hpp"
#include "keyshare/quorum/deposit.hpp"

#include <cstdint>
#include <optional>

namespace pgveil::custodian {

/// One secret being fetched from the custody of a group. Move-only, wiped with the object. One
/// thread; blocks for the calls.
class Fetch {
public:
    /// kUsage where settings, group or deposit do not fit each other.
    static user::Result<Fetch> begin(const FetchDeposit& arguments, const quorum::Deposit& deposit);

    /// Until t have answered, the person's own share first; where the group has gone on since its
    /// file was written, of the newest epoch, which then stands in that file, and the
    /// former one beside it.
    user::Result<void> gather();

    /// After gather(), with the person's key for a deposit that needs one.
    user::Result<core::SecretBytes> open(const std::optional<core::HpkeKeyPair>& user) const;
    custody::Receipt receipt() const;

    /// Says whose parts it was opened with, and who was asked in vain.
    void note_members(const user::Console& console) const;

private:
    Fetch(
        FetchDeposit arguments,
        quorum::Deposit deposit,
        quorum::Withdrawal withdrawal,
        custody::Asker asker
    );

    static user::Result<Fetch> with(
        const FetchDeposit& arguments, const quorum::Deposit& deposit, custody::Asker asker
    );

    user::Result<void> gather_once();
    user::Result<std::uint32_t> take_own();

    FetchDeposit arguments_;
    quorum::Deposit deposit_;
    quorum::Withdrawal withdrawal_;
    custody::Asker asker_;
};

}  // namespace pgveil::custodian
