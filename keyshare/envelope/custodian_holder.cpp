#include "keyshare/envelope/custodian_holder.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/custody/group_file.hpp"
#include "keyshare/custody/questions.hpp"
#include "keyshare/custody/succession.hpp"
#include "keyshare/envelope/told.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace pgveil::envelope {

namespace {

constexpr std::chrono::seconds kCallLimit{5};
constexpr long kAnswered = 200;

std::string words_of(const custody::Refusal& refusal) {
    const std::string code = refusal.code.empty() ? "" : " (" + refusal.code + ")";
    return refusal.message + code +
           (refusal.code == "epoch" ? "; take the group's file that its last refresh wrote" : "");
}

}  // namespace

CustodianCalls::CustodianCalls(const custody::TlsFiles& tls) : calls_(tls, kCallLimit) {}

CustodianCalls::Ticket CustodianCalls::begin(const custody::HttpsCall& call) {
    calls_.begin(next_, call);
    return next_++;
}

void CustodianCalls::wait(custody::HttpsCalls::Clock::time_point until) {
    if (auto finished = calls_.next(until)) {
        replies_[finished->id] = std::move(finished->reply);
    }
}

const custody::HttpsReply* CustodianCalls::reply_to(Ticket ticket) const {
    const auto found = replies_.find(ticket);
    return found == replies_.end() ? nullptr : &found->second;
}

void CustodianHolder::begin(const Question& question) {
    const custody::Question asked{
        .point = question.request.point,
        .purpose = question.request.purpose,
        .header = question.header};
    calls_->forget(ticket_);
    asked_ = question.request.id;
    ticket_ = calls_->begin(
        {.url = custodian_.url + "/v1/groups/" + core::base64url_encode(group_.id) + "/partial",
         .body = custody::partial_body(question.request, asked),
         .is_post = true}
    );
}

bool CustodianHolder::is_ready(std::chrono::steady_clock::time_point until) {
    if (ticket_ == 0) {
        return true;  // nothing was asked that it could be waited for
    }
    if (calls_->reply_to(ticket_) == nullptr) {
        calls_->wait(until);
    }
    return calls_->reply_to(ticket_) != nullptr;
}

Result<core::Bytes> CustodianHolder::answer(const Question& question, std::int64_t /*now_s*/) {
    if (ticket_ == 0 || asked_ != question.request.id) {
        begin(question);
    }
    while (!is_ready(std::chrono::steady_clock::now() + kCallLimit)) {
    }
    const custody::HttpsReply& reply = *calls_->reply_to(ticket_);
    if (!reply.trouble.empty() || reply.status != kAnswered) {
        return user::failed(words_of(custody::refusal_in(reply)));
    }
    auto sealed = custody::answer_in(reply.body);
    if (!sealed) {
        return user::failed("it answered with something that is no answer");
    }
    return *std::move(sealed);
}

Result<CustodianHolders> open_custodians(const CustodianFiles& files) {
    const auto settings = custody::load_asker_settings(files.askers);
    if (!settings) {
        return told(settings.error());
    }
    const auto pinned = custody::load_newest_group(*settings, files.group);
    if (!pinned) {
        return told(pinned.error());
    }
    CustodianHolders holders;
    const auto calls = std::make_shared<CustodianCalls>(settings->tls);
    for (std::uint32_t at = 0; at < pinned->members.size(); ++at) {
        const std::string& name = pinned->members[at];
        const auto found = std::ranges::find(settings->custodians, name, &custody::Custodian::name);
        if (found == settings->custodians.end()) {
            holders.unknown.push_back(name);
            continue;
        }
        holders.members.push_back(
            std::make_unique<CustodianHolder>(*found, pinned->group, at + 1, calls)
        );
    }
    return holders;
}

Result<std::string> requester_of(const CustodianFiles& files) {
    const auto settings = custody::load_asker_settings(files.askers);
    if (!settings) {
        return told(settings.error());
    }
    auto name = custody::requester_of(settings->tls.certificate);
    return name ? Result<std::string>(*std::move(name)) : told(name.error());
}

Result<core::PublicPoint> key_of_group_file(const std::string& path, std::string_view text) {
    const auto pinned = custody::parse_group_file(path, text);
    return pinned ? Result<core::PublicPoint>(pinned->group.public_key()) : told(pinned.error());
}

}  // namespace pgveil::envelope
