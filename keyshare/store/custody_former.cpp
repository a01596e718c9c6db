#include "keyshare/store/custody_impl.hpp"

#include <utility>

// The shares that a renewal replaces: taken until the new ones first give keys, or until the
// renewal's deadline. The store key is renewed by maintain() for all renewals that ended meanwhile,
// not once for each user: sealing the store anew costs as much as it has rows.
namespace pgveil::store {

Result<User::Former> ProxyCustody::Impl::load_former(const std::string& user_id) const {
    const auto bytes = store_.read(former_row(user_id));
    if (!bytes.has_value()) {
        return bytes.error();
    }
    auto shares = parse_former_shares(bytes->reveal());
    if (!shares.has_value()) {
        return shares.error();
    }
    auto parts = store_.read_sealed(former_part_row(user_id));
    if (!parts.has_value()) {
        return parts.error();
    }
    return User::Former{*std::move(shares), *std::move(parts)};
}

Result<void> ProxyCustody::Impl::forget_former(const std::vector<std::string>& user_ids) {
    auto next = copy_snapshot();
    std::vector<Change> changes;
    for (const std::string& user_id : user_ids) {
        std::shared_ptr<const User>& user = next->users.at(user_id);
        changes.push_back({former_row(user_id), std::nullopt});
        changes.push_back({former_part_row(user_id), std::nullopt});
        user = std::make_shared<const User>(User{user->record, user->parts, std::nullopt});
    }
    make_renewal_due(changes);
    return commit(std::move(changes), std::move(next));
}

// Its request has its keys whatever comes of this: what was not forgotten now, the next request or
// the deadline will end.
void ProxyCustody::Impl::end_renewal(const std::string& user_id, std::uint32_t share_epoch) {
    const std::scoped_lock lock(writer_);
    const SnapshotPtr snapshot = snapshot_.current();
    const auto found = snapshot->users.find(user_id);
    const bool is_open = found != snapshot->users.end() && found->second->former &&
                         found->second->record.epoch == share_epoch;
    if (is_open) {
        static_cast<void>(forget_former({user_id}));
    }
}

Result<void> ProxyCustody::Impl::forget_late_former(std::int64_t now_s) {
    std::vector<std::string> late;
    const SnapshotPtr snapshot = snapshot_.current();
    for (const auto& [user_id, user] : snapshot->users) {
        if (user->former && now_s > user->former->shares.until_s) {
            late.push_back(user_id);
        }
    }
    return late.empty() ? Result<void>() : forget_former(late);
}

}  // namespace pgveil::store
