#pragma once

#include "keyshare/custody/asker.hpp"
#include "keyshare/custody/kept_key.hpp"
#include "keyshare/seal/seal.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace pgveil::custody {

struct CustodianSealOptions {
    std::filesystem::path path;  ///< of the sealed key
    std::string custodians;      ///< the asker's settings, a file
    std::string group;           ///< the pinned group, a file
    AskTimes times = {};
    Witness witness = {};  ///< for custodians that demand a TPM's evidence
};

/// The `custodians` seal: the store key lies on the disk sealed to the public key of a group, and
/// only t of its n custodians together open it, for a purpose ("unseal") that their policy allows
/// this asker. They see a blinded point, and answer this asker only. To seal, nobody is needed.
///
/// Each renewal of the key raises a number that the custodians note, and they answer no question
/// that comes with a smaller one: so a former key is not released again to a proxy whose disk was
/// put back, though somebody who has taken over the asker's certificate may say any number. A
/// renewal is finished when n - t + 1 have noted it.
///
/// Another seal may stand beside the custodians (`tpm+custodians`): then the key of that one is
/// needed as well. Blocks for the calls.
class CustodianSeal : public seal::Seal {
public:
    /// `beside`: null for `custodians` alone. It has its own files.
    explicit CustodianSeal(
        CustodianSealOptions options, std::unique_ptr<seal::Seal> beside = nullptr
    )
        : options_(std::move(options)), beside_(std::move(beside)) {}

    seal::Result<void> create_if_missing(core::RandomSource& random) override;
    seal::Result<seal::StoreKey> current() const override;
    seal::Result<std::optional<seal::StoreKey>> successor() const override;
    seal::Result<seal::StoreKey> begin_renewal(core::RandomSource& random) override;
    seal::Result<void> begin_return(const seal::StoreKey& key) override;
    seal::Result<void> finish_renewal() override;
    seal::Result<void> abandon_renewal() override;

private:
    std::filesystem::path next_path() const { return options_.path.string() + ".next"; }

    /// There while the custodians may not have noted the last renewal.
    std::filesystem::path unnoted_path() const { return options_.path.string() + ".unnoted"; }

    seal::Result<Asker> asker() const;
    seal::Result<seal::StoreKey> open(const KeptKey& kept) const;
    seal::Result<core::SecretBytes> ask_custodians(const KeptKey& kept) const;
    seal::Result<void> write(
        const std::filesystem::path& path,
        const seal::StoreKey& key,
        const StoreVersion& store,
        core::ByteView beside
    ) const;
    seal::Result<void> note(const KeptKey& kept) const;
    bool mark_unnoted() const;
    bool keep_group_of(const Asker& asking) const;

    CustodianSealOptions options_;
    std::unique_ptr<seal::Seal> beside_;
};

}  // namespace pgveil::custody
