#include "keyshare/store/store_move.hpp"

#include "keyshare/store/custody_impl.hpp"
#include "keyshare/store/postgresql_rows.hpp"
#include "keyshare/store/sqlite.hpp"
#include "keyshare/store/sqlite_rows.hpp"

#include <utility>

namespace pgveil::store {

namespace {

Error refused_move(std::string message) {
    return Error{ErrorCode::kRefused, std::move(message)};
}

Result<std::unique_ptr<RowStore>> open_rows(const StorePlace& place) {
    return place.postgresql ? PostgresqlRows::open(*place.postgresql, true)
                            : SqliteRows::open(place.path, true);
}

Result<std::string> tenant_of(const SealedStore& store, const StorePlace& place) {
    if (!store.contains(state_row())) {
        return Error{
            ErrorCode::kUnavailable,
            "the share store " + place.text() + " is empty: nothing moves"};
    }
    const auto bytes = store.read(state_row());
    auto state = bytes.has_value() ? parse_custody_state(bytes->reveal()) : bytes.error();
    return state.has_value() ? Result<std::string>(std::move(state->tenant)) : state.error();
}

Result<std::string> noted_target(const SealedStore& from) {
    const auto bytes = from.read(moved_row());
    return bytes.has_value() ? Result<std::string>(std::string(core::as_text(bytes->reveal())))
                             : bytes.error();
}

/// A store that was marked before moves to the same place, or not at all.
Result<void> mark_moved(SealedStore& from, const StorePlace& to) {
    if (!from.contains(moved_row())) {
        std::vector<Change> changes;
        changes.push_back({moved_row(), core::SecretBytes::copy_of(core::as_bytes(to.text()))});
        return from.commit(std::move(changes), core::system_random());
    }
    const auto noted = noted_target(from);
    if (!noted.has_value()) {
        return noted.error();
    }
    return *noted == to.text()
               ? Result<void>()
               : refused_move("this share store has moved before, and is now " + *noted);
}

/// What lies there is what an earlier run has moved, or what became of it.
Result<StoreMove> check_done(
    const SealedStore& from, const StorePlace& to, const std::string& tenant, seal::Seal& seal
) {
    const Error other = refused_move(
        "there is another share store at the new place (" + to.text() +
        "): give an empty place, or remove what lies there"
    );
    const auto opened = open_place(seal, to, false);
    if (!opened.has_value()) {
        return refused_move(other.message + " (" + opened.error().message + ")");
    }
    const auto present = read_identity(*opened);
    const auto former = read_identity(from);
    const bool is_same = from.contains(moved_row()) && present.has_value() && former.has_value() &&
                         opened->version() > from.version() &&
                         present->verifying_key().point() == former->verifying_key().point();
    return is_same ? Result<StoreMove>(StoreMove{tenant, opened->version(), true}) : other;
}

Result<StoreMove> fill(
    const SealedStore& from, RowStore& target, const StorePlace& to, const std::string& tenant
) {
    const auto identity = read_identity(from);
    if (!identity.has_value()) {
        return identity.error();
    }
    const auto seal = to.postgresql ? claim_seal(*identity, tenant) : nullptr;
    std::vector<Change> changes;
    changes.push_back({moved_row(), std::nullopt});
    changes.push_back(renewal_due());
    const auto filled = from.copy_rows_to(target, seal.get(), changes, core::system_random());
    if (!filled.has_value()) {
        return filled.error();
    }
    return StoreMove{tenant, from.version() + 1, false};
}

}  // namespace

RowName moved_row() {
    return {"custody", "moved"};
}

Result<void> check_not_moved(const SealedStore& store, const std::string& place) {
    if (!store.contains(moved_row())) {
        return {};
    }
    const auto target = noted_target(store);
    if (!target.has_value()) {
        return target.error();
    }
    return Error{
        ErrorCode::kUnavailable,
        "the share store " + place + " has moved, and is now " + *target +
            ": correct \"store\" in the settings; if pgveil move-store did not end, run it again"};
}

Result<StoreMove> move_store(
    const StorePlace& from, const StorePlace& to, const std::string& tenant, seal::Seal& seal
) {
    if (!from.postgresql && is_in_use(from.path)) {
        return Error{
            ErrorCode::kUnavailable,
            "the share store " + from.text() + " is in use: stop the proxy first"};
    }
    auto store = open_place(seal, from, false);
    if (!store.has_value()) {
        return store.error();
    }
    const auto found = tenant_of(*store, from);
    if (!found.has_value() || *found != tenant) {
        return found.has_value() ? refused_move(
                                       "the share store " + from.text() + " is of tenant \"" +
                                       *found + "\", and the settings say \"" + tenant + "\""
                                   )
                                 : found.error();
    }
    if (from.postgresql) {
        const auto identity = read_identity(*store);
        if (!identity.has_value()) {
            return identity.error();
        }
        store->seal_claims_apart(claim_seal(*identity, tenant));
    }
    auto rows = open_rows(to);
    if (!rows.has_value()) {
        return rows.error();
    }
    const auto listing = (*rows)->list();
    if (!listing.has_value()) {
        return listing.error();
    }
    if (listing->root || !listing->versions.empty()) {
        rows->reset();
        return check_done(*store, to, tenant, seal);
    }
    const auto marked = mark_moved(*store, to);
    return marked.has_value() ? fill(*store, **rows, to, tenant) : marked.error();
}

}  // namespace pgveil::store
