#pragma once

#include "keyshare/custody/asker_settings.hpp"
#include "keyshare/custody/https_calls.hpp"
#include "keyshare/envelope/holder.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::envelope {

/// The files with which a person names the members of a custodians' group as holders.
struct CustodianFiles {
    std::string askers;  ///< where the custodians are, and the asker's certificate
    std::string group;   ///< as `pgveil-custodian group create` wrote it

    bool are_named() const { return !askers.empty(); }
};

/// A member of a custodians' group, asked over HTTPS (POST /v1/groups/{id}/partial) with the file's
/// header. What it refuses is told in its own words. Its certificate was signed by the asker's CA,
/// but its answer counts because the proof holds for the group in the asker's own file. Blocks, for
/// five seconds at most.
class CustodianHolder final : public Holder {
public:
    CustodianHolder(
        custody::Custodian custodian,
        quorum::Group group,
        std::uint32_t index,
        const custody::TlsFiles& tls
    );

    const std::string& name() const override { return custodian_.name; }

    const quorum::Group& group() const override { return group_; }

    std::uint32_t index() const override { return index_; }

    /// The time of the custodian counts, not `now_s`.
    Result<core::Bytes> answer(const Question& question, std::int64_t now_s) override;

private:
    custody::Custodian custodian_;
    quorum::Group group_;
    std::uint32_t index_;
    custody::HttpsCalls calls_;
};

struct CustodianHolders {
    std::vector<std::unique_ptr<CustodianHolder>> members;  ///< in the group's order
    std::vector<std::string> unknown;  ///< members of which the askers' file does not say where
};

/// kUsage for files that cannot be used. Asks nobody yet.
Result<CustodianHolders> open_custodians(const CustodianFiles& files);

/// The name by which the custodians know whoever asks: that of the certificate.
Result<std::string> requester_of(const CustodianFiles& files);

/// The public key in a group file, for which `path` is the message's.
Result<core::PublicPoint> key_of_group_file(const std::string& path, std::string_view text);

}  // namespace pgveil::envelope
