#include "keyshare/custodian/deposits.hpp"

#include "keyshare/core/lp.hpp"
#include "keyshare/core/random.hpp"
#include "keyshare/custodian/fetch.hpp"
#include "keyshare/custody/receipt.hpp"
#include "keyshare/envelope/told.hpp"
#include "keyshare/quorum/deposit.hpp"
#include "keyshare/user/private_file.hpp"

#include <optional>
#include <string_view>
#include <utility>

namespace pgveil::custodian {
namespace {

using envelope::told;
using quorum::Keeping;

constexpr std::string_view kUserKeyTitle = "pgveil deposit key 1";
constexpr std::size_t kUserKeyFileMax = 200;
constexpr std::size_t kGeneratedSize = 32;
/// Secret, point, fingerprint and titles.
constexpr std::size_t kDepositFileMax = kDepositMax + 1000;

user::Result<custody::PinnedGroup> pinned_in(const std::string& file) {
    auto pinned = custody::load_group(file);
    return pinned ? user::Result<custody::PinnedGroup>(*std::move(pinned)) : told(pinned.error());
}

std::optional<Keeping> keeping_of(std::string_view word) {
    if (word == "key") {
        return Keeping::kPrivateKey;
    }
    if (word == "share") {
        return Keeping::kShare;
    }
    return word == "nothing" ? std::optional(Keeping::kNothing) : std::nullopt;
}

user::Result<core::HpkeKeyPair> read_user_key(const std::string& file) {
    const auto bytes = user::read_private_file(file, kUserKeyFileMax);
    if (!bytes) {
        return bytes.error();
    }
    const user::Error unusable = user::unusable(
        file + " is no private key: take the file that `pgveil-custodian deposit key` wrote"
    );
    const auto parts = core::split_length_prefixed(bytes->reveal(), 2);
    if (!parts || core::as_text((*parts)[0]) != kUserKeyTitle) {
        return unusable;
    }
    auto scalar = core::Scalar::from((*parts)[1]);
    if (!scalar) {
        return unusable;
    }
    auto pair = core::HpkeKeyPair::from_scalar(*std::move(scalar));
    return pair ? user::Result<core::HpkeKeyPair>(*std::move(pair)) : unusable;
}

user::Result<core::SecretBytes> secret_of(const CreateDeposit& arguments) {
    if (arguments.is_generated) {
        core::SecretBytes fresh(kGeneratedSize);
        core::system_random().fill(fresh.reveal_mutable());
        return fresh;
    }
    const auto from = envelope::FileSource::open(arguments.file);
    if (!from) {
        return from.error();
    }
    core::SecretBytes secret(kDepositMax + 1);
    const auto size = (*from)->read(secret.reveal_mutable());
    if (!size) {
        return size.error();
    }
    if (*size == 0 || *size > kDepositMax) {
        return user::unusable(
            arguments.file + " has " + (*size == 0 ? "nothing in it" : "more than 16 KiB") +
            ": a deposit is for a key or another short secret; protect a longer file with "
            "pgveil-envelope seal, and it is opened by the same group"
        );
    }
    secret.resize_down(*size);
    return secret;
}

user::Result<void> write_out(envelope::Output& out, core::ByteView bytes) {
    const auto written = out.write(bytes);
    return written ? out.finish() : written;
}

user::Result<quorum::Deposit> read_deposit(const std::string& file) {
    const auto bytes = user::read_public_file(file, kDepositFileMax);
    if (!bytes) {
        return bytes.error();
    }
    auto deposit = quorum::parse_deposit(core::as_bytes(*bytes));
    return deposit ? user::Result<quorum::Deposit>(*std::move(deposit))
                   : user::unusable(
                         file +
                         " is no deposit: take the file that `pgveil-custodian deposit create` "
                         "wrote"
                     );
}

user::Result<quorum::Deposit> made(
    const CreateDeposit& arguments, const core::PublicPoint& group, const core::SecretBytes& secret
) {
    const auto keeping = keeping_of(arguments.keeping);
    if (!keeping || (*keeping == Keeping::kPrivateKey) != !arguments.user_key.empty()) {
        return user::unusable(
            "--keep key has --for PUBLICKEY, which `pgveil-custodian deposit key` prints; --keep "
            "share and --keep nothing have none"
        );
    }
    if (*keeping != Keeping::kPrivateKey) {
        return quorum::deposit_secret(group, *keeping, secret.reveal(), core::system_random());
    }
    const auto user_key = custody::parse_identity(arguments.user_key);
    if (!user_key) {
        return user::unusable(
            "--for: \"" + custody::printable(arguments.user_key) +
            "\" is no public key: take what `pgveil-custodian deposit key` printed"
        );
    }
    return quorum::deposit_secret_for(group, *user_key, secret.reveal(), core::system_random());
}

/// The key that the deposit needs; none for one that needs none.
user::Result<std::optional<core::HpkeKeyPair>> key_for(
    const FetchDeposit& arguments, const quorum::Deposit& deposit
) {
    const bool needs_key = deposit.keeping == Keeping::kPrivateKey;
    if (needs_key == arguments.user_key.empty()) {
        return user::unusable(
            arguments.deposit + (needs_key ? " opens with the user's private key besides the "
                                             "custodians: name its file with --key"
                                           : " has no private key of a user: leave --key away")
        );
    }
    if (!needs_key) {
        return std::optional<core::HpkeKeyPair>();
    }
    auto pair = read_user_key(arguments.user_key);
    return pair ? user::Result<std::optional<core::HpkeKeyPair>>(*std::move(pair)) : pair.error();
}

/// For those who keep nothing the members saw another point, so that the asker's word counts.
user::Result<void> require_deposit(
    const VerifyReceipt& arguments, const custody::Receipt& receipt
) {
    if (arguments.deposit.empty()) {
        return {};
    }
    const auto deposit = read_deposit(arguments.deposit);
    if (!deposit) {
        return deposit.error();
    }
    const bool is_seen = deposit->keeping != Keeping::kNothing;
    if (receipt.deposit != core::sha256(quorum::serialize(*deposit)) ||
        (is_seen && receipt.request.point != deposit->point)) {
        return user::failed(arguments.receipt + " is of another deposit than " + arguments.deposit);
    }
    return {};
}

user::Result<void> keep_receipt(const FetchDeposit& arguments, const custody::Receipt& receipt) {
    if (arguments.receipt.empty()) {
        return {};
    }
    const auto out =
        envelope::open_output(arguments.receipt, user::Audience::kAnybody, arguments.existing);
    if (!out) {
        return out.error();
    }
    const std::string text = custody::write_receipt(receipt);
    return write_out(**out, core::as_bytes(text));
}

}  // namespace

user::Result<void> make_user_key(const user::Console& console, const std::string& out) {
    const auto pair = core::HpkeKeyPair::generate();
    const core::SecretBytes bytes =
        core::secret_length_prefixed({core::as_bytes(kUserKeyTitle), pair.scalar.reveal()});
    if (auto created = user::create_file(out, bytes.reveal(), user::Audience::kOwner); !created) {
        return created;
    }
    console.print(custody::identity_text(pair.point) + "\n");
    return {};
}

user::Result<void> create_deposit(const user::Console& console, const CreateDeposit& arguments) {
    if (arguments.is_generated != arguments.file.empty()) {
        return user::unusable("name the file with the secret, or have one made with --generate");
    }
    const auto pinned = pinned_in(arguments.group);
    if (!pinned) {
        return pinned.error();
    }
    const auto secret = secret_of(arguments);
    if (!secret) {
        return secret.error();
    }
    const auto deposit = made(arguments, pinned->group.public_key(), *secret);
    if (!deposit) {
        return deposit.error();
    }
    const auto out =
        envelope::open_output(arguments.out, user::Audience::kAnybody, arguments.existing);
    if (!out) {
        return out.error();
    }
    if (auto written = write_out(**out, quorum::serialize(*deposit)); !written) {
        return written;
    }
    console.note(
        "deposited with " + std::to_string(pinned->members.size()) + " custodians, of whom " +
        std::to_string(pinned->group.threshold) +
        " open it; whoever holds the file cannot, but without it nobody can: keep copies"
    );
    return {};
}

user::Result<void> fetch_deposit(const user::Console& console, const FetchDeposit& arguments) {
    const auto deposit = read_deposit(arguments.deposit);
    if (!deposit) {
        return deposit.error();
    }
    if (!arguments.own.empty() && deposit->keeping != Keeping::kShare) {
        return user::unusable(
            arguments.deposit + " was not made with --keep share: leave --own away"
        );
    }
    const auto key = key_for(arguments, *deposit);
    if (!key) {
        return key.error();
    }
    // Before anybody is asked: a name may be taken.
    const auto out =
        envelope::open_output(arguments.out, user::Audience::kOwner, arguments.existing);
    if (!out) {
        return out.error();
    }
    auto fetch = Fetch::begin(arguments, *deposit);
    if (!fetch) {
        return fetch.error();
    }
    if (auto gathered = fetch->gather(); !gathered) {
        return gathered;
    }
    const auto secret = fetch->open(*key);
    if (!secret) {
        return secret.error();
    }
    fetch->note_members(console);
    if (auto written = keep_receipt(arguments, fetch->receipt()); !written) {
        return written;
    }
    return write_out(**out, secret->reveal());
}

user::Result<void> verify_receipt(const user::Console& console, const VerifyReceipt& arguments) {
    const auto pinned = pinned_in(arguments.group);
    const auto text = custody::read_file(arguments.receipt);
    if (!pinned || !text) {
        return pinned ? told(text.error()) : pinned.error();
    }
    const auto receipt = custody::parse_receipt(arguments.receipt, *text);
    if (!receipt) {
        return told(receipt.error());
    }
    const auto names = custody::took_part(*receipt, *pinned);
    if (!names) {
        return told(names.error());
    }
    if (auto same = require_deposit(arguments, *receipt); !same) {
        return same;
    }
    std::string said = "requester: " + receipt->request.requester +
                       "\npurpose: " + receipt->request.purpose +
                       "\nrequest: " + core::to_hex(receipt->request.id) + "\n";
    for (const std::string& name : *names) {
        said += "took part: " + name + "\n";
    }
    console.print(said);
    return {};
}

}  // namespace pgveil::custodian
