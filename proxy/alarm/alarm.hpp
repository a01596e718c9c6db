#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// proxy/alarm/: signs that somebody reads, or tries to read, what is not his.
///   Alarm    what happened, and with whose shares
///   Watch    counts, decides when an alarm is raised, and who is locked
///   Webhook  tells another system
namespace pgveil::alarm {

enum class Kind {
    kPoison,       ///< a planted value was opened, which no honest query asks for
    kFailedOpens,  ///< many values in a short time did not open
    kDenied,       ///< many requests in a short time had shares that give no key
};

/// "poison", "failed_opens", "denied": in metrics, log and webhook.
std::string_view name_of(Kind kind);

/// Whose session it was. Texts as the audit log has them; never a value.
struct Origin {
    std::string user;  ///< whose token was opened; of kDenied who the client says it is, or empty
    std::string role;  ///< database role
    std::string database;
    std::string application;
    std::string session;
};

struct Alarm {
    Kind kind = Kind::kPoison;
    Origin origin;
    std::string column;               ///< "public.patients.name"; of kDenied empty
    std::uint64_t count = 0;          ///< how often within the window so far
    std::int64_t at_s = 0;            ///< Unix time
    std::int64_t locked_until_s = 0;  ///< Unix time; 0: the user is not locked
};

/// One line of JSON: alarm, tenant, user, role, database, application, session, column, count,
/// time and locked_until (RFC 3339, UTC; absent where nobody is locked).
std::string json_of(const Alarm& alarm, std::string_view tenant);

}  // namespace pgveil::alarm
