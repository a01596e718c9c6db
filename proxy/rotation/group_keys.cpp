#include "proxy/rotation/group_keys.hpp"

#include "keyshare/core/jws.hpp"

namespace pgveil::rotation {

migration::Result<GroupKeys> group_keys(
    const std::vector<share::MirrorRow>& mirror,
    const migration::MaintenanceUser& user,
    const std::string& group
) {
    const core::VerifyingKey identity(user.proxy_identity());
    GroupKeys keys;
    for (const share::MirrorRow& one : mirror) {
        const auto row = share::open_mirror_row(one, user.tenant(), identity);
        if (!row) {
            return migration::unusable(
                row.error().message +
                ": pgveil.keyring in the home database is not what this user's proxy wrote. A "
                "running pgveil puts the table right"
            );
        }
        if (row->group != group) {
            continue;
        }
        if (row->state == share::KeyState::kNext) {
            keys.next = row->key_id;
        } else {
            keys.former.push_back(row->key_id);
        }
    }
    if (keys.former.empty()) {
        return migration::unusable("pgveil.keyring in the home database has no key group " + group);
    }
    return keys;
}

}  // namespace pgveil::rotation
