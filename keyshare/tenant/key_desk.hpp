#pragma once

#include "keyshare/catalogue/key_record.hpp"
#include "keyshare/catalogue/seen_versions.hpp"
#include "keyshare/tenant/commands.hpp"
#include "keyshare/tenant/home.hpp"
#include "keyshare/tenant/key_dictionary.hpp"
#include "keyshare/tpm/tpm.hpp"

#include <string>

namespace pgveil::tenant {

/// A key of the dictionary whose record was verified.
struct KnownKey {
    KeyRow row;
    catalogue::KeyRecord record;
};

/// The home and the dictionary together: what is read is verified, what changes is signed and
/// remembered. One thread.
class KeyDesk {
public:
    static Result<KeyDesk> open(const Context& context, const std::string& url);

    Result<catalogue::KeyRecord> verify(const std::string& jws) const;
    /// As verify(); fails, too, if this tenant has seen a newer version of this key.
    Result<KnownKey> verify_row(KeyRow row);
    /// The key with this label; fails if there is none.
    Result<KnownKey> find(const std::string& label);

    Result<void> add(const catalogue::KeyRecord& record, tpm::SealedSecret object);
    /// Signs the record and puts it in the place of the known one.
    Result<void> change(KnownKey key);

    KeyDictionary& dictionary() { return dictionary_; }

    const HomeState& state() const { return home_.state(); }

    const catalogue::SeenVersions& seen() const { return seen_; }

private:
    KeyDesk(Home home, KeyDictionary dictionary, catalogue::SeenVersions seen)
        : home_(std::move(home)), dictionary_(std::move(dictionary)), seen_(std::move(seen)) {}

    Result<void> remember(const catalogue::KeyRecord& record);

    Home home_;
    KeyDictionary dictionary_;
    catalogue::SeenVersions seen_;
};

/// A home whose bootstrap may still be to come.
Result<Home> open_home_for_keys(const Context& context);

/// The TPM, and its attestation key.
struct KeyTpm {
    tpm::Tpm tpm;
    core::PublicPoint attestation;
};

Result<KeyTpm> open_tpm(const std::string& place);

/// Whether this is the TPM that the person names by the fingerprint of its attestation key, or,
/// without a name, the one that the home has pinned (attest ask). Without both it is not checked,
/// and said.
Result<void> check_attestation_key(
    const Context& context,
    const HomeState& state,
    const core::PublicPoint& attestation,
    const std::string& said
);

}  // namespace pgveil::tenant
