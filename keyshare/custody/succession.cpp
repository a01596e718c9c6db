#include "keyshare/custody/succession.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/custody/https_calls.hpp"
#include "keyshare/quorum/reshare.hpp"
#include "keyshare/share/member_statement.hpp"
#include "keyshare/share/shallow_json.hpp"

#include <algorithm>
#include <optional>

namespace pgveil::custody {
namespace {

constexpr long kFound = 200;
/// A group is renewed far less often than this between two starts of an asker.
constexpr int kStepsMax = 10000;
constexpr std::chrono::milliseconds kStepTime{5000};

Error no_successor(const std::string& why) {
    return {ErrorCode::kCheating, "what it gives as the group's next epoch does not hold: " + why};
}

std::optional<std::vector<std::string>> names_in(const share::Json& list) {
    std::vector<std::string> out;
    for (const share::Json& each : list) {
        if (!each.is_string()) {
            return std::nullopt;
        }
        out.push_back(each.get<std::string>());
    }
    return out;
}

std::optional<PinnedGroup> next_step(
    const AskerSettings& settings, const PinnedGroup& from, std::chrono::milliseconds limit
) {
    HttpsCalls calls(settings.tls, limit);
    std::size_t id = 0;
    for (const Custodian& each : settings.custodians) {
        if (std::ranges::find(from.members, each.name) != from.members.end()) {
            const std::string url = each.url + "/v1/groups/" +
                                    core::base64url_encode(from.group.id) +
                                    "/next?epoch=" + std::to_string(from.group.epoch);
            calls.begin(id++, {url, {}, false});
        }
    }
    std::optional<PinnedGroup> found;
    std::uint32_t without = 0;
    while (!found && without < from.group.threshold) {
        const auto finished = calls.next(HttpsCalls::Clock::now() + limit);
        if (!finished) {
            break;
        }
        const bool is_answer = finished->reply.trouble.empty() && finished->reply.status == kFound;
        const auto next = is_answer ? successor_of(from, finished->reply.body)
                                    : Result<PinnedGroup>(no_successor("there is none"));
        if (next.has_value()) {
            found = *next;
        }
        without += finished->reply.trouble.empty() && !is_answer ? 1U : 0U;
    }
    calls.abandon();
    return found;
}

}  // namespace

Result<PinnedGroup> successor_of(const PinnedGroup& from, const std::string& body) {
    share::JsonReader reader(share::parse_shallow_json(body));
    const auto certificate = quorum::parse_reshare_certificate(reader.bytes("certificate"));
    const core::Bytes session = reader.bytes("session");
    const share::Digest policy = reader.digest("policy_hash");
    const auto names = names_in(reader.part("members"));
    if (!reader.ok() || !certificate.has_value() || !names) {
        return no_successor("it has another form");
    }
    const core::Bytes bound = share::reshare_session(session, share::run_agreement(policy, *names));
    auto next = quorum::next_group(from.group, *certificate, bound);
    if (!next.has_value()) {
        return no_successor(next.error().message);
    }
    if (names->size() != next->size()) {
        return no_successor("it names another number of members");
    }
    return PinnedGroup{*std::move(next), *names};
}

PinnedGroup newest_of(
    const AskerSettings& settings, const PinnedGroup& from, std::chrono::milliseconds limit
) {
    PinnedGroup newest = from;
    for (int step = 0; step < kStepsMax; ++step) {
        auto next = next_step(settings, newest, limit);
        if (!next) {
            break;
        }
        newest = *std::move(next);
    }
    return newest;
}

Result<PinnedGroup> load_newest_group(const AskerSettings& settings, const std::string& file) {
    auto pinned = load_group(file);
    if (!pinned.has_value()) {
        return pinned;
    }
    PinnedGroup newest = newest_of(settings, *pinned, kStepTime);
    keep_newest(file, *pinned, newest);
    return newest;
}

void keep_newest(const std::string& file, const PinnedGroup& former, const PinnedGroup& newest) {
    if (!(newest == former)) {
        (void)save_group(file, newest);  // a file of somebody else: the next start asks again
    }
}

}  // namespace pgveil::custody
