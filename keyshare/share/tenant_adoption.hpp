#pragma once

#include "keyshare/share/error.hpp"
#include "keyshare/share/tenant.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgveil::share {

/// The tenant's side of taking over a fresh proxy in the place of one that was lost
/// (docs/FORMATS.md, Adoption). How to drive it:
///
///     auto run = TenantAdoption::begin(taken, identity);       // `taken`: what P is to go on with
///     write_to_disk(run->save());
///     run->accept_offer(call P("hello", run->hello()), taken, identity);
///     write_to_disk(run->save());                              // before the adoption leaves
///     run->accept_close(call P("adopt", run->request()), taken);
///     write_to_disk(run->save(), taken);
///
/// Killed anywhere: `restore` the last saved state and begin again with the hello; the same proxy
/// repeats its answers. A proxy that was ordered in the place of the first one gets an adoption of
/// its own. No TK leaves the house. As with TenantBootstrap, that P is P is known from the channel
/// alone. Not thread-safe.
class TenantAdoption {
public:
    static TenantAdoption begin(const Enrolment& taken, const TenantIdentity& identity);
    static Result<TenantAdoption> restore(core::ByteView saved);
    core::SecretBytes save() const;

    /// Whether accept_close has succeeded.
    bool done() const { return done_; }

    const std::string& hello() const { return hello_; }

    /// Checks P's answer to the hello and makes the adoption, or keeps it if it was made for this
    /// very offer. A wrong answer changes nothing.
    Result<void> accept_offer(
        std::string_view reply, const Enrolment& taken, const TenantIdentity& identity
    );

    /// The argument of "adopt", after accept_offer. The same bytes at every repetition.
    const std::string& request() const { return request_; }

    /// P's identity once the offer has come; show its fingerprint to the person.
    const std::optional<core::PublicPoint>& proxy_identity() const { return proxy_identity_; }

    /// Checks the close receipt, and makes `taken` the enrolment with this proxy: its identity,
    /// command key and the beginning of its chain. A wrong one changes nothing.
    Result<void> accept_close(std::string_view reply, Enrolment& taken);

private:
    TenantAdoption() = default;

    std::string tenant_;
    std::string hello_;
    std::string request_;  // empty before the offer
    Digest offer_{};       // its hash
    std::optional<core::PublicPoint> proxy_identity_;
    bool done_ = false;
};

}  // namespace pgveil::share
