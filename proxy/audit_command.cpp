#include "proxy/audit_command.hpp"

#include "config/text_file.hpp"
#include "keyshare/share/tenant.hpp"
#include "keyshare/store/backup.hpp"
#include "proxy/audit/listing.hpp"
#include "proxy/audit/verification.hpp"
#include "proxy/custody_options.hpp"
#include "proxy/seal_choice.hpp"
#include "proxy/session/service.hpp"
#include "proxy/start.hpp"

#include <iostream>
#include <optional>

namespace pgveil::proxy {

namespace {

using Files = std::vector<std::filesystem::path>;

audit::Result<Files> files_of(const config::Settings& settings, const AuditRequest& request) {
    if (!request.files.empty()) {
        return Files(request.files.begin(), request.files.end());
    }
    if (settings.audit.path.empty()) {
        return audit::Error(settings.file, "it names no folder: add \"audit\", or name the files");
    }
    return audit::list_segments(settings.audit.path);
}

audit::Result<share::Digest> identity_of(
    const config::Settings& settings, const AuditRequest& request
) {
    std::string text = request.identity;
    if (text.empty()) {
        const auto seal = make_seal(settings);
        if (!seal.has_value()) {
            return audit::Error(seal.error().message, "name the proxy's identity by --identity");
        }
        const auto facts = store::examine_store(store_place(settings), **seal);
        if (!facts.has_value()) {
            return audit::Error(
                facts.error().message,
                "name the proxy's identity by --identity FINGERPRINT, as `pgveil order` and SHOW "
                "STATE show it"
            );
        }
        text = facts->identity;
    }
    const auto digest = share::parse_fingerprint(text);
    if (!digest.has_value()) {
        return audit::Error("--identity", digest.error().message);
    }
    return *digest;
}

/// Of the option --head.
std::optional<std::string> head_of(const AuditRequest& request) {
    if (request.head.empty()) {
        return std::nullopt;
    }
    const auto text = config::read_text_file(request.head);
    std::string head = text.has_value() ? *text : request.head;
    head.erase(head.find_last_not_of(" \n\r\t") + 1);
    return head;
}

void say(const audit::Proof& proof) {
    std::cout << "records " << proof.first << " to " << proof.last << " are in order; signed up to "
              << proof.signed_up_to << '\n';
    if (proof.first > 1) {
        std::cout << "older files, with records 1 to " << proof.first - 1 << ", were not given\n";
    }
    if (proof.torn_bytes != 0) {
        std::cout << "the last line was cut short: it is being written, or the proxy was killed\n";
    }
    if (!proof.last_head.empty()) {
        std::cout << "last head: " << proof.last_head << '\n';
    }
}

int verify(const Files& files, audit::Trusted trusted) {
    audit::Verification verification(std::move(trusted));
    for (const auto& file : files) {
        const auto content = audit::read_segment(file);
        if (!content.has_value()) {
            return refuse_to_start(content.error().message);
        }
        verification.take(file.string(), *content);
    }
    verification.finish();
    if (const auto& finding = verification.finding()) {
        std::cout << finding->file << ':' << finding->line << ": " << audit::name_of(finding->wrong)
                  << ": " << finding->words << '\n';
        return 1;
    }
    say(verification.proof());
    return 0;
}

int list(const Files& files, const audit::Filter& filter, AuditVerb verb) {
    for (const auto& file : files) {
        const auto content = audit::read_segment(file);
        if (!content.has_value()) {
            return refuse_to_start(content.error().message);
        }
        std::string_view rest = *content;
        for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
            const std::string_view line = rest.substr(0, end);
            rest.remove_prefix(end + 1);
            if (audit::fits(filter, line)) {
                std::cout << (verb == AuditVerb::kExport ? std::string(line)
                                                         : audit::shown(line).value_or(""))
                          << '\n';
            }
        }
    }
    return 0;
}

}  // namespace

audit::Result<std::unique_ptr<audit::Writer>> open_audit(
    const config::Settings& settings, const store::ProxyCustody& custody
) {
    if (settings.audit.path.empty()) {
        return std::unique_ptr<audit::Writer>();
    }
    audit::WriterOptions options;
    options.folder = settings.audit.path;
    options.rotate_bytes = settings.audit.rotate_bytes;
    options.refuses = settings.audit.refuses;
    options.tenant = custody.tenant();
    options.identity = custody.identity().text();
    options.program = PGVEIL_VERSION;
    options.sign_head =
        [&custody](std::uint64_t sequence, const share::Digest& hash, std::int64_t at_s) {
            return custody.sign_audit_head(sequence, hash, at_s);
        };
    options.now_ms = session::unix_time_ms;
    return audit::Writer::open(std::move(options));
}

int audit_log(const std::string& settings_file, AuditVerb verb, const AuditRequest& request) {
    const auto settings = start(settings_file);
    if (!settings) {
        return kExitConfiguration;
    }
    const auto files = files_of(*settings, request);
    if (!files.has_value()) {
        return refuse_to_start(files.error().message);
    }
    if (files->empty()) {
        return refuse_to_start(settings->audit.path + ": no audit log is there");
    }
    if (verb != AuditVerb::kVerify) {
        const auto filter = audit::make_filter(request.since, request.until, request.user);
        return filter.has_value() ? list(*files, *filter, verb)
                                  : refuse_to_start(filter.error().message);
    }
    const auto identity = identity_of(*settings, request);
    if (!identity.has_value()) {
        return refuse_to_start(identity.error().message);
    }
    return verify(*files, {settings->tenant, *identity, head_of(request)});
}

}  // namespace pgveil::proxy
