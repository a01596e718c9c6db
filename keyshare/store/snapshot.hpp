#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/p256.hpp"
#include "keyshare/share/keyring.hpp"
#include "keyshare/share/proxy_bootstrap.hpp"
#include "keyshare/store/records.hpp"
#include "keyshare/store/sealed_store.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pgveil::store {

/// One user as readers see it.
struct User {
    UserRecord record;
    SealedRow parts;  ///< row "part"/uid, still sealed; empty when withdrawn

    /// What a renewal replaces, until the new shares succeed or its deadline passes.
    struct Former {
        FormerShares shares;
        SealedRow parts;  ///< row "former_part"/uid, still sealed
    };

    std::optional<Former> former;
};

/// Where the bootstrap stands, without its secrets.
struct BootstrapFacts {
    share::ProxyBootstrap::Stage stage = share::ProxyBootstrap::Stage::kOrdered;
    std::string verifier;
    std::optional<core::PublicPoint> tenant_signing;
    std::string tenant_fingerprint;
    std::int64_t pinned_at_s = 0;
    std::int64_t closed_at_s = 0;
    bool adopted = false;  ///< the tenant has users whom this proxy has not seen
};

BootstrapFacts facts_of(const share::ProxyBootstrap& bootstrap);

/// The "0" of each group as it was read from D, by key id.
using ZeroTable = std::map<std::uint32_t, core::Bytes>;

/// Users whom an alarm has locked: until when (Unix seconds). Those that are over may be there.
using UserLocks = std::map<std::string, std::int64_t, std::less<>>;

/// Everything a request needs, as of one store version. Immutable once published.
struct Snapshot {
    BootstrapFacts bootstrap;
    share::KeyringPtr keyring;  ///< null until the bootstrap is closed
    /// Null until read from D. Rows that came into the keyring since are missing in it.
    std::shared_ptr<const ZeroTable> zeros;
    std::vector<TokenKeyRecord> token_keys;                  ///< oldest first
    std::map<std::uint32_t, std::int64_t> spent_token_keys;  ///< by key id: when it was destroyed
    std::shared_ptr<const RowSeal> seal;                     ///< opens the parts of `users`
    bool renewal_due = false;
    std::map<std::string, std::shared_ptr<const User>, std::less<>> users;
    UserLocks locks;
    std::uint64_t store_version = 0;
    std::uint64_t last_sequence = 0;
};

using SnapshotPtr = std::shared_ptr<const Snapshot>;

/// Hands the current snapshot to any number of readers; the lock is held for the copy of a pointer
/// only.
class SnapshotCell {
public:
    SnapshotPtr current() const {
        const std::scoped_lock lock(mutex_);
        return current_;
    }

    void publish(SnapshotPtr next) {
        const std::scoped_lock lock(mutex_);
        current_.swap(next);
    }

private:
    mutable std::mutex mutex_;
    SnapshotPtr current_ = std::make_shared<const Snapshot>();
};

}  // namespace pgveil::store
