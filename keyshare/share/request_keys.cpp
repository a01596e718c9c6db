#include "keyshare/share/request_keys.hpp"

#include "keyshare/core/hkdf.hpp"
#include "keyshare/core/invariant.hpp"
#include "keyshare/share/hierarchy.hpp"

#include <algorithm>
#include <utility>

namespace pgveil::share {

RequestKeys::RequestKeys(Holder holder, KeyringPtr keyring, std::vector<Group> groups)
    : holder_(std::move(holder)), keyring_(std::move(keyring)), groups_(std::move(groups)) {}

const RequestKeys::Group* RequestKeys::find_group(std::string_view name) const {
    const auto found = std::ranges::find(groups_, name, &Group::name);
    return found == groups_.end() ? nullptr : &*found;
}

const core::SecretBytes* RequestKeys::cached(const ColumnKeyRequest& request, std::uint32_t key_id)
    const {
    const auto found = std::ranges::find_if(column_keys_, [&](const CachedColumnKey& one) {
        return one.key_id == key_id && one.size == request.size && one.context == request.context &&
               one.scheme == request.scheme && one.purpose == request.purpose;
    });
    return found == column_keys_.end() ? nullptr : found->key.get();
}

Result<const DataKeyBranches*> RequestKeys::data_key(const Group& group, const KeyringRow& row) {
    const auto found = std::ranges::find(data_keys_, row.key_id, &CachedDataKey::key_id);
    if (found != data_keys_.end()) {
        return &found->key;
    }
    if (row.tk_epoch != group.tk_epoch) {
        return Error{
            ErrorCode::kUnknownKey,
            "key id " + std::to_string(row.key_id) +
                " is wrapped under another epoch of the tenant key"};
    }
    const DataKeyPlace place{{holder_.tenant, row.group, row.tk_epoch}, row.dek_epoch, row.key_id};
    auto opened = unwrap_data_key(group.kek, place, row.wrap);
    if (!opened.has_value()) {
        return opened.error();
    }
    data_keys_.push_back({row.key_id, DataKeyBranches(*opened)});
    return &data_keys_.back().key;
}

Result<FieldKeyRef> RequestKeys::column_key(const ColumnKeyRequest& request) {
    core::invariant(
        request.size >= 1 && request.size <= core::kHkdfMaxSize,
        "a column key has a size HKDF can give"
    );
    const Group* group = find_group(request.group);
    if (group == nullptr) {
        return Error{
            ErrorCode::kUnknownGroup,
            "the shares of user " + holder_.user_id + " do not cover key group " +
                std::string(request.group)};
    }
    const KeyringRow* row = request.key_id == 0 ? keyring_->live(request.group)
                                                : keyring_->find(request.group, request.key_id);
    if (row == nullptr) {
        return Error{
            ErrorCode::kUnknownKey,
            "the keyring has no key " + std::to_string(request.key_id) + " in group " +
                std::string(request.group)};
    }
    if (const core::SecretBytes* known = cached(request, row->key_id)) {
        return FieldKeyRef{known, row->key_id};
    }
    const auto dek = data_key(*group, *row);
    if (!dek.has_value()) {
        return dek.error();
    }
    const ColumnKeyPlace place{
        holder_.tenant,
        request.group,
        row->key_id,
        request.context,
        request.scheme,
        request.purpose};
    column_keys_.push_back(
        {row->key_id,
         request.size,
         std::string(request.context),
         std::string(request.scheme),
         std::string(request.purpose),
         std::make_unique<core::SecretBytes>((*dek)->column_key(place, request.size))}
    );
    return FieldKeyRef{column_keys_.back().key.get(), row->key_id};
}

Result<std::uint32_t> RequestKeys::sealing_key_id(
    std::string_view group, bool is_searchable, std::uint32_t data_key
) const {
    const KeyringRow* row = keyring_->next(group);
    if (is_searchable && (row == nullptr || data_key == 0 || row->key_id != data_key)) {
        row = keyring_->live(group);
        if (data_key != 0 && row != nullptr && row->key_id != data_key) {
            return Error{
                ErrorCode::kUnknownKey,
                "the database says that values stand under key " + std::to_string(data_key) +
                    " of group " + std::string(group) +
                    ", which the keyring does not have as live or next"};
        }
    }
    if (row == nullptr) {
        row = keyring_->live(group);
    }
    if (row == nullptr) {
        return Error{
            ErrorCode::kUnknownKey, "the keyring has no live key in group " + std::string(group)};
    }
    return row->key_id;
}

}  // namespace pgveil::share
