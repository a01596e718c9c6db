#pragma once

#include "keyshare/core/random.hpp"
#include "keyshare/share/bootstrap_secrets.hpp"
#include "keyshare/share/error.hpp"
#include "keyshare/share/tenant.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::share {

/// The tenant's side of the bootstrap. How to drive it:
///
///     auto run = TenantBootstrap::begin("acme", {"default"}, identity);
///     while (!run->done()) {
///         write_to_disk(run->save());                      // before anything leaves the house
///         reply = call P(run->step(), run->request());     // SQL of the transport
///         run->accept(reply, identity, random);            // an error: stop; nothing has changed
///     }
///     Enrolment enrolment = run->take_enrolment();         // write to disk; then the state may go
///
/// Killed anywhere: `restore` the last saved state and go on; P repeats its answers.
/// `save` holds secrets (r_T, and TK from the handover on): store it encrypted. That P's identity
/// is P's is known from the channel alone (TLS, SCRAM-SHA-256-PLUS with the one-time password):
/// never call through anything else.
class TenantBootstrap {
public:
    static Result<TenantBootstrap> begin(
        std::string_view tenant, std::vector<std::string> groups, const TenantIdentity& identity
    );
    static Result<TenantBootstrap> restore(core::ByteView saved);
    core::SecretBytes save() const;

    bool done() const { return stage_ == Stage::kDone; }

    /// "hello", "contribute" or "confirm": the name of the bootstrap call to make next.
    std::string_view step() const;

    /// Its argument. The same bytes at every repetition.
    const std::string& request() const { return request_; }

    /// Checks P's answer to `request()` and advances. A wrong one changes nothing.
    Result<void> accept(
        std::string_view reply, const TenantIdentity& identity, core::RandomSource& random
    );

    /// P's identity once the offer has come; show its fingerprint (fingerprint_text) to the person.
    const std::optional<core::PublicPoint>& proxy_identity() const { return proxy_identity_; }

    /// The finished enrolment, once. Only when done().
    Enrolment take_enrolment();

private:
    enum class Stage : std::uint8_t { kHello = 1, kContribute = 2, kConfirm = 3, kDone = 4 };

    TenantBootstrap() = default;
    Result<void> accept_offer(
        std::string_view reply, const TenantIdentity& identity, core::RandomSource& random
    );
    Result<void> accept_handover(std::string_view reply, const TenantIdentity& identity);
    Result<void> accept_close(std::string_view reply);
    Result<void> check_handover(const HandoverSecrets& secrets, const Keyring& keyring) const;
    Digest request_hash() const;
    bool holds_what_its_stage_needs() const;

    Stage stage_ = Stage::kHello;
    std::string tenant_;
    std::vector<std::string> groups_;
    std::string request_;
    std::optional<core::PublicPoint> proxy_identity_;
    Digest commitment_{};
    std::optional<TenantContribution> contribution_;  // from the offer to the handover
    GroupParts<TenantKey> keys_;                      // from the handover on
    Keyring keyring_;
    std::optional<Enrolment> enrolment_;
};

}  // namespace pgveil::share
