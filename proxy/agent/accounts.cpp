#include "proxy/agent/accounts.hpp"

#include "keyshare/user/key_files.hpp"

#include <utility>

namespace pgveil::agent {

namespace {

using user::Result;

Result<std::shared_ptr<const Account>> load_account(
    const config::AgentUserSettings& settings, std::optional<int> passphrase_fd
) {
    user::SecretSource passphrase;
    passphrase.file = settings.passphrase_file;
    passphrase.descriptor = passphrase.file.empty() ? passphrase_fd : std::nullopt;
    auto key = user::open_user_key(settings.key, passphrase);
    if (!key) {
        return key.error();
    }
    if (settings.app_share.empty()) {
        return std::make_shared<const Account>(Account{std::move(*key), {}});
    }
    auto app_share = user::read_app_share(settings.app_share, key->tenant, key->user_id);
    if (!app_share) {
        return app_share.error();
    }
    return std::make_shared<const Account>(Account{std::move(*key), std::move(*app_share)});
}

Result<share::TokenScope> scope_of(
    const std::string& role, const config::AgentUserSettings& settings
) {
    share::TokenScope scope{.read_only = settings.read_only};
    if (settings.tables.empty()) {
        return scope;
    }
    std::string list;
    for (const std::string& table : settings.tables) {
        list += (list.empty() ? "" : ",") + table;
    }
    auto tables = share::parse_scope_tables(list);
    if (!tables) {
        return user::unusable(
            "the settings of role " + role + ": \"tables\": " + tables.error().message
        );
    }
    scope.tables = std::move(*tables);
    return scope;
}

std::shared_ptr<const Account> with_scope(const Account& account, share::TokenScope scope) {
    const share::UserKey& key = account.key;
    share::UserKey same{key.tenant, key.user_id, key.epoch, key.proxy_identity, {}};
    for (const auto& [group, part] : key.groups) {
        same.groups.push_back({group, part.duplicate()});
    }
    return std::make_shared<const Account>(Account{
        std::move(same), core::SecretBytes::copy_of(account.app_share.reveal()), std::move(scope)});
}

}  // namespace

Result<Accounts> Accounts::load(
    const config::AgentSettings& settings, std::optional<int> passphrase_fd
) {
    Accounts accounts;
    std::map<std::pair<std::string, std::string>, std::shared_ptr<const Account>> opened;
    for (const auto& [role, files] : settings.users) {
        auto& known = opened[{files.key, files.app_share}];
        if (known == nullptr) {
            auto account = load_account(files, passphrase_fd);
            if (!account) {
                return account.error();
            }
            known = std::move(*account);
        }
        auto scope = scope_of(role, files);
        if (!scope) {
            return scope.error();
        }
        accounts.by_role_.emplace(
            role, scope->restricts() ? with_scope(*known, std::move(*scope)) : known
        );
    }
    return accounts;
}

const Account* Accounts::find(std::string_view role) const {
    auto found = by_role_.find(role);
    if (found == by_role_.end()) {
        found = by_role_.find("*");
    }
    return found == by_role_.end() ? nullptr : found->second.get();
}

}  // namespace pgveil::agent
