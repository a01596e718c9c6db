#include "proxy/alarms.hpp"

#include "proxy/alarm/webhook.hpp"
#include "proxy/log/log.hpp"

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
            "user {user} is locked for {seconds} s",
            {{"user", alarm.origin.user}, {"seconds", alarm.locked_until_s - alarm.at_s}}
        );
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

std::unique_ptr<alarm::Watch> start_alarms(const config::Settings& settings) {
    return std::make_unique<alarm::Watch>(
        settings.alarms,
        [tenant = settings.tenant, webhook = webhook_of(settings)](const alarm::Alarm& alarm) {
            log_alarm(alarm);
            if (webhook != nullptr) {
                webhook->send(alarm::json_of(alarm, tenant));
            }
        }
    );
}

}  // namespace pgveil::proxy
