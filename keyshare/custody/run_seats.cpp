#include "keyshare/custody/run_seats.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/quorum/curve.hpp"
#include "keyshare/quorum/dkg.hpp"
#include "keyshare/quorum/reshare.hpp"
#include "keyshare/share/json_fields.hpp"
#include "keyshare/share/member_statement.hpp"

#include <algorithm>
#include <utility>

namespace pgveil::custody {
namespace {

constexpr long kTooOften = 429;
constexpr long kNotNow = 503;

}  // namespace

bool may_pass(const HttpsReply& reply) {
    return !reply.trouble.empty() || reply.status == kTooOften || reply.status == kNotNow;
}

std::string said_by(const Seat& seat, const HttpsReply& reply) {
    return "custodian " + seat.custodian.name + " (" + seat.custodian.url +
           "): " + refusal_in(reply).message;
}

Result<std::vector<Seat>> seats_of(const AskerSettings& settings, const RunPlan& plan) {
    std::vector<std::string> names = plan.members;
    if (plan.from) {
        for (const std::string& name : plan.from->members) {
            const bool is_lost =
                std::find(plan.lost.begin(), plan.lost.end(), name) != plan.lost.end();
            if (!is_lost && std::find(names.begin(), names.end(), name) == names.end()) {
                names.push_back(name);
            }
        }
    }
    std::vector<Seat> seats;
    for (const std::string& name : names) {
        const auto found = std::find_if(
            settings.custodians.begin(),
            settings.custodians.end(),
            [&name](const Custodian& each) { return each.name == name; }
        );
        if (found == settings.custodians.end()) {
            return Error{
                ErrorCode::kSettings,
                "there is no custodian " + name + " in the settings: add it to \"custodians\""};
        }
        Seat seat{*found, 0};
        seat.index =
            seats.size() < plan.members.size() ? static_cast<std::uint32_t>(seats.size() + 1) : 0;
        seats.push_back(std::move(seat));
    }
    return seats;
}

Result<core::PublicPoint> member_key_in(
    const std::string& statement, const std::string& session, const Seat& seat
) {
    const auto read =
        share::verify_statement(statement, core::VerifyingKey(seat.custodian.identity));
    const auto key = read.has_value() ? quorum::decompressed(read->member_key) : std::nullopt;
    if (!key || read->name != seat.custodian.name ||
        core::base64url_encode(read->session) != session) {
        return Error{
            ErrorCode::kCheating,
            "what custodian " + seat.custodian.name + " (" + seat.custodian.url +
                ") said of its member key is not signed by the identity in the settings, or for "
                "another run: compare the identity with what `pgveil-custodian identity` prints "
                "there"};
    }
    return *key;
}

std::optional<quorum::Group> group_made(
    const RunPlan& plan, const std::vector<core::PublicPoint>& member_keys, const std::string& body
) {
    share::JsonReader reader{std::string_view(body)};
    const core::Bytes bytes = reader.bytes("certificate");
    if (!reader.ok()) {
        return std::nullopt;
    }
    std::optional<quorum::Group> made;
    if (plan.from) {
        const auto certificate = quorum::parse_reshare_certificate(bytes);
        auto group = certificate.has_value() ? quorum::next_group(plan.from->group, *certificate)
                                             : certificate.error();
        made = group.has_value() ? std::optional(*std::move(group)) : std::nullopt;
    } else {
        const auto certificate = quorum::parse_certificate(bytes);
        auto group = certificate.has_value() ? quorum::group_of(*certificate) : certificate.error();
        made = group.has_value() ? std::optional(*std::move(group)) : std::nullopt;
    }
    const bool is_ours = made && made->members == member_keys && made->threshold == plan.threshold;
    return is_ours ? made : std::nullopt;
}

}  // namespace pgveil::custody
