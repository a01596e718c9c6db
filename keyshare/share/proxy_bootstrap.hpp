#pragma once

#include "keyshare/core/hpke.hpp"
#include "keyshare/core/jws.hpp"
#include "keyshare/core/random.hpp"
#include "keyshare/share/bootstrap_messages.hpp"
#include "keyshare/share/bootstrap_secrets.hpp"
#include "keyshare/share/error.hpp"
#include "keyshare/share/keyring.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::share {

/// P's side of the bootstrap as a value: the store writes `save()` in one transaction with whatever
/// a step changed, and gives it back after a restart. Every step answers its repetition with the
/// same bytes; a refused message changes nothing. Not thread-safe.
class ProxyBootstrap {
public:
    enum class Stage : std::uint8_t { kOrdered = 1, kOffered = 2, kHandedOver = 3, kClosed = 4 };

    /// A fresh order. `verifier`: of the one-time password. `expected_tenant`: fingerprint of the
    /// tenant's keys (tenant.hpp), if the provider knows it: then no other keys are accepted.
    static ProxyBootstrap order(std::string verifier, std::optional<Digest> expected_tenant);
    static Result<ProxyBootstrap> restore(core::ByteView saved);
    core::SecretBytes save() const;

    /// Who P is, for the answers. Borrowed for the call.
    struct Proxy {
        std::string_view tenant;
        const core::SigningKey& identity;
        core::RandomSource& random;
        std::int64_t now_s;
    };

    /// Pins the tenant's keys (the first hello wins; other keys are refused for good) and commits
    /// to r_P.
    Result<std::string> on_hello(std::string_view jws, const Proxy& proxy);
    /// Makes TK, DEK and the keyring, hands TK over, forgets r_P, TK and DEK.
    Result<std::string> on_contribution(std::string_view jws, const Proxy& proxy);
    /// Checks the MAC and closes. True: newly closed; the caller signs the close receipt and gives
    /// it to `set_close_receipt`. False: the confirmation that closed was repeated; answer with
    /// `close_receipt()`.
    Result<bool> on_confirmation(std::string_view jws, const Proxy& proxy);
    /// In place of contribution and confirmation, from a tenant whose proxy was lost: takes its
    /// keyring over and closes; no TK is made, and none comes here. Answers as on_confirmation.
    Result<bool> on_adoption(std::string_view jws, const Proxy& proxy);

    void set_close_receipt(std::string jws) { close_receipt_ = std::move(jws); }

    const std::string& close_receipt() const { return close_receipt_; }

    /// Forgets the password for good: the first command proves that the tenant has the close
    /// receipt.
    void forget_password();

    Stage stage() const { return stage_; }

    /// Closed by an adoption: the tenant has users whom this proxy has never seen.
    bool adopted() const;

    const std::string& verifier() const { return verifier_; }

    const Keyring& keyring() const { return keyring_; }

    /// The pinned tenant keys; empty before the first hello.
    const std::optional<core::PublicPoint>& tenant_signing_key() const { return tenant_signing_; }

    const std::optional<core::PublicPoint>& tenant_sealing_key() const { return tenant_sealing_; }

    std::int64_t pinned_at_s() const { return pinned_at_s_; }

    std::int64_t closed_at_s() const { return closed_at_s_; }

    /// Hash of the confirmation or adoption that closed; the close receipt carries it.
    const Digest& confirmation_hash() const { return confirmation_; }

private:
    ProxyBootstrap() = default;
    Result<void> check_tenant(const Hello& hello, std::string_view tenant) const;
    bool holds_what_its_stage_needs() const;
    GroupParts<TenantKey> derive_keys(
        const TenantContribution& tenant_contribution, std::string_view tenant
    ) const;
    void forget_contributions();
    void close(const Digest& by, std::int64_t now_s);

    Stage stage_ = Stage::kOrdered;
    std::string verifier_;
    std::optional<Digest> expected_tenant_;
    std::int64_t pinned_at_s_ = 0;
    std::int64_t closed_at_s_ = 0;
    std::optional<core::PublicPoint> tenant_signing_;
    std::optional<core::PublicPoint> tenant_sealing_;
    std::vector<std::string> groups_;
    std::optional<ProxyContribution> contribution_;      // r_P, from the offer to the handover
    std::optional<core::HpkeKeyPair> contribution_key_;  // opens r_T; the same life
    Digest hello_{};
    Digest contribution_message_{};
    Digest confirmation_{};
    std::string offer_;
    std::string handover_;
    std::string close_receipt_;
    Digest expected_mac_{};
    Keyring keyring_;
};

}  // namespace pgveil::share
