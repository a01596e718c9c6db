#include "keyshare/store/backup.hpp"

#include "keyshare/share/tenant.hpp"
#include "keyshare/store/custody_impl.hpp"
#include "keyshare/store/sqlite.hpp"

#include <fcntl.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace pgveil::store {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDraftEnding = ".restored";
constexpr std::string_view kLogEnding = "-wal";
constexpr std::string_view kIndexEnding = "-shm";

Error unavailable(const std::string& message) {
    return Error{ErrorCode::kUnavailable, message};
}

Error in_use(const fs::path& store) {
    return unavailable(
        "the share store " + store.string() +
        " is in use: stop the proxy first, and start it again after this"
    );
}

fs::path with_ending(const fs::path& path, std::string_view ending) {
    fs::path longer = path;
    longer += ending;
    return longer;
}

/// SQLite would take a log that lies beside a file for that file's own.
void remove_logs(const fs::path& store) noexcept {
    std::error_code ignored;
    fs::remove(with_ending(store, kLogEnding), ignored);
    fs::remove(with_ending(store, kIndexEnding), ignored);
}

Result<void> sync_folder_of(const fs::path& path) {
    const fs::path folder = path.parent_path().empty() ? fs::path(".") : path.parent_path();
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
    if (descriptor >= 0) {
        ::close(descriptor);
    }
    return synced ? Result<void>()
                  : unavailable("the folder " + folder.string() + " cannot be synced to disk");
}

Result<StoreFacts> facts_of(const SealedStore& store) {
    if (!store.contains(state_row())) {
        return unavailable("there is nothing in the share store yet: order the proxy first");
    }
    const auto scalar_bytes = store.read(identity_row());
    const auto state_bytes = store.read(state_row());
    if (!scalar_bytes.has_value() || !state_bytes.has_value()) {
        return scalar_bytes.has_value() ? state_bytes.error() : scalar_bytes.error();
    }
    const auto state = parse_custody_state(state_bytes->reveal());
    if (!state.has_value()) {
        return state.error();
    }
    const auto scalar = core::Scalar::from(scalar_bytes->reveal());
    const auto identity = scalar.has_value() ? core::SigningKey::from_scalar(*scalar)
                                             : core::Result<core::SigningKey>(scalar.error());
    if (!identity.has_value()) {
        return Error{ErrorCode::kBroken, "the share store holds no usable identity key"};
    }
    StoreFacts facts;
    facts.tenant = state->tenant;
    facts.identity = share::fingerprint_text(identity->verifying_key().point().fingerprint());
    facts.version = store.version();
    facts.last_sequence = state->last_sequence;
    return facts;
}

/// Opens and closes it, so that no log is left beside it.
Result<StoreFacts> facts_under(const fs::path& store, const seal::StoreKey& key) {
    const auto opened =
        SealedStore::open(store, std::make_shared<const RowSeal>(key.duplicate()), false);
    return opened.has_value() ? facts_of(*opened) : opened.error();
}

Result<void> copy_key(seal::Seal& seal, const fs::path& into) {
    const auto key = seal.current();
    if (!key.has_value()) {
        return unavailable(key.error().message);
    }
    const auto kept = seal::FileSeal(into).keep(*key);
    return kept.has_value() ? Result<void>() : unavailable(kept.error().message);
}

}  // namespace

Result<void> forget_mark(const PostgresqlPlace& place) {
    std::error_code failed;
    fs::remove(place.mark, failed);
    return failed ? unavailable(
                        "the high-water mark " + place.mark.string() +
                        " cannot be removed: " + failed.message()
                    )
                  : Result<void>();
}

Result<StoreFacts> examine_store(const StorePlace& place, seal::Seal& seal) {
    if (!place.postgresql && is_in_use(place.path)) {
        return in_use(place.path);
    }
    const auto opened = open_place(seal, place, false);
    return opened.has_value() ? facts_of(*opened) : opened.error();
}

