#pragma once

#include "keyshare/catalogue/key_state.hpp"
#include "keyshare/tenant/commands.hpp"

#include <string>

namespace pgveil::tenant {

/// What the subcommands of `pgveil-tenant key` take; each uses some.
struct KeyArguments {
    std::string label;
    std::string dictionary;  ///< URL of the database behind a proxy
    std::string tpm = "device:/dev/tpmrm0";
    std::string kind = "nmk";
    std::string use = "signing";
    std::string owner;
    std::string purpose;
    std::string from;   ///< YYYY-MM-DD, UTC; empty: now
    std::string until;  ///< likewise
    std::string authority;
    std::string attestation;  ///< fingerprint; empty: the pinned TPM's
    std::string expiring;     ///< of list: before this day
    std::string reason;
    std::string file;
    std::string target;  ///< of export: file
    std::string permit;  ///< of export: file with the authority's line
    std::string nonce;
    std::string tenant;  ///< of allow: whose keys; empty: this home's
    bool is_compromised = false;
};

/// The TPM makes a key; its signed record and what only that TPM can load go into the dictionary.
Result<void> order_key(const Context& context, const KeyArguments& arguments);
/// All keys, an owner's, or those that expire; says what is past its cryptoperiod, and what
/// somebody has put back or taken away.
Result<void> list_keys(const Context& context, const KeyArguments& arguments);
Result<void> show_key(const Context& context, const KeyArguments& arguments);
/// Changes of state; refused where NIST SP 800-57 knows no such step.
Result<void> suspend_key(const Context& context, const KeyArguments& arguments);
Result<void> resume_key(const Context& context, const KeyArguments& arguments);
Result<void> revoke_key(const Context& context, const KeyArguments& arguments);
/// Removes what the TPM needs to load the key from the dictionary. Backups of the database may
/// still have it.
Result<void> destroy_key(const Context& context, const KeyArguments& arguments);

/// The TPM's word that it has this key, verified, as a text for others.
Result<void> certify_key(const Context& context, const KeyArguments& arguments);
/// Judges such a text of this tenant's.
Result<void> verify_key(const Context& context, const KeyArguments& arguments);
/// Signs a file in the TPM, if the key may protect something now.
Result<void> sign_with_key(const Context& context, const KeyArguments& arguments);
/// Prints a short secret file, encrypted to the key, if the key may protect something now.
Result<void> encrypt_to_key(const Context& context, const KeyArguments& arguments);
/// Prints what was encrypted so; the TPM has the key and says no more than what one message needs.
Result<void> decrypt_with_key(const Context& context, const KeyArguments& arguments);
/// Prints where keys can go: this TPM.
Result<void> show_key_target(const Context& context, const KeyArguments& arguments);
/// As authority: prints the line that lets controlled keys of a tenant go to the target.
Result<void> allow_key_target(const Context& context, const KeyArguments& arguments);
/// Prints the key, encrypted for the target.
Result<void> export_key(const Context& context, const KeyArguments& arguments);
/// Takes the key into this TPM and into the dictionary.
Result<void> import_key(const Context& context, const KeyArguments& arguments);

}  // namespace pgveil::tenant
