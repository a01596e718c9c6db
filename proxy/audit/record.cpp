#include "proxy/audit/record.hpp"

#include "keyshare/core/hash.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

namespace pgveil::audit {
namespace {

constexpr std::int64_t kMillisecondsPerSecond = 1000;
constexpr std::size_t kNameBytesMax = 64;
constexpr std::size_t kFingerprintBytes = 16;
constexpr std::size_t kTimeBytes = 24;

void add(share::Json& fields, const char* name, const std::string& text) {
    if (!text.empty()) {
        fields[name] = text;
    }
}

void add(share::Json& fields, const char* name, std::uint64_t count) {
    if (count != 0) {
        fields[name] = count;
    }
}

}  // namespace

share::Json fields_of(const Record& record) {
    share::Json fields = share::Json::object();
    fields["at"] = time_text(record.at_ms);
    fields["event"] = record.event;
    add(fields, "session", record.session);
    add(fields, "user", record.user);
    add(fields, "claimed", record.claimed);
    add(fields, "role", record.role);
    add(fields, "application", record.application);
    add(fields, "database", record.database);
    add(fields, "statement", record.statement);
    if (!record.columns.empty()) {
        fields["columns"] = record.columns;
    }
    add(fields, "opened", record.opened);
    add(fields, "affected", record.affected);
    add(fields, "what", record.what);
    add(fields, "result", record.result);
    return fields;
}

std::string time_text(std::int64_t unix_ms) {
    const std::time_t seconds = unix_ms / kMillisecondsPerSecond;
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    std::array<char, kTimeBytes + 1> text{};
    const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
    const std::string fraction =
        std::to_string(kMillisecondsPerSecond + unix_ms % kMillisecondsPerSecond);
    return std::string(text.data(), size) + "." + fraction.substr(1) + "Z";
}

std::int64_t time_of(std::string_view text) {
    std::tm utc{};
    const std::string whole(text);
    const char* const rest = strptime(whole.c_str(), "%Y-%m-%dT%H:%M:%S", &utc);
    if (whole.size() != kTimeBytes || rest == nullptr || *rest != '.') {
        return -1;
    }
    const std::int64_t milliseconds = std::atoi(rest + 1);
    const std::int64_t time = timegm(&utc) * kMillisecondsPerSecond + milliseconds;
    return time_text(time) == text ? time : -1;
}

std::string harmless(std::string_view name) {
    std::string shown(name.substr(0, kNameBytesMax));
    std::replace_if(
        shown.begin(), shown.end(), [](char letter) { return letter < ' ' || letter > '~'; }, '?'
    );
    for (const std::string_view secret : {"pgvt", "pgva"}) {
        if (shown.find(secret) != std::string::npos) {
            return "(not shown)";
        }
    }
    return shown;
}

std::string fingerprint_of(std::string_view with_placeholders) {
    const auto digest = core::sha256(core::as_bytes(with_placeholders));
    return core::to_hex(core::ByteView(digest).first(kFingerprintBytes));
}

}  // namespace pgveil::audit
