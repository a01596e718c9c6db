#include "keyshare/custodian/log_commands.hpp"

#include "keyshare/custodian/log_proof.hpp"
#include "keyshare/custodian/log_source.hpp"
#include "keyshare/custody/asker_settings.hpp"
#include "keyshare/share/shallow_json.hpp"

#include <CLI/CLI.hpp>
#include <ctime>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>

namespace pgveil::custodian {
namespace {

struct LogArguments {
    LogPlace place;
    std::string head;
    std::string identity;
    std::uint64_t after = 0;
    bool is_json = false;
};

using LogArgumentsPtr = std::shared_ptr<LogArguments>;

std::string time_text(const share::Json& line) {
    const auto found = line.find("time");
    const std::time_t at = found != line.end() && found->is_number_integer()
                               ? static_cast<std::time_t>(found->get<std::int64_t>())
                               : 0;
    std::tm parts{};
    std::string out(20, ' ');
    const bool is_read = ::gmtime_r(&at, &parts) != nullptr;
    out.resize(
        is_read ? std::strftime(out.data(), out.size() + 1, "%Y-%m-%dT%H:%M:%SZ", &parts) : 0
    );
    return out;
}

/// Control characters of a requester's own text stay escaped, as JSON has them.
std::string shown_line(const share::Json& line) {
    std::string out = std::to_string(line.value("seq", std::uint64_t{0})) + "  " + time_text(line);
    for (const char* const member :
         {"requester", "operation", "result", "purpose", "group", "request"}) {
        const auto found = line.find(member);
        const std::string text = found != line.end() ? found->dump() : std::string();
        out += "  " + (text.size() > 2 ? text.substr(1, text.size() - 2) : std::string("-"));
    }
    return out;
}

user::Result<void> show_log(const LogArguments& arguments, const user::Console& console) {
    const auto log = read_log(arguments.place);
    if (!log) {
        return log.error();
    }
    for (const LogText::File& file : log->files) {
        std::string_view rest = file.content;
        for (const std::string_view text : share::lines_of(rest)) {
            const share::Json line = share::parse_shallow_json(text);
            if (!line.is_object()) {
                console.print("?  " + share::Json(std::string(text.substr(0, 200))).dump() + "\n");
            } else if (line.value("seq", std::uint64_t{0}) > arguments.after) {
                console.print((arguments.is_json ? std::string(text) : shown_line(line)) + "\n");
            }
        }
    }
    return {};
}

/// The option --head: a file with a head, or the head itself.
user::Result<LogHead> head_given(const LogArguments& arguments, const LogText& log) {
    std::ifstream file(arguments.head, std::ios::binary);
    std::string text =
        file.is_open() ? std::string{std::istreambuf_iterator<char>(file), {}} : arguments.head;
    text.erase(text.find_last_not_of(" \n\r\t") + 1);
    std::optional<core::VerifyingKey> identity = log.identity;
    if (!arguments.identity.empty()) {
        const auto point = custody::parse_identity(arguments.identity);
        if (!point.has_value()) {
            return user::unusable("--identity: " + point.error().message);
        }
        identity.emplace(*point);
    }
    if (!identity) {
        return user::unusable(
            "a head is signed: say by which key with --identity, as `pgveil-custodian identity` "
            "prints it"
        );
    }
    const auto head = verify_log_head(text, *identity, log.custodian);
    return head ? head : user::unusable("--head: " + head.error().message);
}

std::string proof_text(const LogProof& proof) {
    if (proof.last().sequence == 0) {
        return "the log is empty\n";
    }
    std::string out = "records " + std::to_string(proof.first()) + " to " +
                      std::to_string(proof.last().sequence) + " are in order; signed up to " +
                      std::to_string(proof.proven_up_to()) + "\n";
    if (proof.first() > 1) {
        out += "older files, with records 1 to " + std::to_string(proof.first() - 1) +
               ", were not given\n";
    }
    if (proof.torn_bytes() != 0) {
        out += "the last line was cut short: it is being written, or the custodian was killed\n";
    }
    return out;
}

user::Result<void> verify_log(const LogArguments& arguments, const user::Console& console) {
    const auto log = read_log(arguments.place);
    if (!log) {
        return log.error();
    }
    LogProof proof(log->custodian);
    if (log->head) {
        proof.expect(*log->head);
    }
    if (!arguments.head.empty()) {
        const auto head = head_given(arguments, *log);
        if (!head) {
            return head.error();
        }
        proof.expect(*head);
    }
    for (const LogText::File& file : log->files) {
        proof.take(file.name, file.content);
    }
    proof.finish();
    if (const auto& finding = proof.finding()) {
        return user::failed(
            finding->file + ":" + std::to_string(finding->line) + ": " +
            std::string(share::name_of(finding->wrong)) + ": " + finding->words
        );
    }
    console.print(proof_text(proof));
    if (!log->head_jws.empty()) {
        console.print("last head: " + log->head_jws + "\n");
    }
    return {};
}

void add_place(CLI::App& command, const LogArgumentsPtr& to) {
    auto* const file =
        command
            .add_option("--config", to->place.config, "Settings file of the custodian: its files")
            ->type_name("FILE");
    auto* const asked =
        command
            .add_option(
                "--custodians", to->place.custodians, "Who the custodians are, and who asks (JSON)"
            )
            ->type_name("FILE")
            ->excludes(file);
    command.add_option("--at", to->place.at, "The custodian to ask")
        ->type_name("NAME")
        ->needs(asked);
}

using LogWork = user::Result<void> (*)(const LogArguments&, const user::Console&);

void add_log_command(
    CLI::App& log, const char* name, const char* says, LogWork work, GroupAction& action
) {
    CLI::App* const command = log.add_subcommand(name, says);
    const auto to = std::make_shared<LogArguments>();
    add_place(*command, to);
    if (work == verify_log) {
        command->add_option("--head", to->head, "A head that was kept: it must be in the log")
            ->type_name("HEAD");
        command->add_option("--identity", to->identity, "The key that signed the head")
            ->type_name("KEY");
    } else {
        command->add_option("--after", to->after, "Only what follows this number")->type_name("N");
        command->add_flag("--json", to->is_json, "The lines as they stand");
    }
    command->callback([to, work, &action] {
        if (to->place.config.empty() && to->place.custodians.empty()) {
            throw CLI::RequiredError("--config or --custodians");
        }
        action = [to, work](const user::Console& console) {
            return work(*to, console);
        };
    });
}

}  // namespace

void add_log_commands(CLI::App& app, GroupAction& action) {
    CLI::App* const log = app.add_subcommand("log", "Who asked a custodian for what");
    log->require_subcommand(1);
    add_log_command(*log, "show", "Print the log", show_log, action);
    add_log_command(
        *log, "verify", "Find the first line that was altered, deleted or moved", verify_log, action
    );
}

}  // namespace pgveil::custodian
