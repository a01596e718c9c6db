#include "keyshare/custodian/fetch.hpp"

#include "keyshare/custodian/own_seat.hpp"
#include "keyshare/custody/succession.hpp"
#include "keyshare/envelope/told.hpp"

#include <string>
#include <utility>

namespace pgveil::custodian {

using envelope::told;

namespace {

/// The file of the former epoch stays beside: receipts of its time are checked with it.
void keep_both(
    const std::string& file, const custody::PinnedGroup& former, const custody::PinnedGroup& newest
) {
    if (former != newest) {
        const std::string beside = file + ".epoch-" + std::to_string(former.group.epoch);
        if (custody::save_group(beside, former).has_value()) {
            custody::keep_newest(file, former, newest);
        }
    }
}

}  // namespace

Fetch::Fetch(
    FetchDeposit arguments,
    quorum::Deposit deposit,
    quorum::Withdrawal withdrawal,
    custody::Asker asker
)
    : arguments_(std::move(arguments)),
      deposit_(std::move(deposit)),
      withdrawal_(std::move(withdrawal)),
      asker_(std::move(asker)) {}

user::Result<Fetch> Fetch::begin(const FetchDeposit& arguments, const quorum::Deposit& deposit) {
    auto settings = custody::load_asker_settings(arguments.custodians);
    if (!settings) {
        return told(settings.error());
    }
    auto pinned = custody::load_group(arguments.group);
    if (!pinned) {
        return told(pinned.error());
    }
    // The own share is of one epoch, and its custodian, which does not serve, leads to no other.
    if (!arguments.own.empty()) {
        auto newest = custody::newest_of(*settings, *pinned, custody::AskTimes().limit);
        keep_both(arguments.group, *pinned, newest);
        *pinned = std::move(newest);
    }
    auto asker = custody::Asker::make(*std::move(settings), *std::move(pinned));
    return asker ? with(arguments, deposit, *std::move(asker)) : told(asker.error());
}

user::Result<Fetch> Fetch::with(
    const FetchDeposit& arguments, const quorum::Deposit& deposit, custody::Asker asker
) {
    auto withdrawal = quorum::Withdrawal::begin(
        asker.pinned().group, deposit, asker.requester(), arguments.purpose
    );
    if (!withdrawal) {
        return user::unusable(arguments.deposit + ": " + withdrawal.error().message);
    }
    return Fetch(arguments, deposit, *std::move(withdrawal), std::move(asker));
}

user::Result<void> Fetch::gather() {
    auto gathered = gather_once();
    if (gathered) {
        return gathered;
    }
    const custody::PinnedGroup former = asker_.pinned();
    const auto followed = asker_.follow();
    if (!followed) {
        return told(followed.error());
    }
    if (!*followed) {
        return gathered;
    }
    auto again = with(arguments_, deposit_, std::move(asker_));
    if (!again) {
        return again.error();
    }
    *this = *std::move(again);
    keep_both(arguments_.group, former, asker_.pinned());
    return gather_once();
}

user::Result<void> Fetch::gather_once() {
    std::uint32_t index = 0;
    if (!arguments_.own.empty()) {
        const auto taken = take_own();
        if (!taken) {
            return taken.error();
        }
        index = *taken;
    }
    const auto gathered = asker_.gather(
        withdrawal_.request(),
        {asker_.pinned().group.threshold - (index == 0 ? 0U : 1U),
         [this](std::uint32_t member, core::ByteView sealed) {
             return withdrawal_.take(member, sealed);
         },
         index}
    );
    return gathered ? user::Result<void>() : told(gathered.error());
}

user::Result<std::uint32_t> Fetch::take_own() {
    auto seat = OwnSeat::open(arguments_.own);
    if (!seat) {
        return seat.error();
    }
    const auto index = seat->index_in(asker_.pinned().group);
    if (!index) {
        return index;
    }
    const auto sealed = seat->answer(withdrawal_.request());
    if (!sealed) {
        return sealed.error();
    }
    const auto taken = withdrawal_.take(*index, *sealed);
    return taken ? index : user::failed(taken.error().message);
}

user::Result<core::SecretBytes> Fetch::open(const std::optional<core::HpkeKeyPair>& user) const {
    auto secret = user ? withdrawal_.open_with(*user) : withdrawal_.open();
    return secret ? user::Result<core::SecretBytes>(*std::move(secret))
                  : user::failed(secret.error().message);
}

custody::Receipt Fetch::receipt() const {
    return {
        core::sha256(quorum::serialize(deposit_)),
        withdrawal_.request(),
        withdrawal_.participations()};
}

void Fetch::note_members(const user::Console& console) const {
    std::string names;
    for (const quorum::Participation& one : withdrawal_.participations()) {
        names += (names.empty() ? "" : ", ") + asker_.pinned().members[one.index - 1];
    }
    for (const custody::Absence& absence : asker_.absences()) {
        console.note(absence.custodian + " does not help: " + absence.why);
    }
    console.note("opened with the parts of " + names);
}

}  // namespace pgveil::custodian
