#include "keyshare/store/proxy_custody.hpp"

#include "keyshare/share/audit_head.hpp"
#include "keyshare/store/custody_impl.hpp"

#include <utility>

namespace pgveil::store {

ProxyCustody::ProxyCustody(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

ProxyCustody::~ProxyCustody() = default;

Result<std::shared_ptr<ProxyCustody>> ProxyCustody::open(
    const CustodyOptions& options, std::unique_ptr<seal::Seal> seal
) {
    auto impl = Impl::open(options, std::move(seal));
    if (!impl.has_value()) {
        return impl.error();
    }
    return std::shared_ptr<ProxyCustody>(new ProxyCustody(*std::move(impl)));
}

share::Verdict<share::RequestKeys> ProxyCustody::rebuild(
    const share::PresentedShares& presented, std::int64_t now_s, OpenedTokens::Slot& slot
) const {
    return impl_->rebuild(presented, now_s, slot);
}

share::TokenScopePtr ProxyCustody::scope_of(
    const share::PresentedShares& presented, std::int64_t now_s
) const {
    return impl_->scope_of(presented, now_s);
}

share::Verdict<void> ProxyCustody::count_statement(const share::RequestKeys& keys) const {
    return impl_->count_statement(keys);
}

Result<std::string> ProxyCustody::add_user(
    std::string_view user_id,
    const core::SecretBytes* app_share,
    std::string_view command,
    std::int64_t now_s
) {
    return impl_->apply(command, {share::Operation::kAddUser, user_id, app_share}, now_s);
}

Result<std::string> ProxyCustody::change_key(
    std::string_view user_id,
    const core::SecretBytes* app_share,
    std::string_view command,
    std::int64_t now_s
) {
    return impl_->apply(command, {share::Operation::kChangeKey, user_id, app_share}, now_s);
}

Result<std::string> ProxyCustody::withdraw_user(
    std::string_view user_id, std::string_view command, std::int64_t now_s
) {
    return impl_->apply(command, {share::Operation::kWithdrawUser, user_id, nullptr}, now_s);
}

Result<std::string> ProxyCustody::apply(std::string_view command, std::int64_t now_s) {
    return impl_->apply(command, {}, now_s);
}

Result<std::string> ProxyCustody::token_key_statement(std::int64_t now_s) {
    return impl_->token_key_statement(now_s);
}

Result<void> ProxyCustody::maintain(std::int64_t now_s) {
    return impl_->maintain(now_s);
}

bool ProxyCustody::knows_key(std::uint32_t key_id) const {
    return impl_->knows_key(key_id);
}

share::KeyringPtr ProxyCustody::keyring() const {
    return impl_->keyring();
}

std::vector<share::MirrorRow> ProxyCustody::mirror_rows() const {
    return impl_->mirror_rows();
}

Result<MirrorVerdict> ProxyCustody::check_zero_from_database(std::span<const share::MirrorRow> rows
) {
    return impl_->check_zero(rows);
}

std::optional<std::string> ProxyCustody::bootstrap_verifier() const {
    return impl_->bootstrap_verifier();
}

Result<std::string> ProxyCustody::bootstrap_call(
    std::string_view step, std::string_view argument, std::int64_t now_s
) {
    return impl_->bootstrap_call(step, argument, now_s);
}

CustodyReport ProxyCustody::report() const {
    return impl_->report();
}

const std::string& ProxyCustody::tenant() const {
    return impl_->tenant();
}

std::string ProxyCustody::sign_audit_head(
    std::uint64_t sequence, const share::Digest& hash, std::int64_t now_s
) const {
    return share::sign_audit_head({tenant(), sequence, hash, now_s}, impl_->identity());
}

const core::PublicPoint& ProxyCustody::identity() const {
    return impl_->identity().verifying_key().point();
}

}  // namespace pgveil::store
