#pragma once

#include "proxy/admin/console_command.hpp"
#include "proxy/admin/console_table.hpp"
#include "proxy/wire/frame.hpp"
#include "proxy/wire/frontend.hpp"
#include "proxy/wire/output.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::admin {

/// What a command brought. An error stands alone.
struct Answer {
    std::optional<Table> table;
    std::vector<std::string> notices;
    std::optional<CommandError> error;
};

Answer failed(CommandError error);

/// The messages of one console session that has logged in: bytes in, bytes out, no socket.
///
///     switch (conversation.on_message(frame, reply)) {
///         case Next::kGoOn: send reply; read the next frame
///         case Next::kRun:  run conversation.command(); conversation.on_answer(answer, reply);
///         send case Next::kEnd:  send reply; close
///     }
///
/// Knows the simple query with one command, and the extended one with named statements and portals,
/// without parameters, results in text or binary. There are no transactions: the status is always
/// idle. Whether somebody may give a command is not asked here. Used by one thread.
class Conversation {
public:
    enum class Next { kGoOn, kRun, kEnd };

    Next on_message(const wire::Frame& frame, wire::Output& reply);

    /// What to run, after kRun.
    const Command& command() const { return command_; }

    /// After kRun, once.
    void on_answer(const Answer& answer, wire::Output& reply);

private:
    struct Portal {
        Command command;
        std::vector<wire::Format> formats;  ///< one for each column
    };

    Next on_sync(wire::Output& reply);
    static Next on_function_call(wire::Output& reply);
    Next on_query(wire::ByteView body, wire::Output& reply);
    Next on_parse(wire::ByteView body, wire::Output& reply);
    Next on_bind(wire::ByteView body, wire::Output& reply);
    Next on_describe(wire::ByteView body, wire::Output& reply);
    Next on_execute(wire::ByteView body, wire::Output& reply);
    Next on_close(wire::ByteView body, wire::Output& reply);
    Next fail(wire::Output& reply, const CommandError& error);

    std::map<std::string, Command, std::less<>> statements_;
    std::map<std::string, Portal, std::less<>> portals_;
    Command command_;
    std::vector<wire::Format> formats_;  ///< of its answer
    bool is_simple_ = false;             ///< it came as a simple query
    bool skips_to_sync_ = false;
};

}  // namespace pgveil::admin
