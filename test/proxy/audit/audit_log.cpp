#include "test/proxy/audit/audit_log.hpp"

#include "keyshare/core/p256.hpp"

namespace pgveil::audit {

AuditLog::AuditLog(const core::SigningKey& key) : key_(&key) {
    begin_file();
    add("nurse");
    add("doctor");
    sign();
    add("nurse");
    sign();
}

Record AuditLog::record(const std::string& user) {
    Record record;
    record.at_ms = kBegin;
    record.event = "statement";
    record.session = "s1";
    record.user = user;
    record.role = "app";
    record.application = "psql";
    record.database = "clinic";
    record.statement = fingerprint_of("SELECT name FROM patients WHERE ssn = $1");
    record.columns = {"public.patients.name", "public.patients.ssn"};
    record.opened = 2;
    record.affected = 2;
    record.result = "ok";
    return record;
}

SignHead AuditLog::sign_head() const {
    return [this](std::uint64_t sequence, const share::Digest& hash, std::int64_t at_s) {
        return share::sign_audit_head({std::string(kTenant), sequence, hash, at_s}, *key_);
    };
}

Trusted AuditLog::trusted() const {
    return {std::string(kTenant), key_->verifying_key().point().fingerprint(), std::nullopt};
}

void AuditLog::begin_file() {
    files_.emplace_back();
    Chain::Opening opening;
    opening.identity = key_->verifying_key().point().text();
    opening.program = "1";
    append(chain_.open_segment(opening, kBegin));
}

std::string joined(const std::vector<std::string>& lines) {
    std::string content;
    for (const std::string& line : lines) {
        content.append(line).push_back('\n');
    }
    return content;
}

Verification verified(const std::vector<std::vector<std::string>>& files, const Trusted& trusted) {
    Verification verification(trusted);
    for (std::size_t index = 0; index < files.size(); ++index) {
        verification.take(std::to_string(index + 1), joined(files[index]));
    }
    verification.finish();
    return verification;
}

std::string verdict(const Verification& verification) {
    const auto& finding = verification.finding();
    return finding ? std::string(name_of(finding->wrong)) + " " + finding->file + ":" +
                         std::to_string(finding->line)
                   : "in order";
}

}  // namespace pgveil::audit
