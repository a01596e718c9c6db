#include "proxy/migration/maintenance_user.hpp"

#include "keyshare/share/challenge.hpp"
#include "keyshare/user/fresh_token.hpp"
#include "keyshare/user/key_files.hpp"

#include <algorithm>
#include <utility>

namespace pgveil::migration {

namespace {

constexpr std::int64_t kValidityS = 60;
constexpr std::int64_t kRenewalS = 20;

Error of(const user::Error& error) {
    return {error.message, {}, error.code};
}

}  // namespace

Result<MaintenanceUser> MaintenanceUser::open(const UserFiles& files) {
    auto key = user::open_user_key(files.key, files.passphrase);
    if (!key) {
        return of(key.error());
    }
    if (files.app_share.empty()) {
        return MaintenanceUser(std::move(*key), {});
    }
    auto app_share = user::read_app_share(files.app_share, key->tenant, key->user_id);
    if (!app_share) {
        return of(app_share.error());
    }
    return MaintenanceUser(std::move(*key), std::move(*app_share));
}

bool MaintenanceUser::has_group(const std::string& group) const {
    return std::any_of(key_.groups.begin(), key_.groups.end(), [&group](const auto& part) {
        return part.group == group;
    });
}

Result<void> MaintenanceUser::renew(Connection& proxy) {
    const std::int64_t now_s = user::seconds_now();
    if (now_s - renewed_s_ < kRenewalS) {
        return {};
    }
    const auto statement = proxy.run("SELECT pgveil.token_key()");
    if (!statement) {
        return statement.error();
    }
    if (statement->size() != 1 || statement->front().size() != 1) {
        return unusable("--proxy did not answer with a token key: is it a pgveil proxy?");
    }
    const auto given = proxy.run("SELECT pgveil.challenge()");
    if (!given) {
        return given.error();
    }
    const auto challenge = share::parse_challenge(
        given->size() == 1 && given->front().size() == 1 ? given->front().front() : std::string()
    );
    if (!challenge) {
        return unusable("--proxy did not give a challenge: is it a pgveil proxy?");
    }
    share::TokenScope scope;
    scope.challenge = *challenge;
    scope.maintain = true;
    const auto token =
        user::fresh_token(key_, statement->front().front(), {now_s, kValidityS}, scope);
    if (!token) {
        return of(token.error());
    }
    const auto set = proxy.set(
        {{"pgveil.user_id", core::as_bytes(key_.user_id)},
         {"pgveil.user_token", token->reveal()},
         {"pgveil.app_share", app_share_.reveal()}}
    );
    renewed_s_ = set ? now_s : 0;
    return set;
}

}  // namespace pgveil::migration
