#pragma once

#include "keyshare/core/secret.hpp"
#include "proxy/relay/grounds.hpp"
#include "proxy/relay/plan_bytes.hpp"
#include "proxy/relay/planned.hpp"
#include "proxy/relay/result_guard.hpp"
#include "proxy/relay/segment.hpp"
#include "proxy/wire/frontend.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::relay {

/// A prepared statement as Parse left it.
struct PreparedStatement {
    Planned planned;
    PositionMapPtr positions;        ///< null: the text went upstream as it came
    std::uint64_t policy_epoch = 0;  ///< of the policy that decided
    GroundsPtr grounds;              ///< null: it names nothing
    std::shared_ptr<ResultGuard> guard = std::make_shared<ResultGuard>();
    std::shared_ptr<const std::string> shown;  ///< its text for the log; null: nobody asks
    Charge charge;
};

/// Roughly the memory that it takes with its plan, in bytes.
std::size_t size_bytes_of(const PreparedStatement& statement);

/// The arguments of a VeilCall as Bind gave them, by parameter number.
using CallArguments = std::map<std::uint32_t, std::optional<core::SecretBytes>>;

/// A portal as Bind left it.
struct Portal {
    Planned planned;
    PositionMapPtr positions;
    GroundsPtr grounds;                 ///< of its statement
    std::vector<std::int16_t> formats;  ///< result formats the client asked for: 0, 1 or n codes
    std::shared_ptr<const CallArguments> arguments;
    std::shared_ptr<ResultGuard> guard = std::make_shared<ResultGuard>();
    std::weak_ptr<Segment> bound_in;  ///< dies with the transaction that this segment ends in
    std::shared_ptr<const std::string> shown;  ///< of its statement
    bool is_held = false;                      ///< a cursor WITH HOLD: it does not
    /// All columns come in the formats above, ours too: the rows of a Query, and of a SQL cursor.
    /// Else ours come in binary, because the Bind that left asked for that.
    bool is_simple = false;
    bool is_batched = false;  ///< a Query that left as a batch: ours come in binary
    Charge charge;

    std::int16_t format_for(std::size_t column) const {
        if (formats.empty()) {
            return 0;
        }
        return formats.size() == 1 ? formats.front()
                                   : (column < formats.size() ? formats[column] : std::int16_t{0});
    }
};

/// The same, without its plan.
std::size_t size_bytes_of(const Portal& portal);

/// The part of a name by which PostgreSQL tells statements and portals of the protocol apart: it
/// cuts what is longer (dynahash.c; NAMEDATALEN).
inline std::string_view kept_name(std::string_view name) {
    constexpr std::size_t kNameBytesMax = 63;
    return name.substr(0, kNameBytesMax);
}

/// Name → statement or portal, as the server will have it once everything sent so far has run.
/// Unknown names are somebody else's: made by SQL, or not at all.
template <class Item>
using Registry = std::map<std::string, std::shared_ptr<const Item>, std::less<>>;

/// What the success of one statement does to a name: PREPARE and DECLARE with a plan, all else
/// without (the name is gone, or means nothing protected).
struct NameChange {
    std::size_t statement = 0;  ///< which of its message
    wire::Target target = wire::Target::kStatement;
    std::string name;  ///< empty: all
    analysis::PlanPtr plan;
    GroundsPtr grounds;
    bool is_held = false;
    std::uint64_t policy_epoch = 0;
};

/// How to take back a change of a registry when the message that made it is skipped by the server.
struct Undo {
    enum class Registry { kStatements, kPortals };
    Registry registry = Registry::kStatements;
    std::string name;
    std::shared_ptr<const PreparedStatement> statement;  ///< what stood there before, or null
    std::shared_ptr<const Portal> portal;
    const void* made = nullptr;  ///< what the message put there: what came later stays
};

}  // namespace pgveil::relay
