#include "keyshare/custody/custodian_seal.hpp"

#include "keyshare/core/descriptor.hpp"
#include "keyshare/core/xaes.hpp"
#include "keyshare/custody/succession.hpp"
#include "keyshare/quorum/partial.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace pgveil::custody {
namespace {

constexpr const char* kPurpose = "unseal";

seal::Error said(const Error& error) {
    return {error.message};
}

seal::Error said(const std::string& message) {
    return {message};
}

/// Nothing when this is not the key.
std::optional<seal::StoreKey> open_with(const KeptKey& kept, const core::SecretBytes& key) {
    auto opened = core::xaes_open(key.reveal(), header_of(kept), kept.sealed);
    if (!opened.has_value()) {
        return std::nullopt;
    }
    auto store_key = seal::StoreKey::from(std::move(*opened));
    return store_key.has_value() ? std::optional(*std::move(store_key)) : std::nullopt;
}

}  // namespace

seal::Result<Asker> CustodianSeal::asker() const {
    auto settings = load_asker_settings(options_.custodians);
    if (!settings.has_value()) {
        return said(settings.error());
    }
    auto pinned = load_group(options_.group);
    if (!pinned.has_value()) {
        return said(pinned.error());
    }
    auto asker = Asker::make(*std::move(settings), *std::move(pinned), options_.times);
    return asker.has_value() ? seal::Result<Asker>(*std::move(asker)) : said(asker.error());
}

bool CustodianSeal::mark_unnoted() const {
    const core::Descriptor mark(
        ::open(unnoted_path().c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600)
    );
    return mark.is_open();
}

/// What the asker was led to, in the place of what it began with. True: there are other members.
bool CustodianSeal::keep_group_of(const Asker& asking) const {
    const auto former = load_group(options_.group);
    if (!former.has_value()) {
        return false;
    }
    keep_newest(options_.group, *former, asking.pinned());
    return former->members != asking.pinned().members;
}

/// What both sides of McCallum and Relyea's exchange share.
seal::Result<core::SecretBytes> CustodianSeal::ask_custodians(const KeptKey& kept) const {
    auto asking = asker();
    if (!asking.has_value()) {
        return asking.error();
    }
    if (asking->pinned().group.id != kept.group) {
        return said(
            options_.path.string() + " is sealed to another group than the one in " +
            options_.group + ": put the file of that group there"
        );
    }
    const auto answer =
        asking->ask_blinded({kept.point, kPurpose, kept.store, {}, options_.witness});
    if (keep_group_of(*asking)) {
        static_cast<void>(mark_unnoted());  // they have not heard of the store's version
    }
    if (!answer.has_value()) {
        return said("the custodians do not release the store key: " + answer.error().message);
    }
    return quorum::x_of(*answer);
}

seal::Result<seal::StoreKey> CustodianSeal::open(const KeptKey& kept) const {
    const auto shared = ask_custodians(kept);
    if (!shared.has_value()) {
        return shared.error();
    }
    std::optional<seal::StoreKey> key;
    if (beside_ == nullptr) {
        key = open_with(kept, sealing_key(kept, shared->reveal(), {}));
    } else {
        const auto current = beside_->current();
        if (current.has_value()) {
            key = open_with(kept, sealing_key(kept, shared->reveal(), current->reveal()));
        }
        if (!key) {
            // Between the two halves of finish_renewal(), or before them; of a first key there is
            // no other yet.
            const auto next = beside_->successor();
            if (next.has_value() && next->has_value()) {
                key = open_with(kept, sealing_key(kept, shared->reveal(), (*next)->reveal()));
            }
        }
        if (!key && !current.has_value()) {
            return current.error();
        }
    }
    return key ? seal::Result<seal::StoreKey>(*std::move(key))
               : said(
                     "what the custodians gave does not open the sealed store key: the file was "
                     "altered; restore it from a backup"
                 );
}

/// Seals to the group: fresh r, of which only r*G is kept.
seal::Result<void> CustodianSeal::write(
    const std::filesystem::path& path,
    const seal::StoreKey& key,
    const StoreVersion& store,
    core::ByteView beside
) const {
    const auto pinned = load_group(options_.group);
    if (!pinned.has_value()) {
        return said(pinned.error());
    }
    const core::Scalar scalar = core::generate_scalar();
    const auto point = core::PublicPoint::of_scalar(scalar);
    const auto shared = core::ecdh_x(scalar, pinned->group.public_key());
    if (!point.has_value() || !shared.has_value()) {
        return said(point.has_value() ? shared.error().message : point.error().message);
    }
    KeptKey kept{store, pinned->group.id, *point, {}};
    const core::SecretBytes sealing = sealing_key(kept, shared->reveal(), beside);
    kept.sealed =
        core::xaes_seal(sealing.reveal(), header_of(kept), key.reveal(), core::system_random());
    return write_kept_key(path, kept);
}

