#include "keyshare/custodian/group_commands.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/custody/asker_settings.hpp"
#include "keyshare/custody/coordination.hpp"
#include "keyshare/custody/group_calls.hpp"
#include "keyshare/custody/group_file.hpp"
#include "keyshare/custody/succession.hpp"
#include "keyshare/envelope/told.hpp"
#include "keyshare/share/json_fields.hpp"

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace pgveil::custodian {
namespace {

using custody::AskerSettings;
using custody::PinnedGroup;
using custody::RunPlan;
using envelope::told;
using user::Console;

struct GroupArguments {
    std::string custodians;
    std::string group;
    std::string policy;
    std::string confirm;
    std::uint32_t threshold = 0;
    std::vector<std::string> members;
    std::vector<std::string> lost;
    bool is_abandoned = false;
};

using ArgumentsPtr = std::shared_ptr<GroupArguments>;

user::Result<AskerSettings> settings_of(const GroupArguments& arguments) {
    auto settings = custody::load_asker_settings(arguments.custodians);
    return settings.has_value() ? user::Result<AskerSettings>(*std::move(settings))
                                : told(settings.error());
}

user::Result<PinnedGroup> group_of(const GroupArguments& arguments) {
    auto pinned = custody::load_group(arguments.group);
    return pinned.has_value() ? user::Result<PinnedGroup>(*std::move(pinned))
                              : told(pinned.error());
}

std::string state_file_of(const GroupArguments& arguments) {
    return arguments.group + ".run";
}

/// Makes the group, or goes on making it; the file of the run goes when the group's is there.
user::Result<void> carry_out(
    const GroupArguments& arguments,
    const AskerSettings& settings,
    const RunPlan& plan,
    const Console& console
) {
    const std::string state = state_file_of(arguments);
    if (arguments.is_abandoned) {
        const auto given_up = custody::abandon_run(settings, plan, state);
        return given_up.has_value() ? user::Result<void>() : told(given_up.error());
    }
    const auto made = custody::make_group(settings, plan, state);
    if (!made.has_value()) {
        return told(made.error());
    }
    const auto saved = custody::save_group(arguments.group, *made);
    if (!saved.has_value()) {
        return told(saved.error());
    }
    std::filesystem::remove(state);
    console.print(
        "group " + core::base64url_encode(made->group.id) + "\nepoch " +
        std::to_string(made->group.epoch) + "\npublic key " +
        custody::identity_text(made->group.public_key()) + "\n"
    );
    return {};
}

user::Result<std::string> policy_in(const std::string& file) {
    const auto text = custody::read_file(file);
    if (!text.has_value()) {
        return told(text.error());
    }
    const share::Json json = share::Json::parse(*text, nullptr, false, true);
    if (!json.is_object()) {
        return user::unusable(file + ": the policy is no object of JSON");
    }
    return json.dump();
}

user::Result<void> create(const GroupArguments& arguments, const Console& console) {
    const auto settings = settings_of(arguments);
    if (!settings.has_value()) {
        return settings.error();
    }
    // With a run beside it, it was killed between the two, and goes on.
    if (std::filesystem::exists(arguments.group) &&
        !std::filesystem::exists(state_file_of(arguments))) {
        return user::unusable(
            arguments.group + " is there: it stays as it is; choose another name with --out"
        );
    }
    auto policy = policy_in(arguments.policy);
    if (!policy.has_value()) {
        return policy.error();
    }
    RunPlan plan{arguments.threshold, arguments.members, *std::move(policy), {}, {}};
    for (const custody::Custodian& each : settings->custodians) {
        if (arguments.members.empty()) {
            plan.members.push_back(each.name);
        }
    }
    return carry_out(arguments, *settings, plan, console);
}

/// The group at its newest epoch, whoever made it; but a run that was cut short goes on from where
/// it began.
user::Result<PinnedGroup> newest_group_of(
    const GroupArguments& arguments, const AskerSettings& settings
) {
    if (std::filesystem::exists(state_file_of(arguments))) {
        return group_of(arguments);
    }
    auto pinned = custody::load_newest_group(settings, arguments.group);
    return pinned.has_value() ? user::Result<PinnedGroup>(*std::move(pinned))
                              : told(pinned.error());
}

/// New shares for the same key: refresh, or reshare where members or threshold are said.
user::Result<void> reshare(const GroupArguments& arguments, const Console& console) {
    const auto settings = settings_of(arguments);
    if (!settings.has_value()) {
        return settings.error();
    }
    auto pinned = newest_group_of(arguments, *settings);
    if (!pinned.has_value()) {
        return pinned.error();
    }
    auto policy = policy_in(arguments.policy);
    if (!policy.has_value()) {
        return policy.error();
    }
    RunPlan plan{pinned->group.threshold, pinned->members, *std::move(policy), *pinned, {}};
    plan.lost = arguments.lost;
    if (!arguments.members.empty()) {
        plan.members = arguments.members;
    }
    if (arguments.threshold != 0) {
        plan.threshold = arguments.threshold;
    }
    return carry_out(arguments, *settings, plan, console);
}

user::Result<void> list(const GroupArguments& arguments, const Console& console) {
    const auto settings = settings_of(arguments);
    if (!settings.has_value()) {
        return settings.error();
    }
    console.print(custody::list_groups(*settings));
    return {};
}

user::Result<void> print(custody::Result<std::string> text, const Console& console) {
    if (!text.has_value()) {
        return told(text.error());
    }
    console.print(*text);
    return {};
}

user::Result<void> show(const GroupArguments& arguments, const Console& console) {
    const auto settings = settings_of(arguments);
    const auto pinned = group_of(arguments);
    if (!settings.has_value() || !pinned.has_value()) {
        return settings.has_value() ? pinned.error() : settings.error();
    }
    return print(custody::show_group(*settings, *pinned), console);
}

user::Result<void> shred(const GroupArguments& arguments, const Console& console) {
    const auto settings = settings_of(arguments);
    const auto pinned = group_of(arguments);
    if (!settings.has_value() || !pinned.has_value()) {
        return settings.has_value() ? pinned.error() : settings.error();
    }
    const std::string id = core::base64url_encode(pinned->group.id);
    if (arguments.confirm != id) {
        return user::unusable(
            "what is sealed to the group is lost for ever then. If that is meant: --confirm " + id
        );
    }
    return print(custody::shred_group(*settings, *pinned), console);
}

using Command = user::Result<void> (*)(const GroupArguments&, const Console&);

CLI::App* add_command(
    CLI::App& group,
    const char* name,
    const char* what,
    const ArgumentsPtr& to,
    Command command,
    GroupAction& action
) {
    CLI::App* added = group.add_subcommand(name, what);
    added
        ->add_option(
            "--custodians",
            to->custodians,
            "Who the custodians are, and the certificate to ask with (JSON)"
        )
        ->required()
        ->type_name("FILE");
    added->final_callback([to, command, &action] {
        action = [to, command](const Console& console) {
            return command(*to, console);
        };
    });
    return added;
}

void add_group(CLI::App& command, const ArgumentsPtr& to) {
    command.add_option("--group", to->group, "The file that `group create` wrote")
        ->required()
        ->type_name("FILE");
}

void add_policy(CLI::App& command, const ArgumentsPtr& to) {
    command.add_option("--policy", to->policy, "Who may ask for what (JSON)")
        ->required()
        ->type_name("FILE");
    command.add_flag("--abandon", to->is_abandoned, "Give up a run that was not finished");
}

void add_create(CLI::App& group, const ArgumentsPtr& to, GroupAction& action) {
    CLI::App* made = add_command(
        group,
        "create",
        "Have the custodians make a key; repeat the command to go on with what was cut short",
        to,
        create,
        action
    );
    made->add_option("--threshold", to->threshold, "How many of them are needed to use it")
        ->required()
        ->type_name("T");
    made->add_option("--member", to->members, "Only this custodian, and others named so")
        ->type_name("NAME");
    made->add_option("--out", to->group, "Write the group here")->required()->type_name("FILE");
    add_policy(*made, to);
}

void add_reshares(CLI::App& group, const ArgumentsPtr& to, GroupAction& action) {
    CLI::App* refreshed = add_command(
        group,
        "refresh",
        "Have the same members make new shares of the same key",
        to,
        reshare,
        action
    );
    add_group(*refreshed, to);
    add_policy(*refreshed, to);
    CLI::App* reshared = add_command(
        group,
        "reshare",
        "Give the same key to other members, or another threshold",
        to,
        reshare,
        action
    );
    add_group(*reshared, to);
    add_policy(*reshared, to);
    reshared->add_option("--threshold", to->threshold, "How many are needed from then on")
        ->type_name("T");
    reshared->add_option("--member", to->members, "A member from then on, and others named so")
        ->type_name("NAME");
    reshared->add_option("--lost", to->lost, "A former member that nobody waits for")
        ->type_name("NAME");
}

}  // namespace

void add_group_commands(CLI::App& app, GroupAction& action) {
    CLI::App* group = app.add_subcommand("group", "Keys that any t of n custodians can use");
    group->require_subcommand(1);
    const auto to = std::make_shared<GroupArguments>();
    add_create(*group, to, action);
    add_reshares(*group, to, action);
    add_command(*group, "list", "Print which groups the custodians have", to, list, action);
    add_group(
        *add_command(*group, "show", "Print a group and how its members are", to, show, action), to
    );
    CLI::App* shredded = add_command(
        *group, "shred", "Have the custodians destroy their shares, for ever", to, shred, action
    );
    add_group(*shredded, to);
    shredded->add_option("--confirm", to->confirm, "The group's id")->type_name("ID");
}

}  // namespace pgveil::custodian
