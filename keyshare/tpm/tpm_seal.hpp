#pragma once

#include "keyshare/attest/measurement.hpp"
#include "keyshare/seal/seal.hpp"
#include "keyshare/tpm/key_file.hpp"
#include "keyshare/tpm/tpm.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace pgveil::tpm {

struct TpmSealOptions {
    std::filesystem::path path;       ///< of the sealed key
    std::filesystem::path approvals;  ///< the tenant's, a text file
    std::string place;                ///< of the TPM, as Tpm::open
    std::string tenant;
    core::PublicPoint approver;
    attest::PcrSelection registers;  ///< beside attest::kMeasuredPcr, which is always one of them
    attest::Measurement measurement;
};

/// The `tpm` seal: the store key lies on the disk as the TPM sealed it, and is released when the
/// registers hold what the tenant has approved by signature. A new approval is enough after a
/// change: nothing is sealed again. Each renewal of the key counts the TPM's own counter up, so
/// that a former key is never released again, wherever its file was kept; that holds as long as the
/// TPM's memory cannot be put back, which the host of a virtual one can do.
///
/// Reaches for the TPM in every call, and lets go of it: 30 to 200 ms.
class TpmSeal : public seal::Seal {
public:
    explicit TpmSeal(TpmSealOptions options) : options_(std::move(options)) {}

    seal::Result<void> create_if_missing(core::RandomSource& random) override;
    seal::Result<seal::StoreKey> current() const override;
    seal::Result<std::optional<seal::StoreKey>> successor() const override;
    seal::Result<seal::StoreKey> begin_renewal(core::RandomSource& random) override;
    seal::Result<void> begin_return(const seal::StoreKey& key) override;
    seal::Result<void> finish_renewal() override;
    seal::Result<void> abandon_renewal() override;

private:
    /// The TPM, and the counter that all keys of this seal have.
    struct Place {
        Tpm tpm;
        std::uint32_t counter;
    };

    std::filesystem::path next_path() const { return options_.path.string() + ".next"; }

    Release release_of(const KeptKey& kept) const;
    seal::Result<Place> open_place() const;
    seal::Result<seal::StoreKey> open_key(Tpm& tpm, const KeptKey& kept) const;
    seal::Result<void> write_successor(Place& place, const seal::StoreKey& key) const;
    seal::Result<void> keep(
        Place& place,
        const seal::StoreKey& key,
        std::uint64_t generation,
        const std::filesystem::path& path
    ) const;
    seal::Result<void> count_up_to(Tpm& tpm, const KeptKey& kept) const;

    TpmSealOptions options_;
};

/// What the tenant has to approve so that current() succeeds.
Result<attest::Statement> state_of(const TpmSealOptions& options);

/// A state and its approval.
struct ApprovedState {
    attest::Statement statement;
    attest::Approval approval;
};

/// The same, of a TPM that is open, with the approval; the error says how to get one.
seal::Result<ApprovedState> approved_state(Tpm& tpm, const TpmSealOptions& options);

/// The approval of that; the error says how to get one.
seal::Result<attest::Approval> find_approval(const TpmSealOptions& options);

}  // namespace pgveil::tpm
