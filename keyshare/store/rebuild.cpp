#include "keyshare/store/rebuild.hpp"

#include "keyshare/share/app_share.hpp"
#include "keyshare/share/hierarchy.hpp"
#include "keyshare/share/triple.hpp"
#include "keyshare/store/records.hpp"
#include "keyshare/store/token_check.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace pgveil::store {
namespace {

using share::DenialKind;
using share::Verdict;

Verdict<void> check_presence(const share::PresentedShares& presented) {
    if (presented.user_id.empty()) {
        return deny(DenialKind::kMissingUserId, "no user: set pgveil.user_id");
    }
    if (presented.token == nullptr || presented.token->empty()) {
        return deny(
            DenialKind::kMissingToken,
            "the user's share is missing: set pgveil.user_token to what pgveil-user token prints"
        );
    }
    if (presented.app_share == nullptr || presented.app_share->empty()) {
        return deny(
            DenialKind::kMissingAppShare,
            "the application's share is missing: set pgveil.app_share to the one stored for this "
            "user"
        );
    }
    return {};
}

Verdict<const User*> find_user(const Snapshot& snapshot, const std::string& user_id) {
    const auto found = snapshot.users.find(user_id);
    if (found == snapshot.users.end()) {
        return deny(
            DenialKind::kUnknownUser,
            "user \"" + user_id +
                "\" is not known to this proxy: apply the tenant's add_user command first"
        );
    }
    const UserRecord& record = found->second->record;
    if (!record.active) {
        return deny(
            DenialKind::kWithdrawnUser,
            "user \"" + user_id + "\" was withdrawn by the tenant on " +
                utc_text(record.changed_at_s)
        );
    }
    return found->second.get();
}

Verdict<share::AppShare> open_app_share(
    const RebuildContext& context, core::ByteView text, const std::string& user_id
) {
    auto share = share::parse_app_share(text);
    if (!share.has_value()) {
        return deny(
            DenialKind::kAppShareMalformed,
            "the application share cannot be used: " + share.error().message +
                "; store it again from the user's .app file"
        );
    }
    if (share->tenant != context.tenant) {
        return deny(
            DenialKind::kAppShareForeign,
            "the application share is of tenant \"" + share->tenant + "\", not of this one"
        );
    }
    if (share->user_id != user_id) {
        return deny(
            DenialKind::kAppShareForeign,
            "the application share is of user \"" + share->user_id +
                "\", but pgveil.user_id is \"" + user_id + "\""
        );
    }
    return *std::move(share);
}

template <class Part>
const Part* find_part(const share::GroupParts<Part>& parts, std::string_view group) {
    const auto found = std::ranges::find(parts, group, &share::GroupPart<Part>::group);
    return found == parts.end() ? nullptr : &found->part;
}

// Why a share of another epoch is not taken, and what to do about it.
std::string epoch_objection(std::uint32_t held, std::uint32_t in_force, const std::string& remedy) {
    const std::string epochs =
        "(share epoch " + std::to_string(held) + ", in force " + std::to_string(in_force) + ")";
    return held < in_force ? "is stale: a newer one superseded it " + epochs + "; " + remedy
                           : "is newer than this proxy knows " + epochs +
                                 "; apply the tenant's pending commands first";
}

// One user's record and what was presented for him.
struct Presented {
    const share::PresentedShares& given;
    const OpenedToken& opened;
    const share::TokenContents& token;  // of `opened`
    const share::AppShare& app_share;
};

Verdict<void> check_user_part(const Presented& presented, const share::GroupCommitment& expected) {
    if (presented.token.epoch != expected.user_epoch) {
        return deny(
            DenialKind::kUserShareStale,
            "the user's share " +
                epoch_objection(
                    presented.token.epoch,
                    expected.user_epoch,
                    "give user \"" + presented.given.user_id + "\" the current key file"
                )
        );
    }
    const auto& groups = presented.token.groups;
    const auto part =
        std::ranges::find(groups, expected.group, &share::GroupPart<share::UserPart>::group);
    const auto index = static_cast<std::size_t>(part - groups.begin());
    if (!core::equal_in_constant_time(presented.opened.commitments[index], expected.user)) {
        return deny(
            DenialKind::kUserShareWrong,
            "the user's share is wrong: it is not the one the tenant made for user \"" +
                presented.given.user_id + "\" in key group " + expected.group
        );
    }
    return {};
}

Verdict<void> check_app_part(
    const RebuildContext& context,
    const Presented& presented,
    const share::GroupCommitment& expected
) {
    if (presented.app_share.epoch != expected.app_epoch) {
        return deny(
            DenialKind::kAppShareStale,
            "the application share " +
                epoch_objection(
                    presented.app_share.epoch,
                    expected.app_epoch,
                    "store the current .app file of user \"" + presented.given.user_id + "\""
                )
        );
    }
    const share::SharePlace place{
        context.tenant, presented.given.user_id, expected.group, expected.app_epoch};
    const share::AppPart& part = *find_part(presented.app_share.groups, expected.group);
    if (!core::equal_in_constant_time(share::commitment_of(part, place), expected.app)) {
        return deny(
            DenialKind::kAppShareWrong,
            "the application share is wrong: it is not the one the tenant made for user \"" +
                presented.given.user_id + "\" in key group " + expected.group
        );
    }
    return {};
}

Verdict<void> check_key(
    const RebuildContext& context, const share::TenantKeyBranches& key, const share::KeyringRow& row
) {
    const share::TenantKeyPlace place{context.tenant, row.group, row.tk_epoch};
    if (!core::equal_in_constant_time(key.key_check(place), row.key_check)) {
        return deny(
            DenialKind::kProxyShareBroken,
            "the proxy's own share of this user does not fit the tenant key of group " + row.group +
                ": have the tenant renew the user's shares"
        );
    }
    const auto zero = context.snapshot.zeros ? context.snapshot.zeros->find(row.key_id)
                                             : ZeroTable::const_iterator();
    if (!context.snapshot.zeros || zero == context.snapshot.zeros->end()) {
        return deny(
            DenialKind::kZeroNotRead,
            "the keyring table in the home database has not been read yet: check the proxy's "
            "connection to it"
        );
    }
    if (!share::opens_to_zero(key.zero_key(place), place, zero->second)) {
        return deny(
            DenialKind::kZeroWrong,
            "the \"0\" of group " + row.group +
                " in the home database does not open under the tenant key"
        );
    }
    return {};
}

Verdict<share::RequestKeys::Group> rebuild_group(
    const RebuildContext& context,
    const Presented& presented,
    const share::GroupCommitment& expected,
    const share::GroupParts<share::ProxyPart>& proxy_parts
) {
    const auto user_checked = check_user_part(presented, expected);
    if (!user_checked.has_value()) {
        return user_checked.error();
    }
    const auto app_checked = check_app_part(context, presented, expected);
    if (!app_checked.has_value()) {
        return app_checked.error();
    }
    const share::ProxyPart* proxy_part = find_part(proxy_parts, expected.group);
    const share::KeyringRow* row = context.snapshot.keyring->live(expected.group);
    if (proxy_part == nullptr || row == nullptr) {
        return deny(
            DenialKind::kProxyShareBroken,
            "the proxy holds no share or key of group " + expected.group
        );
    }
    const share::TenantKeyBranches key(share::combine(
        *find_part(presented.token.groups, expected.group),
        *find_part(presented.app_share.groups, expected.group),
        *proxy_part
    ));
    const auto key_checked = check_key(context, key, *row);
    if (!key_checked.has_value()) {
        return key_checked.error();
    }
    return share::RequestKeys::Group{
        row->group, row->tk_epoch, key.wrapping_key({context.tenant, row->group, row->tk_epoch})};
}

// Which of a user's shares a request is judged by.
struct InForce {
    const std::vector<share::GroupCommitment>& commitments;
    const SealedRow& parts;
    RowName row;
    bool is_former;
};

// The application share says of which renewal it is; that it fits the commitments is checked later.
InForce in_force(const RebuildContext& context, const Presented& presented, const User& user) {
    const std::string& user_id = presented.given.user_id;
    const bool is_former = user.former && context.now_s <= user.former->shares.until_s &&
                           std::ranges::any_of(
                               user.former->shares.commitments,
                               [&](const share::GroupCommitment& one) {
                                   return one.app_epoch == presented.app_share.epoch;
                               }
                           );
    if (is_former) {
        return {
            user.former->shares.commitments, user.former->parts, former_part_row(user_id), true};
    }
    return {user.record.commitments, user.parts, part_row(user_id), false};
}

// The application share is not sealed: a group name altered in it must not pass for a group not
// granted. (A token may name groups that were revoked since; its seal says that nobody altered it.)
Verdict<void> check_app_groups(
    const share::AppShare& app_share, const std::vector<share::GroupCommitment>& commitments
) {
    for (const auto& [group, part] : app_share.groups) {
        if (std::ranges::find(commitments, group, &share::GroupCommitment::group) ==
            commitments.end()) {
            return deny(
                DenialKind::kAppShareWrong,
                "the application share names key group " + group +
                    ", which the tenant did not grant to this user: store the current .app file"
            );
        }
    }
    return {};
}

Verdict<std::vector<share::RequestKeys::Group>> rebuild_groups(
    const RebuildContext& context, const Presented& presented, const InForce& shares
) {
    const auto app_groups = check_app_groups(presented.app_share, shares.commitments);
    if (!app_groups.has_value()) {
        return app_groups.error();
    }
    const auto opened = context.snapshot.seal->open(shares.row, shares.parts);
    auto parts = opened.has_value() ? parse_parts(opened->reveal()) : opened.error();
    if (!parts.has_value()) {
        return deny(
            DenialKind::kProxyShareBroken, "the proxy's own share: " + parts.error().message
        );
    }
    std::vector<share::RequestKeys::Group> groups;
    for (const share::GroupCommitment& expected : shares.commitments) {
        if (find_part(presented.token.groups, expected.group) == nullptr ||
            find_part(presented.app_share.groups, expected.group) == nullptr) {
            continue;  // a statement that needs this group is refused by RequestKeys::column_key
        }
        auto group = rebuild_group(context, presented, expected, *parts);
        if (!group.has_value()) {
            return group.error();
        }
        groups.push_back(*std::move(group));
    }
    if (groups.empty()) {
        return deny(
            DenialKind::kNoCommonGroup,
            "the user token, the application share and the tenant's grant name no key group in "
            "common"
        );
    }
    return groups;
}

}  // namespace

