#include "proxy/agent/accounts.hpp"

#include "keyshare/user/key_files.hpp"

#include <utility>

namespace pgveil::agent {

namespace {

using user::Result;

share::UserKey duplicate(const share::UserKey& key) {
    share::UserKey same{key.tenant, key.user_id, key.epoch, key.proxy_identity, {}};
    for (const auto& [group, part] : key.groups) {
        same.groups.push_back({group, part.duplicate()});
    }
    return same;
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
    return std::make_shared<const Account>(Account{
        duplicate(account.key),
        core::SecretBytes::copy_of(account.app_share.reveal()),
        std::move(scope)});
}

}  // namespace

/// Opens what the settings name, each pair of files once.
class Accounts::Loader {
public:
    /// @param running null: at the start
    Loader(const Accounts* running, std::optional<int> passphrase_fd)
        : running_(running), passphrase_fd_(passphrase_fd) {}

    Result<Accounts> load(const config::AgentSettings& settings) {
        for (const auto& [role, files] : settings.users) {
            auto account = account_of(files);
            if (!account) {
                return account.error();
            }
            auto scope = scope_of(role, files);
            if (!scope) {
                return scope.error();
            }
            made_.by_role_.emplace(
                role, scope->restricts() ? with_scope(**account, std::move(*scope)) : *account
            );
        }
        return std::move(made_);
    }

private:
    Result<std::shared_ptr<const Account>> account_of(const config::AgentUserSettings& files) {
        auto& known = by_files_[{files.key, files.app_share}];
        if (known != nullptr) {
            return known;
        }
        const auto look = user::look_at_user_key(files.key);
        if (!look) {
            return look.error();
        }
        auto key = key_of(files, *look);
        if (!key) {
            return key.error();
        }
        core::SecretBytes app_share;
        if (!files.app_share.empty()) {
            auto read = user::read_app_share(files.app_share, key->tenant, key->user_id);
            if (!read) {
                return read.error();
            }
            app_share = std::move(*read);
        }
        known = std::make_shared<const Account>(Account{std::move(*key), std::move(app_share)});
        made_.open_keys_.insert_or_assign(files.key, OpenKey{look->digest, known});
        return known;
    }

    Result<share::UserKey> key_of(
        const config::AgentUserSettings& files, const user::UserKeyLook& look
    ) const {
        if (running_ != nullptr) {
            const auto open = running_->open_keys_.find(files.key);
            if (open != running_->open_keys_.end() && open->second.digest == look.digest) {
                return duplicate(open->second.owner->key);
            }
            if (look.needs_passphrase && files.passphrase_file.empty()) {
                return user::unusable(
                    files.key +
                    " is new and has a passphrase, for which nobody is asked while the agent runs: "
                    "give its role a \"passphrase_file\", or restart the agent"
                );
            }
        }
        user::SecretSource passphrase;
        passphrase.file = files.passphrase_file;
        passphrase.descriptor = passphrase.file.empty() ? passphrase_fd_ : std::nullopt;
        return user::open_user_key(files.key, passphrase);
    }

    const Accounts* running_;
    std::optional<int> passphrase_fd_;
    Accounts made_;
    std::map<std::pair<std::string, std::string>, std::shared_ptr<const Account>> by_files_;
};

Result<Accounts> Accounts::load(
    const config::AgentSettings& settings, std::optional<int> passphrase_fd
) {
    return Loader(nullptr, passphrase_fd).load(settings);
}

Result<Accounts> Accounts::load_again(const config::AgentSettings& settings) const {
    return Loader(this, std::nullopt).load(settings);
}

std::shared_ptr<const Account> Accounts::find(std::string_view role) const {
    auto found = by_role_.find(role);
    if (found == by_role_.end()) {
        found = by_role_.find("*");
    }
    return found == by_role_.end() ? nullptr : found->second;
}

}  // namespace pgveil::agent
