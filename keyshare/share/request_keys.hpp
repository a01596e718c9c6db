#pragma once

#include "keyshare/core/secret.hpp"
#include "keyshare/share/error.hpp"
#include "keyshare/share/hierarchy.hpp"
#include "keyshare/share/key_kinds.hpp"
#include "keyshare/share/keyring.hpp"
#include "keyshare/share/token_scope.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::share {

/// A key inside a RequestKeys; valid as long as that object lives and is not moved from.
struct FieldKeyRef {
    const core::SecretBytes* key;
    std::uint32_t key_id;
};

/// What one column key is for: group and context of the column, scheme ("randomized", "equality")
/// and purpose
/// ("xaes", "siv") with the size of the key that purpose takes (32, 64).
struct ColumnKeyRequest {
    std::string_view group;
    std::string_view context;
    std::string_view scheme;
    std::string_view purpose;
    std::size_t size;
    std::uint32_t key_id = 0;  ///< 0: the live key of the group (key ids start at 1)
};

/// The keys of one request. Holds a KEK per group (TK itself is gone by then), unwraps DEKs and
/// derives column keys when first asked and remembers them until it is destroyed; then everything
/// is wiped. Belongs to one thread. Made by store::ProxyCustody::rebuild.
class RequestKeys {
public:
    struct Group {
        std::string name;
        std::uint32_t tk_epoch;
        WrappingKey kek;
    };

    struct Holder {
        std::string tenant;
        std::string user_id;
        std::int64_t token_expires_s;
        std::int64_t grace_ends_s = 0;
        Nonce nonce{};  ///< of the token
        TokenScopePtr scope = nullptr;
    };

    RequestKeys(Holder holder, KeyringPtr keyring, std::vector<Group> groups);
    RequestKeys(RequestKeys&&) noexcept = default;
    RequestKeys& operator=(RequestKeys&&) noexcept = default;
    RequestKeys(const RequestKeys&) = delete;
    RequestKeys& operator=(const RequestKeys&) = delete;
    ~RequestKeys() = default;

    /// kUnknownGroup: the user's shares do not cover the group (42501 to the client).
    /// kUnknownKey: the keyring has no such key id, or the group none that is live.
    Result<FieldKeyRef> column_key(const ColumnKeyRequest& request);

    /// Whether the user's shares cover the group.
    bool covers(std::string_view group) const { return find_group(group) != nullptr; }

    /// Whether the key is one of the group, covered or not.
    bool is_key_of(std::string_view group, std::uint32_t key_id) const {
        return keyring_->find(group, key_id) != nullptr;
    }

    /// Whether the tenant has such a group.
    bool is_group(std::string_view group) const { return keyring_->live(group) != nullptr; }

    /// The key id that new values of the group are sealed under. Values that are found by what they
    /// are all stand under one key: the live one, or, where the database says so, `data_key` (0: it
    /// says nothing), which has to be live or next (kUnknownKey). Others may stand under several.
    Result<std::uint32_t> sealing_key_id(
        std::string_view group, bool is_searchable, std::uint32_t data_key = 0
    ) const;

    const std::string& tenant() const { return holder_.tenant; }

    const std::string& user_id() const { return holder_.user_id; }

    /// From this moment on (Unix seconds) no transaction gets keys from the token any more that did
    /// not have them before.
    std::int64_t token_expires_s() const { return holder_.token_expires_s; }

    /// From this moment on (Unix seconds) nobody gets any.
    std::int64_t grace_ends_s() const { return holder_.grace_ends_s; }

    /// Of the token that they were rebuilt from.
    const Nonce& nonce() const { return holder_.nonce; }

    /// What they may be used for. Null: everything that the shares cover.
    const TokenScopePtr& scope() const { return holder_.scope; }

private:
    struct CachedDataKey {
        std::uint32_t key_id;
        DataKeyBranches key;
    };

    struct CachedColumnKey {
        std::uint32_t key_id;
        std::size_t size;
        std::string context, scheme, purpose;
        std::unique_ptr<core::SecretBytes> key;  // stable address for FieldKeyRef
    };

    const Group* find_group(std::string_view name) const;
    Result<const DataKeyBranches*> data_key(const Group& group, const KeyringRow& row);
    const core::SecretBytes* cached(const ColumnKeyRequest& request, std::uint32_t key_id) const;

    Holder holder_;
    KeyringPtr keyring_;
    std::vector<Group> groups_;
    std::vector<CachedDataKey> data_keys_;
    std::vector<CachedColumnKey> column_keys_;
};

}  // namespace pgveil::share
