#include "keyshare/store/proxy_custody.hpp"

#include "keyshare/share/audit_head.hpp"
#include "keyshare/store/custody_impl.hpp"

#include <algorithm>
#include <utility>

namespace pgveil::store {

namespace {

constexpr const char* kIsLocked =
    "this proxy is locked: it has no keys until somebody runs `pgveil unlock`";

Error locked() {
    return {ErrorCode::kUnavailable, kIsLocked};
}

share::Denial denied_by_lock() {
    return {share::DenialKind::kLocked, kIsLocked};
}

}  // namespace

ProxyCustody::ProxyCustody(const CustodyOptions& options, std::shared_ptr<Impl> impl)
    : options_(options),
      identity_(impl->identity().verifying_key().point()),
      impl_(std::move(impl)) {}

ProxyCustody::~ProxyCustody() = default;

Result<std::shared_ptr<ProxyCustody>> ProxyCustody::open(
    const CustodyOptions& options, std::unique_ptr<seal::Seal> seal
) {
    auto impl = Impl::open(options, std::move(seal));
    if (!impl.has_value()) {
        return impl.error();
    }
    return std::shared_ptr<ProxyCustody>(new ProxyCustody(options, *std::move(impl)));
}

std::shared_ptr<ProxyCustody::Impl> ProxyCustody::impl() const {
    const std::scoped_lock lock(mutex_);
    return impl_;
}

bool ProxyCustody::lock() {
    std::shared_ptr<Impl> last;
    {
        const std::scoped_lock lock(mutex_);
        if (impl_ == nullptr) {
            return false;
        }
        keyring_ = impl_->keyring();
        report_ = impl_->report();
        report_.locked = true;
        last = std::move(impl_);
        impl_ = nullptr;
    }
    last->wipe_opened();
    return true;
}

Result<bool> ProxyCustody::unlock(std::unique_ptr<seal::Seal> seal) {
    if (impl() != nullptr) {
        return false;
    }
    auto opened = Impl::open(options_, std::move(seal));
    if (!opened.has_value()) {
        return opened.error();
    }
    if ((*opened)->identity().verifying_key().point() != identity_) {
        return Error{ErrorCode::kBroken, "this is the store of another proxy"};
    }
    const std::scoped_lock lock(mutex_);
    impl_ = *std::move(opened);
    return true;
}

share::Verdict<share::RequestKeys> ProxyCustody::rebuild(
    const share::PresentedShares& presented, std::int64_t now_s, OpenedTokens::Slot& slot
) const {
    const auto impl = this->impl();
    return impl ? impl->rebuild(presented, now_s, slot) : denied_by_lock();
}

share::TokenScopePtr ProxyCustody::scope_of(
    const share::PresentedShares& presented, std::int64_t now_s
) const {
    const auto impl = this->impl();
    return impl ? impl->scope_of(presented, now_s) : nullptr;
}

share::Verdict<void> ProxyCustody::count_statement(const share::RequestKeys& keys) const {
    const auto impl = this->impl();
    return impl ? impl->count_statement(keys) : denied_by_lock();
}

Result<std::string> ProxyCustody::add_user(
    std::string_view user_id,
    const core::SecretBytes* app_share,
    std::string_view command,
    std::int64_t now_s
) {
    const auto impl = this->impl();
    return impl ? impl->apply(command, {share::Operation::kAddUser, user_id, app_share}, now_s)
                : locked();
}

Result<std::string> ProxyCustody::change_key(
    std::string_view user_id,
    const core::SecretBytes* app_share,
    std::string_view command,
    std::int64_t now_s
) {
    const auto impl = this->impl();
    return impl ? impl->apply(command, {share::Operation::kChangeKey, user_id, app_share}, now_s)
                : locked();
}

Result<std::string> ProxyCustody::withdraw_user(
    std::string_view user_id, std::string_view command, std::int64_t now_s
) {
    const auto impl = this->impl();
    return impl ? impl->apply(command, {share::Operation::kWithdrawUser, user_id, nullptr}, now_s)
                : locked();
}

Result<std::string> ProxyCustody::apply(std::string_view command, std::int64_t now_s) {
    const auto impl = this->impl();
    return impl ? impl->apply(command, {}, now_s) : locked();
}

Result<std::string> ProxyCustody::token_key_statement(std::int64_t now_s) {
    const auto impl = this->impl();
    return impl ? impl->token_key_statement(now_s) : locked();
}

Result<void> ProxyCustody::maintain(std::int64_t now_s) {
    const auto impl = this->impl();
    return impl ? impl->maintain(now_s) : locked();
}

Result<void> ProxyCustody::lock_user(
    const std::string& user_id, std::int64_t until_s, std::int64_t now_s
) {
    const auto impl = this->impl();
    return impl ? impl->lock_user(user_id, until_s, now_s) : locked();
}

Result<bool> ProxyCustody::unlock_user(const std::string& user_id, std::int64_t now_s) {
    const auto impl = this->impl();
    return impl ? impl->unlock_user(user_id, now_s) : locked();
}

UserLocks ProxyCustody::locked_users(std::int64_t now_s) const {
    const auto impl = this->impl();
    return impl ? impl->locked_users(now_s) : UserLocks();
}

bool ProxyCustody::knows_key(std::uint32_t key_id) const {
    const auto known = keyring();
    return known && std::ranges::any_of(known->rows, [key_id](const share::KeyringRow& row) {
               return row.key_id == key_id;
           });
}

share::KeyringPtr ProxyCustody::keyring() const {
    const std::scoped_lock lock(mutex_);
    return impl_ ? impl_->keyring() : keyring_;
}

std::vector<share::MirrorRow> ProxyCustody::mirror_rows() const {
    const auto impl = this->impl();
    return impl ? impl->mirror_rows() : std::vector<share::MirrorRow>();
}

Result<MirrorVerdict> ProxyCustody::check_zero_from_database(std::span<const share::MirrorRow> rows
) {
    const auto impl = this->impl();
    return impl ? impl->check_zero(rows) : locked();
}

std::optional<std::string> ProxyCustody::bootstrap_verifier() const {
    const auto impl = this->impl();
    return impl ? impl->bootstrap_verifier() : std::nullopt;
}

Result<std::string> ProxyCustody::bootstrap_call(
    std::string_view step, std::string_view argument, std::int64_t now_s
) {
    const auto impl = this->impl();
    return impl ? impl->bootstrap_call(step, argument, now_s) : locked();
}

CustodyReport ProxyCustody::report() const {
    const std::scoped_lock lock(mutex_);
    return impl_ ? impl_->report() : report_;
}

const std::string& ProxyCustody::tenant() const {
    return options_.tenant;
}

std::string ProxyCustody::sign_audit_head(
    std::uint64_t sequence, const share::Digest& hash, std::int64_t now_s
) const {
    const auto impl = this->impl();
    return impl ? share::sign_audit_head({tenant(), sequence, hash, now_s}, impl->identity())
                : std::string();
}

const core::PublicPoint& ProxyCustody::identity() const {
    return identity_;
}

}  // namespace pgveil::store