Result<StoreFacts> back_up(const fs::path& store, seal::Seal& seal, const BackupFiles& into) {
    if (is_in_use(store)) {
        return in_use(store);
    }
    const auto opened = open_under(seal, store, false);
    if (!opened.has_value()) {
        return opened.error();
    }
    auto facts = facts_of(*opened);
    if (!facts.has_value()) {
        return facts;
    }
    const auto copied = opened->copy_to(into.store);
    if (!copied.has_value()) {
        return copied.error();
    }
    const auto kept = copy_key(seal, into.key);
    const auto synced = kept.has_value() ? sync_folder_of(into.store) : kept;
    return synced.has_value() ? std::move(facts) : synced.error();
}

Restoration::Restoration(fs::path store, seal::StoreKey key)
    : store_(std::move(store)), draft_(with_ending(store_, kDraftEnding)), key_(std::move(key)) {}

Restoration::Restoration(Restoration&& other) noexcept
    : store_(std::move(other.store_)),
      draft_(std::exchange(other.draft_, fs::path())),
      key_(std::move(other.key_)),
      facts_(std::move(other.facts_)) {}

Restoration::~Restoration() {
    remove_draft();
}

void Restoration::remove_draft() const noexcept {
    if (!draft_.empty()) {
        std::error_code ignored;
        fs::remove(draft_, ignored);
        remove_logs(draft_);
    }
}

Result<Restoration> Restoration::begin(const fs::path& store, const BackupFiles& from) {
    if (is_in_use(store)) {
        return in_use(store);
    }
    auto key = seal::FileSeal(from.key).current();
    if (!key.has_value()) {
        return unavailable(key.error().message);
    }
    Restoration restoration(store, *std::move(key));
    auto done = restoration.make_draft(from.store);
    if (done.has_value()) {
        done = restoration.check_draft();
    }
    if (!done.has_value()) {
        return done.error();
    }
    return Result<Restoration>(std::move(restoration));
}

Result<void> Restoration::make_draft(const fs::path& from) {
    remove_draft();
    std::error_code failed;
    fs::copy_file(from, draft_, failed);
    if (!failed) {
        fs::permissions(draft_, fs::perms::owner_read | fs::perms::owner_write, failed);
    }
    return failed ? unavailable(
                        "the backup " + from.string() + " cannot be copied to " + draft_.string() +
                        ": " + failed.message()
                    )
                  : Result<void>();
}

Result<void> Restoration::check_draft() {
    auto facts = facts_under(draft_, key_);
    if (!facts.has_value()) {
        return facts.error();
    }
    facts_ = *std::move(facts);
    return {};
}

Result<void> Restoration::finish(seal::Seal& seal) {
    {
        auto draft =
            SealedStore::open(draft_, std::make_shared<const RowSeal>(key_.duplicate()), false);
        if (!draft.has_value()) {
            return draft.error();
        }
        std::vector<Change> changes;
        changes.push_back(renewal_due());
        const auto due = draft->commit(std::move(changes), core::system_random());
        if (!due.has_value()) {
            return due;
        }
    }
    // A renewal that was cut short is ended first: its successor must not be lost under ours.
    static_cast<void>(open_under(seal, store_, false));
    const auto begun = seal.begin_return(key_);
    if (!begun.has_value()) {
        return unavailable(begun.error().message);
    }
    remove_logs(store_);
    std::error_code failed;
    fs::rename(draft_, store_, failed);
    if (failed) {
        return unavailable(
            "the share store " + store_.string() + " cannot be replaced: " + failed.message()
        );
    }
    draft_.clear();
    const auto synced = sync_folder_of(store_);
    if (!synced.has_value()) {
        return synced;
    }
    const auto finished = seal.finish_renewal();
    return finished.has_value() ? Result<void>() : unavailable(finished.error().message);
}

}  // namespace pgveil::store
