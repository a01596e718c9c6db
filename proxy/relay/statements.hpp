#pragma once

#include "keyshare/core/secret.hpp"
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

/// What the names without schema of a prepared statement mean.
struct PathMeaning {
    std::shared_ptr<const analysis::PathNames> names;  ///< null: there are none
    std::uint64_t epoch = 0;  ///< SessionState::path_epoch, when they were last seen to mean that
};

/// A prepared statement as Parse left it.
struct PreparedStatement {
    Planned planned;
    PositionMapPtr positions;        ///< null: the text went upstream as it came
    std::uint64_t policy_epoch = 0;  ///< of the policy that decided
    std::shared_ptr<ResultGuard> guard = std::make_shared<ResultGuard>();
    std::shared_ptr<PathMeaning> meaning = std::make_shared<PathMeaning>();
};

/// The arguments of a VeilCall as Bind gave them, by parameter number.
using CallArguments = std::map<std::uint32_t, std::optional<core::SecretBytes>>;

/// A portal as Bind left it.
struct Portal {
    Planned planned;
    PositionMapPtr positions;
    std::vector<std::int16_t> formats;  ///< result formats the client asked for: 0, 1 or n codes
    std::shared_ptr<const CallArguments> arguments;
    std::shared_ptr<ResultGuard> guard = std::make_shared<ResultGuard>();
    std::weak_ptr<Segment> bound_in;  ///< dies with the transaction that this segment ends in
    bool is_held = false;             ///< a cursor WITH HOLD: it does not
    /// All columns come in the formats above, ours too: the rows of a Query, and of a SQL cursor.
    /// Else ours come in binary, because the Bind that left asked for that.
    bool is_simple = false;

    std::int16_t format_for(std::size_t column) const {
        if (formats.empty()) {
            return 0;
        }
        return formats.size() == 1 ? formats.front()
                                   : (column < formats.size() ? formats[column] : std::int16_t{0});
    }
};

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
    bool is_held = false;
    std::uint64_t policy_epoch = 0;
    PathMeaning meaning;
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
