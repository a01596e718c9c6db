#include "keyshare/core/random.hpp"
#include "keyshare/tenant/commands.hpp"
#include "keyshare/tenant/delivery.hpp"
#include "keyshare/tenant/home.hpp"
#include "keyshare/tenant/orders.hpp"
#include "keyshare/user/fresh_token.hpp"

#include <algorithm>

namespace pgveil::tenant {

namespace {

constexpr std::int64_t kDaySeconds = 86400;

std::size_t users_of(const HomeState& state, const std::string& group) {
    const auto has_it = [&](const UserRecord& user) {
        return state.is_active(user.user_id) &&
               std::ranges::find(user.groups, group) != user.groups.end();
    };
    return static_cast<std::size_t>(std::ranges::count_if(state.users, has_it));
}

/// "key id 2", "key id 2, next 5".
std::string keys_text(const share::Keyring& keyring, const std::string& group) {
    const share::KeyringRow* live = keyring.live(group);
    const share::KeyringRow* next = keyring.next(group);
    return live == nullptr
               ? std::string("no key yet")
               : "key id " + std::to_string(live->key_id) +
                     (next == nullptr ? std::string() : ", next " + std::to_string(next->key_id));
}

/// "medical", "active", "key id 2", "3 users".
std::string group_line(const HomeState& state, const std::string& group) {
    const share::KeyringRow* live = state.enrolment->keyring.live(group);
    const std::size_t users = users_of(state, group);
    const char* status = is_renewed(state, {group})     ? "active, renew-tk pending"
                         : is_key_ordered(state, group) ? "active, data-key pending"
                                                        : "active";
    return group + "\t" + (live == nullptr ? "create pending" : status) + "\t" +
           keys_text(state.enrolment->keyring, group) + "\t" + std::to_string(users) +
           (users == 1 ? " user" : " users") + "\n";
}

}  // namespace

Result<void> group_create(const Context& context, const GroupArguments& arguments) {
    const Delivery& delivery = arguments.delivery;
    auto home = open_to_send(context, delivery);
    if (!home) {
        return home.error();
    }
    if (is_being_created(home->state(), arguments.name)) {
        context.console.note(
            arguments.name + " was ordered before and has no receipt: sending the same command"
        );
        return deliver(*home, context.console, delivery);
    }
    const std::int64_t now_s = user::seconds_now();
    const share::CommandTimes times{now_s, now_s + arguments.valid_days * kDaySeconds};
    auto ordered = create_group(home->state(), arguments.name, times, core::system_random());
    if (!ordered) {
        return ordered;
    }
    if (auto saved = home->save(); !saved) {
        return saved;
    }
    return deliver(*home, context.console, delivery);
}

Result<void> group_list(const Context& context) {
    const auto home = open_enrolled(context);
    if (!home) {
        return home.error();
    }
    for (const share::GroupKey& one : home->state().enrolment->groups) {
        context.console.print(group_line(home->state(), one.group));
    }
    return {};
}

}  // namespace pgveil::tenant