Verdict<Rebuilt> rebuild_keys(
    const RebuildContext& context,
    const share::PresentedShares& presented,
    const OpenedTokenPtr& opened
) {
    if (!context.snapshot.keyring) {
        return deny(
            DenialKind::kNotBootstrapped,
            "this proxy has no tenant yet: run pgveil-tenant bootstrap"
        );
    }
    const auto present = check_presence(presented);
    if (!present.has_value()) {
        return present.error();
    }
    const auto user = find_user(context.snapshot, presented.user_id);
    if (!user.has_value()) {
        return user.error();
    }
    auto checked = open_and_check_token(context, presented, opened);
    if (!checked.has_value()) {
        return checked.error();
    }
    OpenedTokenPtr token = *std::move(checked);
    const share::TokenContents& contents = token->contents;
    const auto app_share =
        open_app_share(context, presented.app_share->reveal(), presented.user_id);
    if (!app_share.has_value()) {
        return app_share.error();
    }
    const Presented given{presented, *token, contents, *app_share};
    const InForce shares = in_force(context, given, **user);
    auto groups = rebuild_groups(context, given, shares);
    if (!groups.has_value()) {
        return groups.error();
    }
    return Rebuilt{
        share::RequestKeys(
            {std::string(context.tenant),
             presented.user_id,
             contents.expires_at_s,
             contents.expires_at_s + context.limits.grace_s,
             contents.nonce,
             token->scope},
            context.snapshot.keyring,
            *std::move(groups)
        ),
        std::move(token),
        context.now_s,
        (*user)->former && !shares.is_former ? std::optional((*user)->record.epoch) : std::nullopt};
}

}  // namespace pgveil::store
