#include "proxy/custody_watch.hpp"

#include "proxy/log/log.hpp"

#include <chrono>
#include <thread>

namespace pgveil::proxy {

namespace {

constexpr std::int64_t kMaintenanceSeconds = 1;
constexpr std::int64_t kMirrorRetrySeconds = 5;
constexpr int kCatchUps = 2;

/// Also when somebody has set the clock back.
bool has_passed(std::int64_t seconds, std::int64_t since_s, std::int64_t now_s) {
    return now_s < since_s || now_s - since_s >= seconds;
}

}  // namespace

mirror::Result<void> CustodyWatch::check_version(const config::Settings& settings) {
    // Another proxy may have written to the store, and noted it, since this one has opened it.
    auto checked = versions_.check(settings, service_->custody->report());
    for (int left = kCatchUps; settings.store_database && !checked.has_value() && left > 0;
         --left) {
        std::this_thread::sleep_for(std::chrono::milliseconds(settings.store_database->max_age_ms));
        checked = versions_.check(settings, service_->custody->report());
    }
    return checked;
}

mirror::Result<void> CustodyWatch::publish(const config::Settings& settings) {
    if (!must_publish()) {
        return {};
    }
    const auto published = mirror::publish_keyring(settings, *service_->custody);
    if (!published.has_value()) {
        return published.error();
    }
    if (!published->empty()) {
        log::warn(
            "keyring mirror: {reason}; somebody changed pgveil.keyring in the home database. The "
            "share store's rows stand there again",
            {{"reason", *published}}
        );
    }
    return {};
}

void CustodyWatch::look(const config::Settings& settings, std::int64_t now_s) {
    if (service_->custody->report().locked) {
        return;
    }
    if (has_passed(kMaintenanceSeconds, maintained_s_, now_s)) {
        maintained_s_ = now_s;
        const auto maintained = service_->custody->maintain(now_s);
        report(maintained.has_value() ? std::string() : maintained.error().message);
        versions_.keep(settings, service_->custody->report(), now_s);
    }
    mirror(settings, now_s);
}

/// A trouble that lasts is logged once, and its end.
void CustodyWatch::report(const std::string& trouble) {
    service_->store_in_order = trouble.empty();
    if (trouble == trouble_) {
        return;
    }
    if (trouble.empty()) {
        log::info("share store: in order again");
    } else {
        log::error("share store: {reason}", {{"reason", trouble}});
    }
    trouble_ = trouble;
}

/// After the bootstrap is closed the "0" must be read from the home database before requests can be
/// served; after a key group was made, its own.
bool CustodyWatch::must_publish() const {
    const store::CustodyReport report = service_->custody->report();
    return report.closed && (!report.zero_read || report.mirror_behind);
}

void CustodyWatch::mirror(const config::Settings& settings, std::int64_t now_s) {
    if (!has_passed(kMirrorRetrySeconds, mirror_tried_s_, now_s) || !must_publish()) {
        return;
    }
    mirror_tried_s_ = now_s;
    const auto published = publish(settings);
    if (published.has_value()) {
        log::info("keyring mirror is in place");
        return;
    }
    log::error("keyring mirror: {reason}", {{"reason", published.error().message}});
}

}  // namespace pgveil::proxy
