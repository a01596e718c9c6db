#pragma once

#include "keyshare/attest/error.hpp"
#include "keyshare/attest/policy.hpp"
#include "keyshare/core/p256.hpp"

#include <cstdint>
#include <optional>

// What a TPM has signed with its attestation key, and whether to believe it (TPM 2.0 Library, Part
// 2, section 10.12; Part 3, section 18). Pure: needs no TPM.
namespace pgveil::attest {

/// How often and how long a TPM has run. Goes forward only, as long as nobody puts the memory of a
/// virtual one back.
struct Clock {
    std::uint64_t milliseconds = 0;   ///< since the TPM was made or cleared
    std::uint32_t reset_count = 0;    ///< of power cycles
    std::uint32_t restart_count = 0;  ///< of resumes since the last of them
    bool is_safe = false;             ///< no higher value of `milliseconds` was ever reported

    friend bool operator==(const Clock&, const Clock&) = default;
};

/// TPMS_ATTEST, and the TPM's signature over it.
struct Signed {
    core::Bytes statement;
    core::Signature signature{};
};

/// What a verifier has to know beforehand.
struct QuoteExpectation {
    core::PublicPoint attestation_key;
    Sha256Digest extra{};  ///< of the nonce and of everything that is to be bound to it
    PcrValues registers;
    std::optional<Clock> last;  ///< of the last quote of this TPM; nothing: none was seen
};

struct QuoteFacts {
    Clock clock;
    std::uint64_t firmware = 0;
};

/// Says what does not fit: signature, magic number, kind, key, nonce, registers, or a clock that
/// went back. Never throws on any bytes.
Result<QuoteFacts> verify_quote(const Signed& quote, const QuoteExpectation& expected);

/// What Certify says about another key of the same TPM: that it is there, and its name, which
/// fixes its attributes and its policy.
Result<QuoteFacts> verify_certificate(
    const Signed& certificate,
    const core::PublicPoint& attestation_key,
    const Sha256Digest& extra,
    const Name& certified
);

/// What CertifyCreation says: that this TPM itself has made the key with this name. Certify alone
/// does not say it of a key that can move: anybody may make one in software and import it.
Result<QuoteFacts> verify_creation(
    const Signed& certificate,
    const core::PublicPoint& attestation_key,
    const Sha256Digest& extra,
    const Name& created
);

}  // namespace pgveil::attest
