#include "proxy/alarms.hpp"

#include "proxy/alarm/webhook.hpp"
#include "proxy/log/log.hpp"
#include "proxy/session/service.hpp"

#include <new>
#include <utility>

namespace pgveil::proxy {

namespace {

void log_alarm(const alarm::Alarm& alarm) {
    log::error(
        "alarm: {alarm} ({count}) by user {user}, role {role} of {database}, application "
        "{application}, session {session} {column}",
        {{"alarm", alarm::name_of(alarm.kind)},
         {"count", alarm.count},
         {"user", alarm.origin.user},
         {"role", alarm.origin.role},
         {"database", alarm.origin.database},
         {"application", alarm.origin.application},
         {"session", alarm.origin.session},
         {"column", alarm.column}}
    );
    if (alarm.locked_until_s != 0) {
        log::error(
            "user {user} is locked for {seconds} s; UNLOCK USER in the admin console ends it",
            {{"user", alarm.origin.user}, {"seconds", alarm.locked_until_s - alarm.at_s}}
        );
    }
}

void lock_for_alarm(
    store::ProxyCustody& custody, const std::string& user, std::int64_t until_s, std::int64_t now_s
) {
    const auto written = custody.lock_user(user, until_s, now_s);
    if (!written.has_value()) {
        log::error(
            "the lock of user {user} cannot be written to the share store, and counts at this "
            "proxy only until it can: {reason}",
            {{"user", user}, {"reason", written.error().message}}
        );
    }
}

store::Result<bool> try_unlock(const std::string& user, store::ProxyCustody& custody) {
    try {
        return custody.unlock_user(user, session::unix_time_s());
    } catch (const std::bad_alloc&) {
        return store::Error{store::ErrorCode::kUnavailable, "out of memory for secrets"};
    }
}

std::shared_ptr<alarm::Webhook> webhook_of(const config::Settings& settings) {
    if (settings.alarms.webhook.empty()) {
        return nullptr;
    }
    return std::make_shared<alarm::Webhook>(settings.alarms.webhook, [](std::string_view reason) {
        log::error("an alarm was not taken by alarms.webhook: {reason}", {{"reason", reason}});
    });
}

}  // namespace

std::unique_ptr<alarm::Watch> start_alarms(
    const config::Settings& settings, std::shared_ptr<store::ProxyCustody> custody
) {
    alarm::Watch::Actions actions;
    actions.raise = [tenant = settings.tenant,
                     webhook = webhook_of(settings)](const alarm::Alarm& alarm) {
        log_alarm(alarm);
        if (webhook != nullptr) {
            webhook->send(alarm::json_of(alarm, tenant));
        }
    };
    actions.lock = [custody = std::move(custody
                    )](const std::string& user, std::int64_t until_s, std::int64_t now_s) {
        lock_for_alarm(*custody, user, until_s, now_s);
    };
    return std::make_unique<alarm::Watch>(settings.alarms, std::move(actions));
}

admin::Answer unlock_user(const std::string& user, store::ProxyCustody& custody) {
    const auto unlocked = try_unlock(user, custody);
    if (!unlocked.has_value()) {
        return admin::failed(
            admin::CommandError("58030", "not unlocked: " + unlocked.error().message)
        );
    }
    admin::Answer answer;
    if (*unlocked) {
        log::warn("user {user} is unlocked", {{"user", user}});
    } else {
        answer.notices.push_back("user \"" + user + "\" was not locked");
    }
    return answer;
}

}  // namespace pgveil::proxy
