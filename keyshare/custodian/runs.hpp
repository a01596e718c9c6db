#pragma once

#include "keyshare/custodian/custodian_store.hpp"
#include "keyshare/custodian/refusal.hpp"
#include "keyshare/custodian/run_forms.hpp"
#include "keyshare/custodian/run_setup.hpp"
#include "keyshare/quorum/reshare_run.hpp"
#include "keyshare/share/json_fields.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace pgveil::custodian {

/// This custodian's part in runs that make groups: what a coordinator, whom nobody trusts, asks for
/// step by step. Every step is on disk before its answer goes out, so that a custodian that was
/// killed goes on with the same messages. One thread.
class Runs {
public:
    /// `custodians` are the peers and this one itself, which stands first.
    Runs(CustodianStore& store, std::vector<Peer> custodians, std::function<std::int64_t()> now_s)
        : store_(&store), custodians_(std::move(custodians)), now_s_(std::move(now_s)) {}

    /// The statement about a fresh member key for this session (32 bytes, base64url); the same one
    /// when asked again.
    Result<Reply> make_member(const std::string& session);
    /// `body` as POST /v1/runs of the description. Again: the state, if it is the same setup.
    Result<Reply> begin(const share::Json& body);
    Result<Reply> state(const std::string& session) const;
    /// `body` as POST /v1/runs/{session}/messages. What came before is nothing new.
    Result<Reply> take_messages(const std::string& session, const share::Json& body);
    /// 409 once this member has signed, for others may have the group then; but for a body with
    /// "abandonments" among which is that of a member that has not. Who has not gives its own.
    Result<Reply> abandon(const std::string& session, const share::Json& body);

private:
    using Messages = std::vector<RunMessage>;

    Result<RunRecord> find(const std::string& session) const;
    Result<RunRecord> found_or_said(const std::string& session) const;  // abandonments.cpp
    Result<MemberRecord> own_member(const std::string& session) const;
    Result<void> begin_generation(const RunSetup& setup, RunRecord& record) const;
    Result<void> go_on(RunRecord& record, const Messages& messages);
    Result<void> finish(RunRecord& record, const MemberRecord& member);
    Result<void> take_seat(
        RunRecord& record,
        const MemberRecord& member,
        GroupRecord group,
        quorum::KeyShare share,
        CustodianStore::Changes changes
    );
    Result<void> keep(const RunRecord& record);
    Result<void> fail(RunRecord& record, const Refusal& why);
    Result<void> close(RunRecord& record);

    // reshares.cpp
    std::optional<store::RowName> guard_of(const RunRecord& record) const;
    Result<void> begin_reshare(const RunSetup& setup, RunRecord& record) const;
    Result<void> go_on_reshare(
        RunRecord& record, const Messages& messages, const share::Json& body
    );
    Result<void> accept_dealings(
        RunRecord& record, const MemberRecord& member, quorum::ReshareRun& run
    );
    Result<void> finish_reshare(
        RunRecord& record, const MemberRecord& member, const quorum::ReshareRun& run
    );
    Result<void> leave(RunRecord& record, const share::Json& body);

    CustodianStore* store_;
    std::vector<Peer> custodians_;
    std::function<std::int64_t()> now_s_;
};

}  // namespace pgveil::custodian
