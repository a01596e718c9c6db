#include "keyshare/custody/asker.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/custody/succession.hpp"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

namespace pgveil::custody {
namespace {

using Clock = HttpsCalls::Clock;

constexpr long kOk = 200;

const Custodian* find_custodian(const AskerSettings& settings, const std::string& name) {
    const auto found = std::ranges::find(settings.custodians, name, &Custodian::name);
    return found == settings.custodians.end() ? nullptr : &*found;
}

std::string url_of(const Custodian& custodian, const PinnedGroup& pinned, const char* what) {
    return custodian.url + "/v1/groups/" + core::base64url_encode(pinned.group.id) + "/" + what;
}

}  // namespace

Asker::Asker(AskerSettings settings, std::string requester, AskTimes times)
    : settings_(std::move(settings)),
      requester_(std::move(requester)),
      times_(times),
      calls_(std::make_unique<HttpsCalls>(settings_.tls, times.limit)) {}

Result<Asker> Asker::make(AskerSettings settings, PinnedGroup pinned, AskTimes times) {
    auto requester = requester_of(settings.tls.certificate);
    if (!requester.has_value()) {
        return requester.error();
    }
    Asker asker(std::move(settings), *std::move(requester), times);
    if (const auto done = asker.pin(std::move(pinned)); !done.has_value()) {
        return done.error();
    }
    return asker;
}

Result<void> Asker::pin(PinnedGroup pinned) {
    std::vector<Member> members;
    for (const std::string& name : pinned.members) {
        const Custodian* custodian = find_custodian(settings_, name);
        if (custodian == nullptr) {
            return Error{
                ErrorCode::kSettings,
                "custodian " + name + " is a member of the group at epoch " +
                    std::to_string(pinned.group.epoch) +
                    ", but the settings do not say where it is: add it to \"custodians\""};
        }
        members.push_back({*custodian, false});
    }
    members_ = std::move(members);
    pinned_ = std::move(pinned);
    return {};
}

/// Members without trouble first, else in the group's order.
std::vector<std::size_t> Asker::order(std::uint32_t own) const {
    std::vector<std::size_t> order(members_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::erase_if(order, [own](std::size_t member) { return member + 1 == own; });
    std::stable_partition(order.begin(), order.end(), [this](std::size_t member) {
        return !members_[member].had_trouble;
    });
    return order;
}

void Asker::note(std::size_t member, const Refusal& refusal) {
    members_[member].had_trouble = true;
    absences_.push_back(
        {members_[member].custodian.name + " (" + members_[member].custodian.url + ")",
         refusal.code,
         refusal.message}
    );
}

/// Custodians that refuse are there: to start them is no help.
std::string Asker::what_to_do() const {
    const bool is_somebody_away =
        std::ranges::find(absences_, std::string(), &Absence::code) != absences_.end();
    return is_somebody_away ? "start the missing ones" : "all of them run, and say why they do not";
}

Error Asker::too_few(std::size_t answered, std::size_t needed, const std::string& to_do) const {
    std::string message = "only " + std::to_string(answered) + " of the " + std::to_string(needed) +
                          " custodians that are needed " + (answered == 1 ? "has" : "have") +
                          " answered (there are " + std::to_string(members_.size()) + "); " +
                          to_do + ". Missing:";
    for (const Absence& absence : absences_) {
        message += "\n  " + absence.custodian + ": " + absence.why;
    }
    return {ErrorCode::kTooFew, std::move(message)};
}

void Asker::post(std::size_t member, const char* what, const std::string& body) {
    calls_->begin(member, {url_of(members_[member].custodian, pinned_, what), body, true});
}

/// The statement's body, with what the TPM says to this nonce where that is demanded.
Result<std::string> Asker::testified(
    std::size_t member, const NonceReply& given, const Statement& statement
) const {
    if (!given.is_demanded) {
        return statement.body;
    }
    const auto testimony = statement.witness(
        evidence_binding(members_[member].custodian.name, given.nonce, statement.subject)
    );
    if (!testimony.has_value()) {
        return Error{
            ErrorCode::kNoEvidence,
            "the custodians demand the TPM's evidence, and there is none: " +
                testimony.error().message};
    }
    return attested(statement.body, given.nonce, *testimony);
}

/// One question on its way.
class Asker::Round {
public:
    Round(
        Asker& asker,
        const quorum::PartialRequest& request,
        const Question& question,
        const Gathering& gathering
    )
        : asker_(&asker),
          statement_{partial_body(request, question), quorum::serialize(request), question.witness},
          take_answer_(&gathering.take),
          order_(asker.order(gathering.own)),
          needed_(gathering.needed),
          is_out_(asker.members_.size(), false),
          owes_nonce_(asker.members_.size(), false) {}

    Result<void> run() {
        while (sent_ < std::min(needed_, order_.size())) {
            send();
        }
        wait_on();
        while (taken_ < needed_ && !trouble_ && has_more()) {
            // With nobody left to ask, the calls' own limits end the waiting.
            const auto until = sent_ < order_.size() ? hedge_ : Clock::now() + asker_->times_.limit;
            const auto finished = asker_->calls_->next(until);
            if (finished) {
                is_out_[finished->id] = false;
                take(*finished);
            } else if (sent_ < order_.size()) {
                send();
                wait_on();
            }
        }
        return finish();
    }

private:
    /// Also when it is sure that there are too few: then people are to hear of everybody.
    bool has_more() const { return asker_->calls_->under_way() > 0 || sent_ < order_.size(); }

    void wait_on() { hedge_ = Clock::now() + asker_->times_.hedge_after; }

    void send() {
        const std::size_t member = order_[sent_];
        ++sent_;
        owes_nonce_[member] = statement_.witness != nullptr;
        is_out_[member] = true;
        if (owes_nonce_[member]) {
            return asker_->post(member, "nonce", "{}");
        }
        asker_->post(member, "partial", statement_.body);
    }

    /// Puts the question, with what the TPM says to this nonce.
    void testify(std::size_t member, const std::string& reply) {
        owes_nonce_[member] = false;
        const auto given = nonce_in(reply);
        if (!given) {
            return replace(member, {{}, "it answered with something that is no nonce", 0});
        }
        const auto body = asker_->testified(member, *given, statement_);
        if (!body.has_value()) {
            trouble_ = body.error();
            return;
        }
        is_out_[member] = true;
        asker_->post(member, "partial", *body);
        if (given->is_demanded) {
            wait_on();  // the TPM has taken its time, not a custodian
        }
    }

    void take(const HttpsCalls::Finished& finished) {
        const auto index = static_cast<std::uint32_t>(finished.id + 1);
        const bool is_answer = finished.reply.trouble.empty() && finished.reply.status == kOk;
        if (!is_answer) {
            return replace(finished.id, refusal_in(finished.reply));
        }
        if (owes_nonce_[finished.id]) {
            return testify(finished.id, finished.reply.body);
        }
        const auto sealed = answer_in(finished.reply.body);
        if (!sealed) {
            return replace(finished.id, {{}, "it answered with something that is no answer", 0});
        }
        if (const auto taken = (*take_answer_)(index, *sealed); !taken.has_value()) {
            return replace(
                finished.id,
                {"cheating",
                 "its answer does not hold, so that it is not taken (" + taken.error().message +
                     "); find out what runs there",
                 index}
            );
        }
        asker_->members_[finished.id].had_trouble = false;
        ++taken_;
    }

    /// Somebody else is asked in the place of this one.
    void replace(std::size_t member, const Refusal& refusal) {
        asker_->note(member, refusal);
        if (sent_ < order_.size()) {
            send();
        }
    }

    Result<void> finish() {
        for (std::size_t member = 0; member < is_out_.size(); ++member) {
            if (is_out_[member]) {
                asker_->members_[member].had_trouble = true;  // slower than the others
            }
        }
        asker_->calls_->abandon();
        if (trouble_) {
            return *trouble_;
        }
        return taken_ < needed_
                   ? Result<void>(asker_->too_few(taken_, needed_, asker_->what_to_do()))
                   : Result<void>();
    }

    Asker* asker_;
    Statement statement_;
    const Take* take_answer_;
    std::vector<std::size_t> order_;
    std::size_t needed_;
    std::vector<bool> is_out_;
    std::vector<bool> owes_nonce_;
    std::optional<Error> trouble_;
    Clock::time_point hedge_;
    std::size_t sent_ = 0;
    std::size_t taken_ = 0;
};

Result<void> Asker::run_round(
    const quorum::PartialRequest& request, const Question& question, const Gathering& gathering
) {
    absences_.clear();
    participations_.clear();
    return Round(*this, request, question, gathering).run();
}

Result<void> Asker::gather(const quorum::PartialRequest& request, const Gathering& gathering) {
    const Question question{.point = request.point, .purpose = request.purpose};
    return run_round(request, question, gathering);
}

Result<quorum::SecretPoint> Asker::ask_once(const Question& question) {
    const auto asked = quorum::ask(pinned_.group, question.point, requester_, question.purpose);
    if (!asked.has_value()) {
        return Error{ErrorCode::kSettings, asked.error().message};
    }
    std::vector<quorum::Answer> answers;
    const Take take = [&](std::uint32_t index, core::ByteView sealed) -> quorum::Result<void> {
        auto answer = quorum::open_answer(pinned_.group, *asked, index, sealed);
        if (!answer.has_value()) {
            return answer.error();
        }
        answers.push_back(*std::move(answer));
        return {};
    };
    const auto gathered = run_round(asked->request, question, {pinned_.group.threshold, take, 0});
    if (!gathered.has_value()) {
        return gathered.error();
    }
    for (const quorum::Answer& answer : answers) {
        participations_.push_back(answer.participation);
    }
    auto combined = quorum::combine(pinned_.group, asked->request, answers);
    if (!combined.has_value()) {
        return Error{ErrorCode::kCheating, combined.error().message};
    }
    return *std::move(combined);
}

/// Somebody has a later epoch, or is a member no more.
bool Asker::was_left_behind() const {
    return std::ranges::any_of(absences_, [](const Absence& absence) {
        return absence.code == "epoch" || absence.code == "shredded";
    });
}

Result<bool> Asker::follow() {
    if (!was_left_behind()) {
        return false;
    }
    PinnedGroup newest = newest_of(settings_, pinned_, times_.limit);
    if (newest == pinned_) {
        return false;
    }
    const auto pinned = pin(std::move(newest));
    return pinned.has_value() ? Result<bool>(true) : pinned.error();
}

Result<quorum::SecretPoint> Asker::ask(const Question& question) {
    auto answer = ask_once(question);
    if (answer.has_value()) {
        return answer;
    }
    const auto followed = follow();
    if (!followed.has_value()) {
        return followed.error();
    }
    return *followed ? ask_once(question) : std::move(answer);
}

Result<quorum::SecretPoint> Asker::ask_blinded(const Question& question) {
    const quorum::Blinding blinding = quorum::blind(question.point);
    Question hidden = question;
    hidden.point = blinding.blinded;
    const auto answer = ask(hidden);
    if (!answer.has_value()) {
        return answer.error();
    }
    auto unblinded = quorum::unblind(pinned_.group, blinding, *answer);
    if (!unblinded.has_value()) {
        return Error{ErrorCode::kCheating, unblinded.error().message};
    }
    return *std::move(unblinded);
}

Result<void> Asker::raise_version(const StoreVersion& store, const Witness& witness) {
    auto raised = raise_once(store, witness);
    if (raised.has_value()) {
        return raised;
    }
    const auto followed = follow();
    if (!followed.has_value()) {
        return followed.error();
    }
    return *followed ? raise_once(store, witness) : raised;
}

Result<void> Asker::raise_once(const StoreVersion& store, const Witness& witness) {
    absences_.clear();
    const Statement statement{version_body(store), version_claim(pinned_.group.id, store), witness};
    std::vector<bool> owes_nonce(members_.size(), witness != nullptr);
    for (std::size_t member = 0; member < members_.size(); ++member) {
        witness ? post(member, "nonce", "{}") : post(member, "store-version", statement.body);
    }
    std::size_t noted = 0;
    while (const auto finished = calls_->next(Clock::now() + 2 * times_.limit)) {
        const bool is_answer = finished->reply.trouble.empty() && finished->reply.status == kOk;
        if (!is_answer) {
            note(finished->id, refusal_in(finished->reply));
        } else if (!owes_nonce[finished->id]) {
            ++noted;
        } else if (const auto given = nonce_in(finished->reply.body)) {
            owes_nonce[finished->id] = false;
            const auto body = testified(finished->id, *given, statement);
            if (!body.has_value()) {
                calls_->abandon();
                return body.error();
            }
            post(finished->id, "store-version", *body);
        } else {
            note(finished->id, {{}, "it answered with something that is no nonce", 0});
        }
    }
    const std::size_t needed = members_.size() - pinned_.group.threshold + 1;
    if (noted < needed) {
        return too_few(
            noted,
            needed,
            "until they note the store's version, an older copy of it "
            "could be opened; start the missing ones"
        );
    }
    return {};
}

}  // namespace pgveil::custody
