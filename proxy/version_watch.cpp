#include "proxy/version_watch.hpp"

#include "proxy/log/log.hpp"

#include <string>

namespace pgveil::proxy {

namespace {

constexpr std::int64_t kRetrySeconds = 5;

mirror::VersionNote note_of(const store::CustodyReport& report) {
    return {report.store_version, report.last_sequence};
}

}  // namespace

std::string missing_commands(const mirror::VersionNote& found, const mirror::VersionNote& noted) {
    if (found.last_sequence >= noted.last_sequence) {
        return "no command of the tenant is missing in it";
    }
    return "the tenant's commands " + std::to_string(found.last_sequence + 1) + " to " +
           std::to_string(noted.last_sequence) +
           " are missing in it: users who were withdrawn or changed by them could use their old "
           "shares again";
}

mirror::Result<void> VersionWatch::check(
    const config::Settings& settings, const store::CustodyReport& report
) {
    if (!report.closed) {
        return {};
    }
    const auto noted = mirror::read_note(settings, report.identity_fingerprint);
    if (!noted.has_value()) {
        return noted.error();
    }
    const mirror::VersionNote found = note_of(report);
    if (*noted && found.store_version < (*noted)->store_version) {
        return mirror::Error{
            "the share store is at version " + std::to_string(found.store_version) +
            ", but the home database remembers version " + std::to_string((*noted)->store_version) +
            ": an older copy stands in its place, and " + missing_commands(found, **noted) +
            ". Restore the newest backup; if there is none, accept this one with `pgveil restore "
            "--accept-older`"};
    }
    noted_ = *noted ? **noted : mirror::VersionNote();
    return {};
}

void VersionWatch::keep(
    const config::Settings& settings, const store::CustodyReport& report, std::int64_t now_s
) {
    const mirror::VersionNote found = note_of(report);
    const bool is_too_soon = now_s >= tried_s_ && now_s - tried_s_ < kRetrySeconds;
    if (!report.closed || found == noted_ || is_too_soon) {
        return;
    }
    tried_s_ = now_s;
    const auto written = mirror::write_note(settings, report.identity_fingerprint, found);
    if (written.has_value()) {
        noted_ = found;
        return;
    }
    log::error(
        "the version of the share store is not written down: {reason}",
        {{"reason", written.error().message}}
    );
}

}  // namespace pgveil::proxy
