#pragma once

#include "proxy/agent/accounts.hpp"
#include "proxy/agent/command_run.hpp"
#include "proxy/agent/exchange.hpp"
#include "proxy/agent/renewal.hpp"
#include "proxy/agent/share_table.hpp"
#include "proxy/agent/token_source.hpp"
#include "proxy/session/login_error.hpp"
#include "proxy/session/startup.hpp"
#include "proxy/wire/frame.hpp"
#include "proxy/wire/output.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace pgveil::agent {

/// The decisions for one session: which bytes of the client go to the proxy, which replies to the
/// client, and what the agent says itself between two requests of the client.
///
///     relay.append_startup(to_upstream, startup);
///     used = relay.on_client(bytes, to_upstream);      // fewer than all: see client_waits()
///     used = relay.on_upstream(bytes, to_client);      // fewer than all: see upstream_wants()
///     if (relay.failure()) { end the session with it }
/// After on_upstream() the client's bytes that had to wait are offered again. Nothing of the
/// client's is changed, except that the app share of pgveil.add_user and pgveil.change_key stays
/// here where there is a table for it. Without any I/O on sockets; belongs to one session.
class Relay {
public:
    using Clock = std::function<std::int64_t()>;

    /// @param table null: calls of the tenant's pass as any other statement
    /// @param account null: nothing is added to this session (the proxy's admin console)
    /// @param now_s Unix seconds
    Relay(
        TokenSource& tokens, ShareTable* table, std::shared_ptr<const Account> account, Clock now_s
    )
        : tokens_(&tokens), table_(table), account_(std::move(account)), now_s_(std::move(now_s)) {}

    /// Before append_startup(): the tokens are good on this TLS connection to the proxy only.
    void bind_to(const share::Digest& channel) { channel_ = channel; }

    /// Whose shares the session gets from the next request outside a transaction on: all three of
    /// them anew, also where account and share table have the same.
    void take_up(std::shared_ptr<const Account> account) { next_account_ = std::move(account); }

    /// The client's StartupMessage with the shares; without them where the proxy's token key is not
    /// known yet: then they follow behind the login.
    void append_startup(wire::Output& upstream, const session::ClientStartup& startup);

    std::size_t on_client(wire::ByteView bytes, wire::Output& upstream);
    std::size_t on_upstream(wire::ByteView bytes, wire::Output& client);

    /// The client's next message goes on only when the proxy has answered.
    bool client_waits() const { return client_waits_; }

    /// Size of the client's message that must be whole before it is looked at; 0: none.
    std::size_t client_wants() const { return client_wants_; }

    /// Size of the reply that must be whole before it is looked at; 0: none.
    std::size_t upstream_wants() const { return upstream_wants_; }

    /// What the client has got ends inside a message.
    bool is_inside_reply() const { return reply_rest_ > 0 && !is_reply_hidden_; }

    /// The client has said Terminate, or the proxy's last word was a FATAL error: both know why the
    /// connection ends.
    bool said_farewell() const { return said_farewell_; }

    bool is_logged_in() const { return exchange_.is_logged_in(); }

    /// Between two requests, outside a transaction.
    bool may_end_now() const;

    /// The session cannot go on, and why.
    const std::optional<session::LoginError>& failure() const { return failure_; }

private:
    enum class Asked { kTokenKey, kChallenge, kShares };

    /// Messages that are looked at are smaller, in bytes; larger ones pass unseen.
    static constexpr std::size_t kLookedAtMax = std::size_t{4} << 20U;

    std::size_t pass_request(wire::ByteView bytes, wire::Output& upstream);
    std::size_t begin_message(wire::ByteView bytes, wire::Output& upstream);
    void begin_reply(wire::ByteView bytes, wire::Output& client);

    const core::SecretBytes* app_share() const;
    bool must_wait(wire::FrontendType type) const;
    void change_account();
    bool prepare(wire::FrontendType type, wire::Output& upstream);
    bool awaits_rest(const wire::Peek& peek, wire::ByteView here);
    bool take_call(const wire::Frame& frame, wire::Output& upstream);
    void finish_call(wire::Output& client);
    share::TokenScope scope();
    void ask(Asked what, wire::Output& upstream);
    void take_challenge(std::string_view text);
    void give(Due due, wire::Output& upstream);
    bool must_be_whole(wire::BackendType type) const;
    bool look_at(const wire::Frame& frame, bool is_own, wire::Output& client);
    static bool look_at_login(const wire::Frame& frame, wire::Output& client);
    void look_at_answer(const wire::Frame& frame, wire::Output& client);
    void on_error(const wire::Frame& frame, bool is_own);
    void on_ready(const wire::Frame& frame, bool is_own);
    void on_own_row(const wire::Frame& frame);
    void on_own_answer();
    void fail(session::LoginError error);

    TokenSource* tokens_;
    ShareTable* table_;
    std::shared_ptr<const Account> account_;
    std::shared_ptr<const Account> next_account_;  ///< null: it stays
    Clock now_s_;
    Exchange exchange_;
    Renewal renewal_;
    Asked asked_ = Asked::kShares;           ///< by the own request that is unanswered
    std::string own_value_;                  ///< of its row: never a secret
    std::optional<share::Digest> channel_;   ///< null: tokens are not bound to it
    std::optional<share::Nonce> challenge_;  ///< of this session, for its next token
    std::string own_error_;
    std::optional<CommandRun> run_;  ///< of the request that is unanswered
    std::size_t client_wants_ = 0;
    std::size_t request_rest_ = 0;  ///< bytes of the client's message that is passed on
    std::size_t reply_rest_ = 0;
    std::size_t upstream_wants_ = 0;
    bool is_reply_hidden_ = false;
    bool client_waits_ = false;
    bool said_farewell_ = false;
    std::optional<session::LoginError> failure_;
};

}  // namespace pgveil::agent
