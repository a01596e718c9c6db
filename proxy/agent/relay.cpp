#include "proxy/agent/relay.hpp"

#include "keyshare/share/challenge.hpp"
#include "proxy/agent/own_request.hpp"
#include "proxy/log/log.hpp"
#include "proxy/wire/authentication.hpp"
#include "proxy/wire/error_response.hpp"
#include "proxy/wire/row.hpp"

#include <algorithm>
#include <limits>
#include <vector>

namespace pgveil::agent {

namespace {

using wire::BackendType;

constexpr std::string_view kUserId = "pgveil.user_id";
constexpr std::string_view kUserToken = "pgveil.user_token";
constexpr std::string_view kAppShare = "pgveil.app_share";
constexpr std::string_view kTokenKeyQuery = "SELECT pgveil.token_key()";
constexpr std::string_view kChallengeQuery = "SELECT pgveil.challenge()";
constexpr std::string_view kSharesRefused = "28000";
constexpr std::string_view kChannelBinding = "-PLUS";

session::LoginError malformed(std::string_view who) {
    return session::refuse("08P01", "invalid message length from the " + std::string(who));
}

session::LoginError no_token_key(std::string reason) {
    session::LoginError error =
        session::refuse("28000", "pgveil-agent gives this server no shares", std::move(reason));
    error.hint =
        "Is \"upstream\" of the agent's settings the pgveil proxy that the tenant has pinned in "
        "the user's key, and are both clocks right?";
    return error;
}

/// Between client and agent there is no TLS to bind to; whoever offers binding there is taken for
/// somebody in the middle (RFC 5802 section 6).
void append_without_binding(wire::Output& client, const wire::Frame& frame) {
    const auto request = wire::decode_authentication(frame.body);
    if (!request.has_value() || request->type != wire::AuthenticationType::kSASL) {
        client.append(frame.bytes);
        return;
    }
    std::vector<std::string_view> kept(request->mechanisms.begin(), request->mechanisms.end());
    std::erase_if(kept, [](std::string_view mechanism) {
        return mechanism.ends_with(kChannelBinding);
    });
    wire::append_authentication_sasl(client, kept);
}

}  // namespace

void Relay::append_startup(wire::Output& upstream, const session::ClientStartup& startup) {
    std::vector<wire::StartupParameter> parameters = startup.parameters;
    core::SecretBytes token;
    const std::int64_t now_s = now_s_();
    const bool may_be_early = app_share() != nullptr && !tokens_->answers_challenges();
    if (may_be_early && tokens_->is_ready(account_->key, now_s)) {
        auto made = tokens_->make(account_->key, scope(), now_s);
        if (made) {
            token = std::move(*made);
            parameters.push_back({kUserId, account_->key.user_id});
            parameters.push_back({kUserToken, core::as_text(token.reveal())});
            parameters.push_back({kAppShare, core::as_text(app_share()->reveal())});
            renewal_.given(Due::kEverything, now_s, tokens_->valid_s(), exchange_.status());
        }
    }
    wire::append_startup_message(upstream, startup.version, parameters);
}

std::size_t Relay::on_client(wire::ByteView bytes, wire::Output& upstream) {
    std::size_t used = 0;
    client_waits_ = false;
    client_wants_ = 0;
    while (used < bytes.size() && !failure_) {
        const wire::ByteView rest = bytes.subspan(used);
        const std::size_t count =
            request_rest_ > 0 ? pass_request(rest, upstream) : begin_message(rest, upstream);
        used += count;
        if (count == 0 && request_rest_ == 0) {
            break;
        }
    }
    return used;
}

std::size_t Relay::pass_request(wire::ByteView bytes, wire::Output& upstream) {
    const std::size_t count = std::min(request_rest_, bytes.size());
    upstream.append(bytes.first(count));
    request_rest_ -= count;
    return count;
}

/// Either leaves the message to pass_request, or takes it in another form, or stops before it.
std::size_t Relay::begin_message(wire::ByteView bytes, wire::Output& upstream) {
    wire::FrameReader frames(bytes, std::numeric_limits<std::size_t>::max());
    const wire::Peek peek = frames.peek();
    if (peek.status == wire::PeekStatus::kNeedHead) {
        return 0;
    }
    if (peek.status == wire::PeekStatus::kMalformed) {
        fail(malformed("client"));
        return 0;
    }
    const wire::FrontendType type = wire::frontend_type(peek.type);
    if (awaits_rest(peek, bytes)) {
        client_wants_ = peek.size;
        return 0;
    }
    client_waits_ = must_wait(type) || !prepare(type, upstream);
    if (client_waits_) {
        return 0;
    }
    const bool may_be_call = exchange_.would_begin(type) && peek.status == wire::PeekStatus::kWhole;
    exchange_.on_client(type);
    said_farewell_ = said_farewell_ || type == wire::FrontendType::kTerminate;
    if (may_be_call && take_call(frames.take(), upstream)) {
        return peek.size;
    }
    request_rest_ = peek.size;
    return 0;
}

const core::SecretBytes* Relay::app_share() const {
    if (account_ == nullptr) {
        return nullptr;
    }
    const core::SecretBytes* const kept =
        table_ == nullptr ? nullptr : table_->find(account_->key.user_id);
    if (kept != nullptr) {
        return kept;
    }
    return account_->app_share.empty() ? nullptr : &account_->app_share;
}

void Relay::change_account() {
    const bool is_between = exchange_.is_logged_in() && exchange_.may_insert() && !run_ &&
                            exchange_.status() == wire::TransactionStatus::kIdle;
    if (next_account_ != nullptr && is_between) {
        account_ = std::exchange(next_account_, nullptr);
        renewal_.on_refused();
    }
}

/// False: the message waits for replies.
bool Relay::prepare(wire::FrontendType type, wire::Output& upstream) {
    change_account();
    if (app_share() == nullptr || !exchange_.would_begin(type)) {
        return true;
    }
    const std::int64_t now_s = now_s_();
    const Due due = renewal_.due(now_s, exchange_.status());
    if (due == Due::kNothing) {
        return true;
    }
    if (!exchange_.may_insert()) {
        return false;
    }
    if (!tokens_->is_ready(account_->key, now_s)) {
        ask(Asked::kTokenKey, upstream);
        return false;
    }
    if (tokens_->answers_challenges() && !challenge_) {
        ask(Asked::kChallenge, upstream);
        return false;
    }
    give(due, upstream);
    return true;
}

void Relay::ask(Asked what, wire::Output& upstream) {
    asked_ = what;
    exchange_.on_own_request();
    append_statement(upstream, what == Asked::kTokenKey ? kTokenKeyQuery : kChallengeQuery);
    append_sync(upstream);
}

/// Of the next token; it takes the challenge.
share::TokenScope Relay::scope() {
    share::TokenScope scope = account_->scope;
    scope.challenge = std::exchange(challenge_, std::nullopt);
    scope.tls = channel_;
    return scope;
}

void Relay::give(Due due, wire::Output& upstream) {
    const std::int64_t now_s = now_s_();
    const auto token = tokens_->make(account_->key, scope(), now_s);
    if (!token) {
        fail(no_token_key(token.error().message));
        return;
    }
    asked_ = Asked::kShares;
    exchange_.on_own_request();
    if (due == Due::kEverything) {
        append_setting(upstream, kUserId, account_->key.user_id);
        append_setting(upstream, kAppShare, core::as_text(app_share()->reveal()));
    }
    append_setting(upstream, kUserToken, core::as_text(token->reveal()));
    append_sync(upstream);
    renewal_.given(due, now_s, tokens_->valid_s(), exchange_.status());
}

std::size_t Relay::on_upstream(wire::ByteView bytes, wire::Output& client) {
    std::size_t used = 0;
    upstream_wants_ = 0;
    while (used < bytes.size() && !failure_) {
        const wire::ByteView rest = bytes.subspan(used);
        if (reply_rest_ == 0) {
            begin_reply(rest, client);
        }
        const std::size_t count = std::min(reply_rest_, rest.size());
        if (count == 0) {
            break;
        }
        if (!is_reply_hidden_) {
            client.append(rest.first(count));
        }
        reply_rest_ -= count;
        used += count;
    }
    return used;
}

/// Sets reply_rest_, unless more of the message must come first.
void Relay::begin_reply(wire::ByteView bytes, wire::Output& client) {
    wire::FrameReader frames(bytes, kLookedAtMax);
    const wire::Peek peek = frames.peek();
    if (peek.status == wire::PeekStatus::kNeedHead) {
        return;
    }
    if (peek.status == wire::PeekStatus::kMalformed) {
        fail(malformed("proxy"));
        return;
    }
    const BackendType type = wire::backend_type(peek.type);
    if (peek.status == wire::PeekStatus::kPartial && must_be_whole(type)) {
        upstream_wants_ = peek.size;
        return;
    }
    is_reply_hidden_ = exchange_.on_upstream(type);
    reply_rest_ = peek.size;
    const bool is_whole = peek.status == wire::PeekStatus::kWhole;
    if (is_whole && look_at(frames.take(), is_reply_hidden_, client)) {
        is_reply_hidden_ = true;  // its place was taken
    }
}

bool Relay::must_be_whole(BackendType type) const {
    return exchange_.answers_own() || !exchange_.is_logged_in() ||
           type == BackendType::kReadyForQuery || type == BackendType::kCommandComplete ||
           type == BackendType::kErrorResponse || (run_ && type == BackendType::kDataRow);
}

/// @return whether something else went to the client in its place
bool Relay::look_at(const wire::Frame& frame, bool is_own, wire::Output& client) {
    const BackendType type = wire::backend_type(frame.type);
    if (type == BackendType::kErrorResponse) {
        on_error(frame, is_own);
    }
    if (!exchange_.is_logged_in()) {
        return look_at_login(frame, client);
    }
    if (!is_own) {
        look_at_answer(frame, client);
    } else if (type == BackendType::kDataRow) {
        on_own_row(frame);
    }
    if (type == BackendType::kReadyForQuery) {
        on_ready(frame, is_own);
    }
    return false;
}

bool Relay::look_at_login(const wire::Frame& frame, wire::Output& client) {
    const BackendType type = wire::backend_type(frame.type);
    const bool is_replaced = type == BackendType::kAuthentication;
    if (is_replaced) {
        append_without_binding(client, frame);
    }
    // The agent has agreed with the client on a version before.
    return is_replaced || type == BackendType::kNegotiateProtocolVersion;
}

/// To a request of the client's.
void Relay::look_at_answer(const wire::Frame& frame, wire::Output& client) {
    const BackendType type = wire::backend_type(frame.type);
    if (type == BackendType::kCommandComplete) {
        const auto complete = wire::decode_command_complete(frame.body);
        renewal_.on_command(complete.has_value() ? complete->tag : std::string_view());
    } else if (run_ && type == BackendType::kDataRow) {
        run_->on_row(frame.body);
    } else if (run_ && type == BackendType::kErrorResponse) {
        run_->on_error();
    } else if (run_ && type == BackendType::kReadyForQuery) {
        finish_call(client);
    }
}

void Relay::on_error(const wire::Frame& frame, bool is_own) {
    const auto error = wire::decode_error_response(frame.body);
    if (!error.has_value()) {
        return;
    }
    said_farewell_ = said_farewell_ || error->find('V').value_or("") == "FATAL";
    if (is_own) {
        own_error_ = error->find('M').value_or("an error without a message");
    } else if (error->find('C').value_or("") == kSharesRefused) {
        renewal_.on_refused();
        tokens_->doubt(now_s_());
    }
}

void Relay::on_own_row(const wire::Frame& frame) {
    const auto row = wire::decode_data_row(frame.body);
    if (asked_ != Asked::kShares && row.has_value() && row->cells.size() == 1) {
        const wire::Cell cell = *row->cells.begin();
        own_value_ = cell ? wire::as_text(*cell) : std::string_view();
    }
}

void Relay::on_ready(const wire::Frame& frame, bool is_own) {
    const auto ready = wire::decode_ready_for_query(frame.body);
    if (!ready.has_value()) {
        fail(malformed("proxy"));
        return;
    }
    exchange_.on_status(ready->status);
    renewal_.on_status(ready->status);
    if (is_own) {
        on_own_answer();
    }
}

void Relay::on_own_answer() {
    const std::string value = std::exchange(own_value_, {});
    const std::string error = std::exchange(own_error_, {});
    if (asked_ == Asked::kShares) {
        if (!error.empty()) {
            renewal_.on_refused();
            log::warn("the proxy did not take fresh shares: {reason}", {{"reason", error}});
        }
        return;
    }
    if (!error.empty()) {
        fail(no_token_key(
            (asked_ == Asked::kTokenKey ? "It did not tell its token key: "
                                        : "It did not give a challenge: ") +
            error
        ));
        return;
    }
    if (asked_ == Asked::kChallenge) {
        take_challenge(value);
        return;
    }
    const auto taken = tokens_->take(account_->key, value, now_s_());
    if (!taken) {
        fail(no_token_key(taken.error().message));
    }
}

void Relay::take_challenge(std::string_view text) {
    const auto challenge = share::parse_challenge(text);
    if (!challenge) {
        fail(no_token_key("It did not give a challenge: " + challenge.error().message));
        return;
    }
    challenge_ = *challenge;
}

bool Relay::may_end_now() const {
    return exchange_.may_insert() && exchange_.status() == wire::TransactionStatus::kIdle &&
           request_rest_ == 0 && reply_rest_ == 0;
}

void Relay::fail(session::LoginError error) {
    failure_ = std::move(error);
}

}  // namespace pgveil::agent
