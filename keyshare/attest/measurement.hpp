#pragma once

#include "keyshare/attest/error.hpp"
#include "keyshare/attest/policy.hpp"

#include <array>
#include <string>
#include <string_view>

namespace pgveil::attest {

/// The register that a proxy resets and extends with what it measured. Any program of the machine
/// may do so too (TCG PC Client Platform Profile: application support), so that a restart of the
/// proxy needs no restart of the machine.
inline constexpr std::uint32_t kMeasuredPcr = 23;

/// SHA-256 of the files a proxy runs with, as it says itself.
struct Measurement {
    Sha256Digest binary{};
    Sha256Digest settings{};
    Sha256Digest policy{};

    /// In the order in which they are extended.
    std::array<Sha256Digest, 3> digests() const { return {binary, settings, policy}; }

    friend bool operator==(const Measurement&, const Measurement&) = default;
};

/// What kMeasuredPcr holds after a reset and one extension with each digest.
Sha256Digest measured_value(const Measurement& measurement);

/// A measurement with the values of all registers that a seal asks for, as text for a file: what
/// the tenant is shown and approves.
struct Statement {
    std::string tenant;
    Measurement measurement;
    PcrValues registers;  ///< without kMeasuredPcr, which follows from the measurement

    /// All registers.
    PcrValues values() const;
};

/// Lines "name: value", the first "pgveil-measurement: 1".
std::string to_text(const Statement& statement);
/// Strict: exactly what to_text writes. Never throws on any text.
Result<Statement> parse_statement(std::string_view text);

}  // namespace pgveil::attest
