#pragma once

#include "keyshare/share/key_kinds.hpp"
#include "proxy/relay/environment.hpp"
#include "proxy/relay/injection.hpp"
#include "proxy/relay/pending_replies.hpp"
#include "proxy/relay/server_settings.hpp"
#include "proxy/relay/session_parameters.hpp"
#include "proxy/relay/token_grace.hpp"
#include "proxy/relay/token_restriction.hpp"
#include "proxy/relay/unreported_settings.hpp"
#include "proxy/relay/verified_user.hpp"
#include "proxy/wire/backend.hpp"
#include "proxy/wire/frame.hpp"
#include "sql/catalog/catalog.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace pgveil::relay {

class CopyIn;
class CopyOut;

struct SessionState;

/// A statement is refused, or what its reply brought: Environment::on_audit hears of it.
void audit_refusal(SessionState& state, std::string_view sqlstate);

/// Facts of one session that do not change.
struct SessionFacts {
    std::string id;     ///< short, unique in the process; part of every request id
    std::string login;  ///< database role
    std::string database;
    bool client_is_tls = false;
    std::optional<share::Digest> channel = {};  ///< the exporter of that TLS (RFC 9266)
    bool replicates = false;                    ///< a replication connection: see ReplicationPath
};

/// Why the client's next message has to wait.
enum class Wait {
    kNothing,
    kInjection,  ///< for the answer to a query of our own
    kDrain,      ///< for all replies outstanding
};

/// Everything the two directions of one session share. Belongs to the session's worker.
struct SessionState {
    SessionState(Environment& shared, SessionFacts session)
        : environment(&shared),
          facts(std::move(session)),
          policy(shared.policy_for(facts.database)),
          settings(*shared.zones),
          parameters(*shared.random),
          catalog_turn(shared.shared_catalog.next_turn()) {}

    Environment* environment;
    SessionFacts facts;
    std::shared_ptr<const config::Policy> policy;  ///< renewed outside transactions only
    ServerSettings settings;
    SessionParameters parameters;
    UnreportedSettings unreported;
    VerifiedUser verified_user;
    TokenGrace grace;
    std::optional<TokenRestriction> restriction;  ///< of the token looked at last

    catalog::Catalog catalog;
    std::int64_t catalog_read_ms = 0;
    std::uint32_t catalog_turn;          ///< SharedCatalog::next_turn()
    SharedCatalog::Told told;            ///< by the server, to this session
    bool asks_as_of_now = false;         ///< its last look-up, outside of any transaction
    std::string viewpoint;               ///< of the message now at hand; empty: not asked for
    std::uint64_t definitions_seen = 0;  ///< Environment::definitions when it was last asked
    bool defines_something = false;      ///< DDL ran in this transaction: others must hear of it
    bool catalog_uncertain = false;  ///< DDL ran in this transaction: every look-up is made anew

    Registry<PreparedStatement> statements;
    Registry<Portal> portals;
    PlanBytes plan_bytes;  ///< of both, and of what is pending
    PendingReplies pending;
    SegmentPtr segment;       ///< of the request now being sent; null between requests
    bool batch_open = false;  ///< extended messages were sent and no Sync yet
    wire::TransactionStatus transaction = wire::TransactionStatus::kIdle;
    bool batch_failed = false;        ///< the open batch has an error in it: skip to Sync
    bool copy_in = false;             ///< the server reads COPY data and ignores Sync
    std::shared_ptr<CopyIn> copying;  ///< while copy_in: the data is sealed; null: it passes
    std::shared_ptr<CopyOut> copied;  ///< while the server sends COPY data that is opened
    bool settings_touched = false;    ///< SET ran in this transaction: its end may undo it
    bool settings_stale = false;      ///< settings may differ from what the server last reported
    /// DO, CALL or a text that could not be read ran: names may exist that nobody saw being made.
    bool names_are_uncertain = false;

    Wait wait = Wait::kNothing;
    bool barrier = false;       ///< the next message has to see all replies to the last one first
    bool looked_up = false;     ///< the catalog was read for the message now at hand
    bool type_ensured = false;  ///< schema pgveil was seen to for the message now at hand
    Injection injection;
    std::optional<std::int64_t> arrived_ms;  ///< the message now at hand, for slow statements
    std::uint64_t requests = 0;              ///< counter for request ids
    const wire::Frame* at_hand = nullptr;    ///< the client's message; null between messages
    std::string application;                 ///< as the client calls itself, harmless()
    std::string violation;  ///< the peer broke the protocol: the session ends with this
    std::uint64_t answered_requests = 0;   ///< of the client, by a ReadyForQuery
    std::uint64_t ended_transactions = 0;  ///< of the client
    /// The proxy has asked the server to cancel what runs, because it took too long.
    bool statement_timed_out = false;

    bool keeps_too_much() const {
        return plan_bytes.total() > environment->limits.plan_bytes_per_session;
    }

    /// What goes upstream in place of a refused statement; the refusal is noted under its id.
    std::string marker_for(const Refusal& refusal) {
        const std::string id = facts.id + "-" + std::to_string(++requests);
        environment->tally->refusals.add(refusal.sqlstate);
        if (environment->on_refused) {
            environment->on_refused(id, refusal.sqlstate);
        }
        if (environment->on_audit) {
            audit_refusal(*this, refusal.sqlstate);
        }
        return marker(id);
    }

    /// A setting as the server reports it. Names of relations come in the client's encoding: those
    /// that are known are asked for again under another one.
    void take_setting(std::string_view name, std::string_view value) {
        const std::string encoding(settings.client_encoding());
        settings.set(name, value);
        if (name == "application_name") {
            application = audit::harmless(value);
        }
        if (encoding != settings.client_encoding()) {
            catalog.clear();
        }
    }

    /// Takes up what a reload brought. Outside transactions only; what the catalog says of views
    /// and functions was asked for the old policy.
    void renew_policy() {
        auto fresh = environment->policy_for(facts.database);
        if (fresh != policy) {
            policy = std::move(fresh);
            catalog.clear();
        }
    }

    Segment& open_segment() {
        if (segment == nullptr) {
            segment = std::make_shared<Segment>();
        }
        return *segment;
    }
};

}  // namespace pgveil::relay