seal::Result<void> CustodianSeal::create_if_missing(core::RandomSource& random) {
    if (is_there(options_.path)) {
        return {};
    }
    std::optional<seal::StoreKey> part;
    if (beside_ != nullptr) {
        // Put in force without being asked back: that may need an approval which is still to come.
        part = core::random_secret<seal::StoreKey>(random);
        auto kept = beside_->begin_return(*part);
        if (kept.has_value()) {
            kept = beside_->finish_renewal();
        }
        if (!kept.has_value()) {
            return kept;
        }
    }
    StoreVersion store;
    random.fill(store.store);
    store.version = 1;
    const auto key = core::random_secret<seal::StoreKey>(random);
    return write(
        options_.path, key, store, part ? core::ByteView(part->reveal()) : core::ByteView()
    );
}

seal::Result<seal::StoreKey> CustodianSeal::current() const {
    const auto kept = read_kept_key(options_.path);
    if (!kept.has_value()) {
        return kept.error();
    }
    auto key = open(*kept);
    if (key.has_value() && is_there(unnoted_path())) {
        static_cast<void>(note(*kept));  // else it is tried again at the next start or renewal
    }
    return key;
}

seal::Result<std::optional<seal::StoreKey>> CustodianSeal::successor() const {
    if (!is_there(next_path())) {
        return std::optional<seal::StoreKey>();
    }
    const auto kept = read_kept_key(next_path());
    if (!kept.has_value()) {
        return kept.error();
    }
    auto key = open(*kept);
    if (!key.has_value()) {
        return key.error();
    }
    return std::optional<seal::StoreKey>(*std::move(key));
}

seal::Result<seal::StoreKey> CustodianSeal::begin_renewal(core::RandomSource& random) {
    auto key = core::random_secret<seal::StoreKey>(random);
    const auto begun = begin_return(key);
    return begun.has_value() ? seal::Result<seal::StoreKey>(std::move(key)) : begun.error();
}

seal::Result<void> CustodianSeal::begin_return(const seal::StoreKey& key) {
    StoreVersion store;
    if (is_there(options_.path)) {
        const auto kept = read_kept_key(options_.path);
        if (!kept.has_value()) {
            return kept.error();
        }
        store = kept->store;
    } else {
        core::system_random().fill(store.store);
    }
    ++store.version;
    if (beside_ == nullptr) {
        return write(next_path(), key, store, {});
    }
    const auto part = beside_->begin_renewal(core::system_random());
    return part.has_value() ? write(next_path(), key, store, part->reveal()) : part.error();
}

/// Tells the custodians of the renewal; the mark goes when enough of them know it.
seal::Result<void> CustodianSeal::note(const KeptKey& kept) const {
    auto asking = asker();
    if (!asking.has_value()) {
        return asking.error();
    }
    const auto raised = asking->raise_version(kept.store, options_.witness);
    keep_group_of(*asking);
    const bool is_first = kept.store.version == 1;
    if (!raised.has_value() && is_first && raised.error().code == ErrorCode::kNoEvidence) {
        return {};  // before the approval; no older copy is about, and the first start tells them
    }
    if (!raised.has_value()) {
        return said("the custodians have not noted the new store key: " + raised.error().message);
    }
    ::unlink(unnoted_path().c_str());
    return {};
}

seal::Result<void> CustodianSeal::finish_renewal() {
    if (is_there(next_path())) {
        if (!mark_unnoted()) {
            return said(unnoted_path().string() + " cannot be made");
        }
        // Syncs the folder, and the mark's name with it.
        const auto moved = move_durably(next_path(), options_.path);
        if (!moved.has_value()) {
            return moved;
        }
    }
    if (beside_ != nullptr) {
        // One that is there and does not open now, as an approval is still to come, is ended, too.
        const auto next = beside_->successor();
        const bool is_none = next.has_value() && !next->has_value();
        const auto finished = is_none ? seal::Result<void>() : beside_->finish_renewal();
        if (!finished.has_value()) {
            return finished;
        }
    }
    const auto kept = read_kept_key(options_.path);
    return kept.has_value() ? note(*kept) : kept.error();
}

seal::Result<void> CustodianSeal::abandon_renewal() {
    if (::unlink(next_path().c_str()) != 0 && errno != ENOENT) {
        return said(next_path().string() + " cannot be removed");
    }
    return beside_ == nullptr ? seal::Result<void>() : beside_->abandon_renewal();
}

}  // namespace pgveil::custody
