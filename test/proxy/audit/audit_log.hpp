#pragma once

#include "proxy/audit/chain.hpp"
#include "proxy/audit/verification.hpp"

#include <string>
#include <vector>

namespace pgveil::audit {

inline constexpr std::int64_t kBegin = 1'700'000'000'000;
inline constexpr std::string_view kTenant = "clinic";

/// A log of three records in one file, with a head behind the second and one at the end.
class AuditLog {
public:
    explicit AuditLog(const core::SigningKey& key);

    static Record record(const std::string& user);

    SignHead sign_head() const;
    Trusted trusted() const;
    void begin_file();

    void add(const std::string& user) { append(chain_.add(record(user), kBegin)); }

    void sign() { append(chain_.sign(sign_head(), kBegin)); }

    void append(std::string line) { files_.back().push_back(std::move(line)); }

    Chain& chain() { return chain_; }

    std::vector<std::vector<std::string>>& files() { return files_; }

    std::vector<std::string>& lines() { return files_.back(); }

private:
    const core::SigningKey* key_;
    Chain chain_{std::string(kTenant), {}};
    std::vector<std::vector<std::string>> files_;
};

std::string joined(const std::vector<std::string>& lines);

/// File names are "1", "2", ...
Verification verified(const std::vector<std::vector<std::string>>& files, const Trusted& trusted);

/// "edited 1:3", or "in order".
std::string verdict(const Verification& verification);

}  // namespace pgveil::audit
