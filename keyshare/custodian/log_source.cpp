#include "keyshare/custodian/log_source.hpp"

#include "config/custodian_settings.hpp"
#include "keyshare/custodian/access_log.hpp"
#include "keyshare/custody/asker_settings.hpp"
#include "keyshare/custody/https_calls.hpp"
#include "keyshare/custody/questions.hpp"
#include "keyshare/share/shallow_json.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>

namespace pgveil::custodian {
namespace {

constexpr std::chrono::milliseconds kPageTime{30000};
constexpr std::size_t kPageLines = 1000;
constexpr long kAnswered200 = 200;

/// Number of the first line of a file; 0: it is none.
std::uint64_t first_number(std::string_view content) {
    const auto line = share::parse_chained_line(kLogForm, content.substr(0, content.find('\n')));
    return line ? line->sequence : 0;
}

user::Result<LogText> read_files(const std::string& config) {
    const auto settings = config::load_custodian_settings(config);
    if (!settings.has_value()) {
        return user::unusable(settings.error().message);
    }
    LogText out{settings->name, {}};
    for (const std::string& name : log_files(settings->log_file())) {
        std::ifstream stream(name, std::ios::binary);
        std::string content{std::istreambuf_iterator<char>(stream), {}};
        if (!stream.is_open() || stream.bad()) {
            return user::unusable(name + " cannot be read");
        }
        out.files.push_back({name, std::move(content)});
    }
    if (out.files.empty()) {
        return user::unusable(settings->log_file() + " is not there: the custodian has no log yet");
    }
    std::ranges::stable_sort(out.files, {}, [](const LogText::File& file) {
        return first_number(file.content);
    });
    return out;
}

user::Error unreadable(const custody::Custodian& custodian, const custody::HttpsReply& reply) {
    return user::failed(
        "custodian " + custodian.name +
        " did not give its log: " + custody::refusal_in(reply).message
    );
}

/// Pages until one that is not full: its head covers just these lines.
user::Result<LogText> read_pages(
    const custody::AskerSettings& settings, const custody::Custodian& custodian
) {
    const core::VerifyingKey identity(custodian.identity);
    LogText out{custodian.name, {{custodian.url + "/v1/log", {}}}, identity};
    custody::HttpsCalls calls(settings.tls, kPageTime);
    std::uint64_t after = 0;
    for (bool is_full = true; is_full;) {
        const std::string url = custodian.url + "/v1/log?limit=" + std::to_string(kPageLines) +
                                "&after=" + std::to_string(after);
        const custody::HttpsReply reply = custody::call_all(calls, {{url, {}, false}}).front();
        const share::Json body = share::parse_shallow_json(reply.body);
        if (!reply.trouble.empty() || reply.status != kAnswered200 || !body.is_object()) {
            return unreadable(custodian, reply);
        }
        const share::Json entries = body.value("entries", share::Json::array());
        for (const share::Json& entry : entries) {
            out.files.front().content += share::write_json(entry) + "\n";
        }
        const share::Json last = entries.empty() ? share::Json() : entries.back();
        const std::uint64_t next = last.is_object() ? last.value("seq", std::uint64_t{0}) : 0;
        is_full = entries.size() == kPageLines && next > after;
        after = next;
        share::JsonReader reader(body);
        out.head_jws = reader.text("head");
    }
    auto head = verify_log_head(out.head_jws, identity, custodian.name);
    if (!head) {
        return user::failed(
            "what custodian " + custodian.name +
            " gives as head does not hold: " + head.error().message
        );
    }
    out.head = *std::move(head);
    return out;
}

}  // namespace

user::Result<LogText> read_log(const LogPlace& place) {
    if (!place.config.empty()) {
        return read_files(place.config);
    }
    const auto settings = custody::load_asker_settings(place.custodians);
    if (!settings.has_value()) {
        return user::unusable(settings.error().message);
    }
    const auto found = std::ranges::find(settings->custodians, place.at, &custody::Custodian::name);
    if (found == settings->custodians.end()) {
        return user::unusable(
            place.custodians + " names no custodian \"" + place.at + "\": give one of it by --at"
        );
    }
    return read_pages(*settings, *found);
}

}  // namespace pgveil::custodian
