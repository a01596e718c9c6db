#include "keyshare/store/custody_impl.hpp"

#include <algorithm>
#include <utility>

namespace pgveil::store {

share::KeyringPtr ProxyCustody::Impl::keyring() const {
    return snapshot_.current()->keyring;
}

std::vector<share::MirrorRow> ProxyCustody::Impl::mirror_rows() const {
    const SnapshotPtr snapshot = snapshot_.current();
    if (!snapshot->keyring) {
        return {};
    }
    return share::make_mirror(*snapshot->keyring, tenant_, identity_);
}

bool ProxyCustody::Impl::knows_key(std::uint32_t key_id) const {
    const SnapshotPtr snapshot = snapshot_.current();
    return snapshot->keyring &&
           std::ranges::any_of(snapshot->keyring->rows, [key_id](const share::KeyringRow& row) {
               return row.key_id == key_id;
           });
}

// Why D's copy of this row is not believed; empty if it is.
std::string ProxyCustody::Impl::mirror_objection(
    const share::KeyringRow& row, std::span<const share::MirrorRow> rows
) const {
    const std::string which =
        " (group " + row.group + ", key id " + std::to_string(row.key_id) + ")";
    const auto found = std::ranges::find_if(rows, [&](const share::MirrorRow& one) {
        return one.group == row.group && one.key_id == row.key_id;
    });
    if (found == rows.end()) {
        return "a keyring row is missing" + which;
    }
    const auto opened = share::open_mirror_row(*found, tenant_, identity_.verifying_key());
    if (!opened.has_value()) {
        return "a keyring row is foreign or altered" + which + ": " + opened.error().message;
    }
    if (opened->version < row.version) {
        return "a keyring row is older than the share store" + which;
    }
    return *opened == row ? std::string() : "a keyring row is not the share store's" + which;
}

/// Takes over the keyring of the state. What D holds of a row that changed is not its "0" any more.
void ProxyCustody::Impl::follow_keyring(Snapshot& next) const {
    if (!next.keyring || next.keyring->version == state_.keyring.version) {
        return;
    }
    if (next.zeros) {
        ZeroTable kept;
        for (const share::KeyringRow& row : next.keyring->rows) {
            const auto zero = next.zeros->find(row.key_id);
            const share::KeyringRow* now = state_.keyring.find(row.group, row.key_id);
            if (zero != next.zeros->end() && now != nullptr && *now == row) {
                kept.insert(*zero);
            }
        }
        next.zeros = std::make_shared<const ZeroTable>(std::move(kept));
    }
    next.keyring = std::make_shared<const share::Keyring>(state_.keyring);
}

// Whether D holds exactly what stood there before the newest rows came, and was not seen to hold
// these since: then nobody touched it.
bool ProxyCustody::Impl::is_behind(
    const share::Keyring& keyring, std::span<const share::MirrorRow> rows
) const {
    std::uint64_t version = 0;
    for (const share::MirrorRow& row : rows) {
        version = std::max(version, row.version);
    }
    if (rows.empty() || version >= keyring.version || mirrored_version_ >= keyring.version) {
        return false;
    }
    const auto is_former = [&](const share::MirrorRow& one) {
        const share::KeyringRow* now = keyring.find(one.group, one.key_id);
        if (now == nullptr) {
            now = keyring.live(one.group);  // the row that took the place of a retired one
        }
        return now != nullptr && now->version > version &&
               share::open_mirror_row(one, tenant_, identity_.verifying_key()).has_value();
    };
    const auto former = std::ranges::count_if(rows, is_former);
    if (former > 0 && mirrored_version_ == 0) {
        return false;  // after a start nobody can tell them from rows that were put back
    }
    std::ptrdiff_t older = 0;
    for (const share::KeyringRow& row : keyring.rows) {
        if (row.version > version) {
            continue;
        }
        ++older;
        if (!mirror_objection(row, rows).empty()) {
            return false;
        }
    }
    return older + former == std::ssize(rows);
}

Result<MirrorVerdict> ProxyCustody::Impl::check_zero(std::span<const share::MirrorRow> rows) {
    const std::scoped_lock lock(writer_);
    const SnapshotPtr snapshot = snapshot_.current();
    if (!snapshot->keyring) {
        return Error{
            ErrorCode::kNotBootstrapped,
            "this proxy has no tenant yet: run pgveil-tenant bootstrap"};
    }
    const share::Keyring& keyring = *snapshot->keyring;
    ZeroTable zeros;
    std::string reason;
    for (const share::KeyringRow& row : keyring.rows) {
        reason = mirror_objection(row, rows);
        if (!reason.empty()) {
            break;
        }
        zeros.emplace(row.key_id, row.zero);
    }
    if (reason.empty() && rows.size() != keyring.rows.size()) {
        reason = "the keyring table holds rows that are not the share store's";
    }
    if (!reason.empty()) {
        reason = is_behind(keyring, rows) ? std::string() : std::move(reason);
        return MirrorVerdict{
            false, std::move(reason), share::make_mirror(keyring, tenant_, identity_)};
    }
    auto next = copy_snapshot();
    next->zeros = std::make_shared<const ZeroTable>(std::move(zeros));
    snapshot_.publish(std::move(next));
    mirrored_version_ = keyring.version;
    return MirrorVerdict{true, {}, {}};
}

}  // namespace pgveil::store
