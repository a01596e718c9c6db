#include "proxy/agent/relay.hpp"
#include "proxy/log/log.hpp"
#include "proxy/wire/error_response.hpp"
#include "proxy/wire/frontend.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

/// What the relay does with the tenant's calls.
namespace pgveil::agent {

namespace {

/// So much of a statement tells whether it may be a call of the tenant's: comments come before it.
constexpr std::size_t kTellingSize = std::size_t{64} * 1024;

/// In whatever case.
bool names_schema(wire::ByteView bytes) {
    constexpr std::string_view kSchema = "pgveil";
    const std::string_view text = wire::as_text(bytes);
    return std::search(
               text.begin(),
               text.end(),
               kSchema.begin(),
               kSchema.end(),
               [](char left, char right) {
                   return (left >= 'A' && left <= 'Z' ? left - 'A' + 'a' : left) == right;
               }
           ) != text.end();
}

}  // namespace

/// The replies to a call of the tenant's are told from all others by coming alone.
bool Relay::must_wait(wire::FrontendType type) const {
    return run_ && exchange_.would_begin(type);
}

/// Whether the message, of which `here` has come, may be a call of the tenant's.
bool Relay::awaits_rest(const wire::Peek& peek, wire::ByteView here) {
    const wire::FrontendType type = wire::frontend_type(peek.type);
    const bool is_looked_at =
        table_ != nullptr && account_ != nullptr && exchange_.would_begin(type) &&
        peek.size <= kLookedAtMax &&
        (type == wire::FrontendType::kQuery || type == wire::FrontendType::kParse);
    if (!is_looked_at || peek.status == wire::PeekStatus::kWhole) {
        return false;
    }
    return here.size() < kTellingSize || names_schema(here);
}

/// @return whether it was sent in another form
bool Relay::take_call(const wire::Frame& frame, wire::Output& upstream) {
    const wire::FrontendType type = wire::frontend_type(frame.type);
    if (table_ == nullptr || account_ == nullptr) {
        return false;
    }
    const auto query = wire::decode_query(frame.body);
    const auto parse = wire::decode_parse(frame.body);
    const bool is_query = type == wire::FrontendType::kQuery && query.has_value();
    const bool is_parse = type == wire::FrontendType::kParse && parse.has_value();
    if (!is_query && !is_parse) {
        return false;
    }
    ReadCall read = read_command_call(is_query ? query->text : parse->text);
    if (read.reading == Reading::kUnclear) {
        log::warn(
            "a call of the tenant's passes in a form that the agent does not read: no app "
            "share is kept of it"
        );
    }
    if (read.reading != Reading::kCall) {
        return false;
    }
    run_.emplace(std::move(read.call));
    if (is_query) {
        wire::append_query(upstream, read.text);
    } else {
        wire::append_parse(upstream, parse->statement, read.text, {});
    }
    return true;
}

void Relay::finish_call(wire::Output& client) {
    const auto finished = run_->finish(*table_, account_->key);
    if (finished) {
        log::info("a call for user {user} has passed", {{"user", run_->user_id()}});
        renewal_.on_refused();  // the session's own user may have got another share
    } else {
        const std::string message = "pgveil-agent has not changed its share of user " +
                                    run_->user_id() + ": " + finished.error().message;
        wire::Report report;
        report.severity = "WARNING";
        report.sqlstate = "01000";
        report.message = message;
        report.hint = "Run the same call again: it may be run more than once.";
        wire::append_notice(client, report);
        log::warn("{message_to_client}", {{"message_to_client", message}});
    }
    run_.reset();
}

}  // namespace pgveil::agent
