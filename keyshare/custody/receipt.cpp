#include "keyshare/custody/receipt.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/share/json_fields.hpp"
#include "keyshare/share/shallow_json.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace pgveil::custody {
namespace {

constexpr const char* kReceiptFormat = "pgveil-receipt/1";

bool take_participation(const share::Json& json, Receipt& receipt) {
    share::JsonReader reader(json);
    quorum::Participation one{reader.u32("member"), reader.digest("partial"), {}};
    const core::Bytes signature = reader.bytes("signature");
    if (!reader.ok() || signature.size() != one.signature.size()) {
        return false;
    }
    std::ranges::copy(signature, one.signature.begin());
    receipt.participations.push_back(one);
    return true;
}

}  // namespace

std::string write_receipt(const Receipt& receipt) {
    share::Json participations = share::Json::array();
    for (const quorum::Participation& one : receipt.participations) {
        participations.push_back(share::Json{
            {"member", one.index},
            {"partial", share::json_digest(one.partial)},
            {"signature", share::json_bytes(one.signature)}});
    }
    return share::write_json(share::Json{
               {"format", kReceiptFormat},
               {"deposit", share::json_digest(receipt.deposit)},
               {"request", share::json_bytes(quorum::serialize(receipt.request))},
               {"participations", std::move(participations)}}) +
           "\n";
}

Result<Receipt> parse_receipt(const std::string& file, std::string_view text) {
    const Error unusable{
        ErrorCode::kSettings,
        file +
            " is no receipt: take the file that `pgveil-custodian deposit fetch --receipt` wrote"};
    share::JsonReader reader(text);
    const std::string format = reader.text("format");
    const core::Sha256Digest deposit = reader.digest("deposit");
    const auto request = quorum::parse_request(reader.bytes("request"));
    const share::Json& participations = reader.part("participations");
    if (!reader.ok() || format != kReceiptFormat || !request.has_value() ||
        !participations.is_array()) {
        return unusable;
    }
    Receipt receipt{deposit, *request, {}};
    for (const share::Json& each : participations) {
        if (!take_participation(each, receipt)) {
            return unusable;
        }
    }
    // One text for each receipt, so that nothing unread stands in it.
    return write_receipt(receipt) == text ? Result<Receipt>(std::move(receipt)) : unusable;
}

Result<std::vector<std::string>> took_part(const Receipt& receipt, const PinnedGroup& pinned) {
    const quorum::Group& group = pinned.group;
    if (receipt.request.group != group.id || receipt.request.epoch != group.epoch) {
        return Error{
            ErrorCode::kSettings,
            "the receipt is of epoch " + std::to_string(receipt.request.epoch) + " of group " +
                core::base64url_encode(receipt.request.group) +
                ", the group file is not: name the file that was in force then"};
    }
    std::set<std::uint32_t> members;
    std::vector<std::string> names;
    for (const quorum::Participation& one : receipt.participations) {
        if (!quorum::took_part(group, receipt.request, one) || !members.insert(one.index).second) {
            return Error{
                ErrorCode::kCheating,
                "the signature of member " + std::to_string(one.index) +
                    " is not by it over this request, or stands there twice: the receipt was "
                    "altered, and shows nothing"};
        }
        names.push_back(pinned.members[one.index - 1]);
    }
    if (members.size() < group.threshold) {
        return Error{
            ErrorCode::kTooFew,
            "the receipt has " + std::to_string(members.size()) + " signatures, but " +
                std::to_string(group.threshold) + " members are needed to open anything"};
    }
    return names;
}

}  // namespace pgveil::custody
