#include "keyshare/custodian/status_command.hpp"

#include "keyshare/custody/asker_settings.hpp"
#include "keyshare/custody/https_calls.hpp"
#include "keyshare/share/json_fields.hpp"

#include <chrono>
#include <CLI/CLI.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::custodian {
namespace {

constexpr std::chrono::milliseconds kStatusTime{5000};

struct Told {
    bool is_well = false;
    std::string text;
};

Told told_by(const custody::Custodian& custodian, const custody::HttpsReply& reply) {
    const std::string name = custodian.name + "  ";
    if (!reply.trouble.empty()) {
        return {false, name + "no answer: " + reply.trouble + "\n"};
    }
    share::JsonReader reader(std::string_view(reply.body));
    const std::string status = reader.text("status");
    const std::string identity = reader.text("identity");
    const std::string version = reader.text("version");
    const std::uint64_t groups = reader.u64("groups");
    if (reply.status != 200 || !reader.ok()) {
        return {false, name + "what it says is no state of a custodian\n"};
    }
    const bool is_same = identity == custody::identity_text(custodian.identity);
    Told out{is_same && status == "ok", name + (is_same ? status : "another identity key")};
    out.text += "  " + version + "  groups " + std::to_string(groups) + "\n";
    const share::Json& whole = reader.whole();
    for (const share::Json& problem : whole.value("problems", share::Json::array())) {
        out.text += "  " + (problem.is_string() ? problem.get<std::string>() : "?") + "\n";
    }
    return out;
}

user::Result<void> print_status(const std::string& file, const user::Console& console) {
    const auto settings = custody::load_asker_settings(file);
    if (!settings.has_value()) {
        return user::unusable(settings.error().message);
    }
    std::vector<custody::HttpsCall> all;
    for (const custody::Custodian& each : settings->custodians) {
        all.push_back({each.url + "/v1/health", {}, false});
    }
    custody::HttpsCalls calls(settings->tls, kStatusTime);
    const std::vector<custody::HttpsReply> replies = custody::call_all(calls, all);
    std::size_t well = 0;
    for (std::size_t at = 0; at < replies.size(); ++at) {
        const Told told = told_by(settings->custodians[at], replies[at]);
        well += told.is_well ? 1U : 0U;
        console.print(told.text);
    }
    if (well < replies.size()) {
        return user::failed(
            std::to_string(replies.size() - well) + " of " + std::to_string(replies.size()) +
            " custodians are not well"
        );
    }
    return {};
}

}  // namespace

void add_status_command(CLI::App& app, GroupAction& action) {
    CLI::App* const command =
        app.add_subcommand("status", "Print how each custodian is; fails unless all are well");
    const auto file = std::make_shared<std::string>();
    command->add_option("--custodians", *file, "Who the custodians are, and who asks (JSON)")
        ->required()
        ->type_name("FILE");
    command->callback([file, &action] {
        action = [file](const user::Console& console) {
            return print_status(*file, console);
        };
    });
}

}  // namespace pgveil::custodian
