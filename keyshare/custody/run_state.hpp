#pragma once

#include "keyshare/custody/coordination.hpp"
#include "keyshare/custody/questions.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pgveil::custody {

/// What the coordinator keeps of a run, so that it can go on after a kill. Public.
struct RunFile {
    std::string session;  ///< 32 bytes, base64url
    std::string plan;     ///< plan_text()
    std::string begin;    ///< the body of POST /v1/runs; empty until all statements are here
};

/// One text for each plan, with the group and epoch it starts from.
std::string plan_text(const RunPlan& plan);

/// Whether a run of `file` has led to the group and epoch that `plan` starts from.
bool is_finished_by(const RunFile& file, const RunPlan& plan);

std::string write_run_file(const RunFile& file);
/// kSettings for anything else; `path` is for the message.
Result<RunFile> parse_run_file(const std::string& path, const std::string& text);

/// The body of POST /v1/runs.
std::string begin_body(
    const std::string& session, const RunPlan& plan, const std::vector<std::string>& statements
);
/// The statements in such a body.
std::vector<std::string> statements_in(const std::string& begin);

/// A message of a run; the coordinator does not look into it.
struct RunMessage {
    std::uint32_t round = 0;
    std::uint32_t index = 0;
    std::string message;

    friend auto operator<=>(const RunMessage&, const RunMessage&) = default;
};

std::string messages_body(const std::vector<RunMessage>& messages);

/// How a custodian describes its part in a run.
struct RunView {
    bool is_done = false;
    bool is_abandoned = false;
    std::string group;               ///< when done: its id
    std::optional<Refusal> failure;  ///< the run is over
    std::vector<RunMessage> sent;    ///< what it has said so far
};

/// Nothing for anything that is no such description. Messages that name no index are of `index`.
std::optional<RunView> parse_run_view(const std::string& body, std::uint32_t index);

}  // namespace pgveil::custody
