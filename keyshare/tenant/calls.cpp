#include "keyshare/tenant/calls.hpp"

#include "keyshare/tenant/orders.hpp"

#include <array>
#include <cstdio>
#include <utility>

namespace pgveil::tenant {

namespace {

Call call_of(std::vector<const CommandRecord*> commands) {
    std::vector<std::string> texts;
    texts.reserve(commands.size());
    for (const CommandRecord* command : commands) {
        texts.push_back(command->jws);
    }
    const CommandRecord& last = *commands.back();
    Call call;
    call.operation = share::name_of(last.operation);
    call.sequence = last.sequence;
    const bool has_own_call =
        last.operation != share::Operation::kRenewShares && !share::brings_rows(last.operation);
    if (!has_own_call) {
        call.function = "apply";
    } else {
        call.function = call.operation;
        call.arguments.emplace_back(last.user_id);
        if (share::makes_shares(last.operation)) {
            // The application's share is A's secret: at P the argument stays NULL.
            call.arguments.emplace_back(std::nullopt);
        }
    }
    call.arguments.emplace_back(share::join_commands(texts));
    call.commands = std::move(commands);
    return call;
}

}  // namespace

std::vector<Call> calls_for(const HomeState& state) {
    std::vector<Call> calls;
    std::vector<const CommandRecord*> some;
    for (const CommandRecord* command : pending(state)) {
        some.push_back(command);
        if (some.size() == share::kCommandsMax) {
            calls.push_back(call_of(std::exchange(some, {})));
        }
    }
    if (!some.empty()) {
        calls.push_back(call_of(std::move(some)));
    }
    return calls;
}

std::string sql_file_name(const Call& call) {
    std::array<char, 32> number{};
    static_cast<void>(std::snprintf(
        number.data(), number.size(), "%04llu", static_cast<unsigned long long>(call.sequence)
    ));
    return std::string(number.data()) + "-" + call.operation + ".sql";
}

std::string sql_file(const HomeState& state, const Call& call) {
    std::string text =
        "-- Tenant " + state.tenant + ": commands without a receipt, oldest first.\n";
    for (const CommandRecord* command : call.commands) {
        text += "--   " + std::to_string(command->sequence) + " " +
                std::string(share::name_of(command->operation)) + " " +
                subject_of(state, *command) + "\n";
    }
    text +=
        "-- Run it through the proxy with any client, outside a transaction, and give what it\n"
        "-- returns to `pgveil-tenant receipt FILE`. It may be run more than once.\n";
    text += "SELECT pgveil." + call.function + "(";
    std::string_view separator;
    for (const auto& argument : call.arguments) {
        text += separator;
        text += argument ? "'" + *argument + "'" : "NULL";
        separator = ", ";
    }
    return text + ");\n";
}

}  // namespace pgveil::tenant
