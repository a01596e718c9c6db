#include "proxy/relay/replication_path.hpp"

#include "proxy/relay/server_error.hpp"
#include "proxy/wire/frontend.hpp"

#include <cctype>
#include <string>
#include <utility>
#include <vector>

namespace pgveil::relay {

using wire::BackendType;
using wire::FrontendType;

namespace {

/// Above it an error passes in pieces; the server's own are far below.
constexpr std::size_t kWholeMax = std::size_t{1} << 20U;

char folded(char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

bool names_us(wire::ByteView body) {
    wire::WipedText text(wire::as_text(body));
    for (char& letter : text) {
        letter = folded(letter);
    }
    return text.find("pgveil") != wire::WipedText::npos;
}

/// The words of a command, in lower case. A quoted name is one word, with its quotes.
std::vector<std::string> words_of(std::string_view command) {
    std::vector<std::string> words;
    bool inside = false;
    bool quoted = false;
    for (const char letter : command) {
        quoted = quoted != (letter == '"');
        const bool belongs = quoted || letter == '"' || letter == '_' ||
                             std::isalnum(static_cast<unsigned char>(letter)) != 0;
        if (belongs && !inside) {
            words.emplace_back();
        }
        if (belongs) {
            words.back() += folded(letter);
        }
        inside = belongs;
    }
    return words;
}

Refusal names_pgveil() {
    Refusal refusal;
    refusal.sqlstate = "0A000";
    refusal.message = "a replication connection cannot use session parameters of pgveil";
    refusal.detail = "Commands pass to the server as they are, and what they hold with them.";
    return refusal;
}

Refusal whole_cluster() {
    Refusal refusal;
    refusal.sqlstate = "0A000";
    refusal.message =
        "pgveil passes base backups and physical replication on only where its policy "
        "protects no table at all";
    refusal.detail =
        "They carry every database, and protected values in their stored, encrypted "
        "form, which nothing at the other end could open.";
    refusal.hint = "Connect the replication client straight to the database server.";
    return refusal;
}

}  // namespace

bool reads_whole_cluster(std::string_view command) {
    constexpr std::size_t kKind = 3;  // START_REPLICATION SLOT name LOGICAL ...
    const std::vector<std::string> words = words_of(command);
    if (words.empty()) {
        return false;
    }
    const bool is_logical = words.size() > kKind && words[1] == "slot" && words[kKind] == "logical";
    return words[0] == "base_backup" || (words[0] == "start_replication" && !is_logical);
}

void ReplicationPath::on_client(const wire::Frame& frame, Outgoing& upstream) {
    if (!state_->environment->policy_for(state_->facts.database)->is_empty()) {
        return;  // a reload has brought that: whoever drives the relay ends the session
    }
    switch (wire::frontend_type(frame.type)) {
        case FrontendType::kQuery: return on_query(frame, upstream);
        case FrontendType::kCopyData:
        case FrontendType::kCopyDone:
        case FrontendType::kCopyFail:
        case FrontendType::kFlush:
        case FrontendType::kTerminate: return upstream.pass(frame.bytes);
        case FrontendType::kBind:
        case FrontendType::kClose:
        case FrontendType::kDescribe:
        case FrontendType::kExecute:
        case FrontendType::kFunctionCall:
        case FrontendType::kParse:
        case FrontendType::kPasswordMessage:
        case FrontendType::kSync:
        case FrontendType::kUnknown: break;
    }
    // The server takes none of these here either, but Sync, which belongs to them.
    state_->violation = "a replication connection takes simple queries only";
}

void ReplicationPath::on_query(const wire::Frame& frame, Outgoing& upstream) {
    const bool protects_something = !state_->environment->policy->is_empty();
    const std::string_view command = wire::as_text(frame.body);
    std::unique_ptr<const Refusal> refused;
    if (names_us(frame.body)) {
        refused = std::make_unique<const Refusal>(names_pgveil());
    } else if (protects_something && reads_whole_cluster(command)) {
        refused = std::make_unique<const Refusal>(whole_cluster());
    }
    if (refused == nullptr) {
        upstream.pass(frame.bytes);
    } else {
        wire::append_query(upstream.made(), state_->marker_for(*refused));
    }
    commands_.push_back(std::move(refused));
}

bool ReplicationPath::must_be_whole(std::uint8_t type, std::size_t size) {
    const BackendType kind = wire::backend_type(type);
    const bool is_known = kind == BackendType::kReadyForQuery ||
                          kind == BackendType::kErrorResponse ||
                          kind == BackendType::kCopyBothResponse;
    return is_known && size <= kWholeMax;
}

void ReplicationPath::on_server(const wire::Frame& frame, Outgoing& client) {
    const BackendType kind = wire::backend_type(frame.type);
    if (kind == BackendType::kErrorResponse) {
        return on_error(frame, client);
    }
    if (kind == BackendType::kCopyBothResponse) {
        streams_ = true;
    }
    if (kind == BackendType::kReadyForQuery) {
        on_ready_for_query(frame);
    }
    client.pass(frame.bytes);
}

void ReplicationPath::on_error(const wire::Frame& frame, Outgoing& client) {
    if (ends_session(frame)) {
        said_farewell_ = true;
    } else if (!commands_.empty() && commands_.front() != nullptr) {
        return append(client.made(), *commands_.front());
    }
    client.pass(frame.bytes);
}

void ReplicationPath::on_ready_for_query(const wire::Frame& frame) {
    const auto ready = wire::decode_ready_for_query(frame.body);
    if (!ready.has_value()) {
        state_->violation = "unexpected message from the server";
        return;
    }
    streams_ = false;
    state_->transaction = ready->status;
    if (!commands_.empty()) {
        commands_.pop_front();
        ++state_->answered_requests;
    }
}

}  // namespace pgveil::relay
