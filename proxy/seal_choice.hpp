#pragma once

#include "config/settings.hpp"
#include "keyshare/seal/error.hpp"
#include "keyshare/seal/seal.hpp"
#include "keyshare/store/proxy_custody.hpp"

#include <memory>
#include <string>

namespace pgveil::proxy {

/// The seal that the settings name. With a TPM: the files that this program runs with are measured
/// now, once; the TPM itself is reached for when the seal is asked for a key.
seal::Result<std::unique_ptr<seal::Seal>> make_seal(const config::Settings& settings);

/// The custody of the running proxy, under that seal.
store::Result<std::shared_ptr<store::ProxyCustody>> open_custody(const config::Settings& settings);

/// What keeps the store key, for the log: a missing TPM is said, too.
std::string describe_seal(const config::Settings& settings);

/// The file seal: it asks neither a TPM nor custodians.
bool opens_alone(const config::Settings& settings);

/// Why the next start would not get the store key, if binary, settings and policy stay as they lie
/// on the disk now; empty if it would. Reaches for the TPM.
std::string trouble_at_next_start(const config::Settings& settings);

/// `pgveil attest`: prints the TPM's keys, or with a file of a challenge the evidence. Returns the
/// exit code.
int attest_to(const std::string& settings_file, const std::string& challenge_file);

/// `pgveil measure`: prints what the tenant has to approve. Returns the exit code.
int measure(const std::string& settings_file);

}  // namespace pgveil::proxy
