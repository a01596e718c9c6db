#pragma once

#include "keyshare/custody/asker_settings.hpp"
#include "keyshare/custody/https_calls.hpp"
#include "keyshare/envelope/holder.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgveil::envelope {

/// The files with which a person names the members of a custodians' group as holders.
struct CustodianFiles {
    std::string askers;  ///< where the custodians are, and the asker's certificate
    std::string group;   ///< as `pgveil-custodian group create` wrote it

    bool are_named() const { return !askers.empty(); }
};

/// Questions to several custodians that are under way at the same time, each for five seconds at
/// most. One thread.
class CustodianCalls {
public:
    using Ticket = std::size_t;

    explicit CustodianCalls(const custody::TlsFiles& tls);

    Ticket begin(const custody::HttpsCall& call);
    /// Until any of them has ended, or that time has come.
    void wait(custody::HttpsCalls::Clock::time_point until);
    /// Null while it is under way.
    const custody::HttpsReply* reply_to(Ticket ticket) const;

    /// Its reply is of no interest any more.
    void forget(Ticket ticket) { replies_.erase(ticket); }

private:
    custody::HttpsCalls calls_;
    std::map<Ticket, custody::HttpsReply> replies_;
    Ticket next_ = 1;
};

/// A member of a custodians' group, asked over HTTPS (POST /v1/groups/{id}/partial) with the file's
/// header. What it refuses is told in its own words. Its certificate was signed by the asker's CA,
/// but its answer counts because the proof holds for the group in the asker's own file. answer()
/// blocks, for five seconds at most.
class CustodianHolder final : public Holder {
public:
    CustodianHolder(
        custody::Custodian custodian,
        quorum::Group group,
        std::uint32_t index,
        std::shared_ptr<CustodianCalls> calls
    )
        : custodian_(std::move(custodian)),
          group_(std::move(group)),
          index_(index),
          calls_(std::move(calls)) {}

    const std::string& name() const override { return custodian_.name; }

    const quorum::Group& group() const override { return group_; }

    std::uint32_t index() const override { return index_; }

    void begin(const Question& question) override;
    bool is_ready(std::chrono::steady_clock::time_point until) override;

    /// The time of the custodian counts, not `now_s`.
    Result<core::Bytes> answer(const Question& question, std::int64_t now_s) override;

private:
    custody::Custodian custodian_;
    quorum::Group group_;
    std::uint32_t index_;
    std::shared_ptr<CustodianCalls> calls_;
    CustodianCalls::Ticket ticket_ = 0;     ///< 0: nothing was asked
    std::array<std::uint8_t, 16> asked_{};  ///< the request's id
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
