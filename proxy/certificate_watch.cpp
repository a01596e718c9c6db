#include "proxy/certificate_watch.hpp"

#include "proxy/log/log.hpp"
#include "proxy/session/tls_files.hpp"

#include <utility>

namespace pgveil::proxy {

namespace {

constexpr std::int64_t kLookSeconds = 2;

}  // namespace

CertificateWatch::CertificateWatch(const config::Settings& settings)
    : taken_(session::look_of_tls_files(settings)), seen_(taken_) {}

session::SnapshotPtr CertificateWatch::look(const session::Snapshot& running, std::int64_t now_s) {
    if (now_s >= looked_s_ && now_s - looked_s_ < kLookSeconds) {
        return nullptr;
    }
    looked_s_ = now_s;
    std::string now = session::look_of_tls_files(running.settings);
    const bool is_settled = std::exchange(seen_, now) == now;
    if (now == taken_ || !is_settled) {
        return nullptr;
    }
    taken_ = std::move(now);
    const auto tls = session::load_tls(running.settings);
    if (!tls.has_value()) {
        log::error(
            "a certificate, key or authority has changed and cannot be used, the old ones stay: "
            "{reason}",
            {{"reason", tls.error().message}}
        );
        return nullptr;
    }
    auto fresh = std::make_shared<session::Snapshot>(running);
    session::use_tls(*fresh, *tls);
    log::info("a certificate, key or authority has changed: new connections use what is there now");
    return fresh;
}

}  // namespace pgveil::proxy
