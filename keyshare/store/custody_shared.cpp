#include "keyshare/core/hkdf.hpp"
#include "keyshare/core/lp.hpp"
#include "keyshare/store/custody_impl.hpp"
#include "keyshare/store/high_water_mark.hpp"
#include "keyshare/store/key_step.hpp"
#include "keyshare/store/postgresql_rows.hpp"
#include "keyshare/store/token_check.hpp"

#include <utility>

// A store of several proxies: taking over what the others have written, and nothing served from
// what may be older than it.
namespace pgveil::store {
namespace {

constexpr std::size_t kStepSize = 32;

Error of_seal(const seal::Error& error) {
    return Error{ErrorCode::kUnavailable, error.message};
}

std::shared_ptr<const RowSeal> shared_seal(seal::StoreKey key) {
    return std::make_shared<const RowSeal>(std::move(key));
}

Result<std::uint64_t> marked_version(const PostgresqlPlace& place) {
    const auto mark = read_high_water_mark(place.mark);
    if (!mark.has_value()) {
        return mark.error();
    }
    return *mark ? (*mark)->store_version : 0;
}

}  // namespace

Result<SealedStore> open_place(seal::Seal& seal, const StorePlace& place, bool create) {
    if (!place.postgresql) {
        return open_under(seal, place.path, create);
    }
    auto key = seal.current();
    if (!key.has_value()) {
        return of_seal(key.error());
    }
    const auto marked = marked_version(*place.postgresql);
    if (!marked.has_value()) {
        return marked.error();
    }
    auto rows = PostgresqlRows::open(*place.postgresql, create);
    if (!rows.has_value()) {
        return rows.error();
    }
    auto store = SealedStore::open(*std::move(rows), shared_seal(*std::move(key)), *marked);
    if (!store.has_value()) {
        return store.error();
    }
    const auto followed = follow_store_key(seal, *store);
    return followed.has_value() ? std::move(store) : followed.error();
}

Result<void> follow_store_key(seal::Seal& seal, const SealedStore& store) {
    const auto key = seal.current();
    if (!key.has_value()) {
        return of_seal(key.error());
    }
    const seal::StoreKey& present = store.row_seal()->key();
    if (core::equal_in_constant_time(key->reveal(), present.reveal())) {
        return {};
    }
    auto done = seal.begin_return(present);
    if (done.has_value()) {
        done = seal.finish_renewal();
    }
    return done.has_value() ? Result<void>() : of_seal(done.error());
}

Result<void> ProxyCustody::Impl::begin_sharing() {
    seal_claims_apart();
    const auto noted = store_.claims().note_forgotten({}, core::system_random());
    if (!noted.has_value()) {
        return noted.error();
    }
    nonces_.restore_forgotten(*noted);
    return raise_mark();
}

void ProxyCustody::Impl::start_watch() {
    StoreWatch::Tasks tasks;
    tasks.look = [this](std::uint64_t version) {
        const auto followed = version == known_version() ? Result<void>() : follow();
        return followed.has_value() ? std::string() : followed.error().message;
    };
    tasks.seen = [this](std::int64_t at_ms) {
        seen_ms_ = at_ms;
    };
    tasks.trouble = [this](std::string trouble) {
        note_trouble(std::move(trouble));
    };
    watch_ = std::make_unique<StoreWatch>(*place_, std::move(tasks));
}

/// Under writer_.
Result<void> ProxyCustody::Impl::catch_up() {
    const auto caught = store_.catch_up();
    if (!caught.has_value()) {
        return caught.error();
    }
    return *caught || store_.version() != known_version() ? take_over() : Result<void>();
}

Result<void> ProxyCustody::Impl::take_over() {
    const auto is_here = check_not_moved(store_, "in database " + place_->database);
    if (!is_here.has_value()) {
        return is_here;
    }
    const auto identity = read_identity(store_);
    if (!identity.has_value()) {
        return identity.error();
    }
    if (identity->verifying_key().point().fingerprint() != fingerprint_) {
        return Error{
            ErrorCode::kRefused,
            "the share store was ordered anew: it is of another proxy now; restart this one"};
    }
    const auto bytes = store_.read(state_row());
    auto state = bytes.has_value() ? parse_custody_state(bytes->reveal()) : bytes.error();
    if (!state.has_value()) {
        return state.error();
    }
    const auto in_order = check_mark();
    if (!in_order.has_value()) {
        return in_order;
    }
    state_ = *std::move(state);
    const SnapshotPtr before = snapshot_.current();
    auto done = load_snapshot();
    if (done.has_value()) {
        wipe_changed(*before);
        done = follow_store_key(*seal_, store_);
    }
    return done.has_value() ? raise_mark() : done;
}

/// The opened tokens of users whose shares are not what they were.
void ProxyCustody::Impl::wipe_changed(const Snapshot& before) {
    const SnapshotPtr now = snapshot_.current();
    for (const auto& [user_id, user] : before.users) {
        const auto found = now->users.find(user_id);
        if (found == now->users.end() || found->second->record.active != user->record.active ||
            found->second->record.epoch != user->record.epoch) {
            opened_.wipe_of(user_id);
        }
    }
}

Result<void> ProxyCustody::Impl::follow() {
    const std::scoped_lock lock(writer_);
    return catch_up();
}

void ProxyCustody::Impl::note_trouble(std::string trouble) {
    const std::scoped_lock lock(trouble_mutex_);
    trouble_ = std::move(trouble);
}

Result<void> ProxyCustody::Impl::check_mark() const {
    const auto mark = read_high_water_mark(place_->mark);
    if (!mark.has_value() || !mark->has_value()) {
        return mark.has_value() ? Result<void>() : mark.error();
    }
    const auto found = mark_of(store_, fingerprint_);
    if (!found.has_value()) {
        return found.error();
    }
    const auto bootstrap = load_bootstrap();
    if (!bootstrap.has_value()) {
        return bootstrap.error();
    }
    const auto tenant = bootstrap->tenant_signing_key();
    return check_against(**mark, store_, *found, tenant ? &*tenant : nullptr);
}

Result<void> ProxyCustody::Impl::raise_mark() {
    if (store_.version() <= marked_version_) {
        return {};
    }
    const auto mark = mark_of(store_, fingerprint_);
    if (!mark.has_value()) {
        return mark.error();
    }
    const auto written = write_high_water_mark(place_->mark, *mark);
    if (written.has_value()) {
        marked_version_ = mark->store_version;
    }
    return written;
}

/// What maintain() does besides; the error is for people.
Result<void> ProxyCustody::Impl::keep_shared_in_order() {
    auto done = raise_mark();
    if (done.has_value()) {
        done = follow_store_key(*seal_, store_);
    }
    const std::scoped_lock lock(trouble_mutex_);
    return done.has_value() && !trouble_.empty() ? Error{ErrorCode::kUnavailable, trouble_} : done;
}

share::Verdict<void> ProxyCustody::Impl::check_freshness() const {
    if (!place_ || steady_ms() - seen_ms_ <= static_cast<std::int64_t>(place_->max_age_ms)) {
        return {};
    }
    const std::scoped_lock lock(trouble_mutex_);
    return deny(
        share::DenialKind::kStoreUnavailable,
        "the proxy has not heard from the share store for more than " +
            std::to_string(place_->max_age_ms) +
            " ms, so that a user might be withdrawn without its knowledge: try again" +
            (trouble_.empty() ? std::string() : " (" + trouble_ + ")")
    );
}

std::shared_ptr<const RowSeal> claim_seal(
    const core::SigningKey& identity, const std::string& tenant
) {
    return shared_seal(core::derive<seal::StoreKey>(
        identity.scalar().reveal(),
        core::length_prefixed({core::as_bytes("pgveil/1 claim key"), core::as_bytes(tenant)})
    ));
}

void ProxyCustody::Impl::seal_claims_apart() {
    store_.seal_claims_apart(claim_seal(identity_, tenant_));
}

/// All rows under the next key, which every proxy that has the present one can make.
Result<void> ProxyCustody::Impl::reseal_shared() {
    const seal::StoreKey& former = store_.row_seal()->key();
    core::Bytes random(kStepSize);
    core::system_random().fill(random);
    auto fresh = shared_seal(next_key(former, random));
    KeyStep step{key_name(former), std::move(random)};
    std::vector<Change> changes;
    changes.push_back({renewal_row(), std::nullopt});
    return store_.reseal(
        std::move(fresh), std::move(changes), core::system_random(), std::move(step)
    );
}

}  // namespace pgveil::store
