#include "keyshare/share/rotation_report.hpp"

#include "keyshare/share/json_fields.hpp"

namespace pgveil::share {
namespace {

constexpr std::string_view kForm = "pgveil/1 rotation";

}  // namespace

std::string serialize(const RotationReport& report) {
    return write_json(Json{
        {"form", kForm},
        {"tenant", report.tenant},
        {"group", report.group},
        {"next_key", report.next_key_id},
        {"databases", report.databases},
        {"at", report.at_s}});
}

Result<RotationReport> parse_rotation_report(std::string_view text) {
    if (text.ends_with('\n')) {
        text.remove_suffix(1);
    }
    JsonReader reader(text);
    RotationReport report;
    const std::string form = reader.text("form");
    report.tenant = reader.plain_name("tenant");
    report.group = reader.group_name("group");
    report.next_key_id = reader.u32("next_key");
    for (const Json& one : reader.part("databases")) {
        if (!one.is_string()) {
            reader.fail();
            break;
        }
        report.databases.push_back(one.get<std::string>());
    }
    report.at_s = reader.time("at");
    if (!reader.ok() || form != kForm || serialize(report) != text) {
        return Error{
            ErrorCode::kMalformed, "not a report of `pgveil rotate-data` that this program knows"};
    }
    return report;
}

}  // namespace pgveil::share
