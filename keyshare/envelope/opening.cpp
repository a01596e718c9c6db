#include "keyshare/envelope/opening.hpp"

#include "keyshare/core/random.hpp"
#include "keyshare/quorum/partial.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <vector>

namespace pgveil::envelope {

namespace {

/// Holders that are elsewhere wake each other; this is for those that do not.
constexpr std::chrono::milliseconds kBetweenLooks{50};

/// The answers to one question, as they come in.
class Round {
public:
    Round(const quorum::Group& group, quorum::OpenRequest asked, const Header& header)
        : group_(group), asked_(std::move(asked)), question_{asked_.request, header.bytes} {}

    /// To all at once: those that are elsewhere work on it from now on.
    void begin(std::span<Holder* const> holders) const {
        for (Holder* const holder : holders) {
            if (holder->group() == group_) {
                holder->begin(question_);
            }
        }
    }

    /// Why this holder gave nothing that counts; nothing if it did.
    std::optional<std::string> ask(Holder& holder, std::int64_t now_s) {
        if (holder.group() != group_) {
            return "its share is of another group, or of the time before or after shares were "
                   "renewed";
        }
        if (has_answered(holder.index())) {
            return "it has answered already: name another holder";
        }
        const auto sealed = holder.answer(question_, now_s);
        if (!sealed) {
            return sealed.error().message;
        }
        auto answer = quorum::open_answer(group_, asked_, holder.index(), *sealed);
        if (!answer) {
            return "its answer is wrong: " + answer.error().message;
        }
        answers_.push_back(*std::move(answer));
        return std::nullopt;
    }

    bool is_enough() const { return answers_.size() >= group_.threshold; }

    std::size_t size() const { return answers_.size(); }

    quorum::Result<quorum::SecretPoint> combined() const {
        return quorum::combine(group_, asked_.request, answers_);
    }

private:
    bool has_answered(std::uint32_t index) const {
        return std::ranges::any_of(answers_, [index](const quorum::Answer& answer) {
            return answer.partial.index == index;
        });
    }

    const quorum::Group& group_;
    quorum::OpenRequest asked_;
    Question question_;
    std::vector<quorum::Answer> answers_;
};

/// The newest group that one of the holders is in and the file is sealed to; null if there is none.
const quorum::Group* group_of(const Header& header, std::span<Holder* const> holders) {
    const quorum::Group* found = nullptr;
    for (const Holder* const holder : holders) {
        const quorum::Group& group = holder->group();
        if (header.group == group.public_key().fingerprint() &&
            (found == nullptr || group.epoch > found->epoch)) {
            found = &group;
        }
    }
    return found;
}

/// The first of them that need not be waited for.
Holder* take_fastest(std::vector<Holder*>& waiting) {
    using Clock = std::chrono::steady_clock;
    while (true) {
        for (auto at = waiting.begin(); at != waiting.end(); ++at) {
            if ((*at)->is_ready(Clock::now())) {
                Holder* const fastest = *at;
                waiting.erase(at);
                return fastest;
            }
        }
        static_cast<void>(waiting.front()->is_ready(Clock::now() + kBetweenLooks));
    }
}

/// As the holders will check it. The question stays here: with the file's own point nobody is
/// asked.
Result<void> check_policy(const Header& header, const quorum::Group& group, const Opener& opener) {
    const auto asked = quorum::ask(group, header.point, opener.requester, opener.purpose);
    if (!asked) {
        return user::unusable("nothing can be asked: " + asked.error().message);
    }
    const auto allowed = check_question({asked->request, header.bytes}, group, opener.now_s);
    if (!allowed) {
        return user::failed("the holders would refuse: " + allowed.error().message);
    }
    return {};
}

}  // namespace

Result<core::Bytes> PasswordHolder::answer(const Question& question, std::int64_t now_s) {
    if (auto allowed = check_question(question, group_, now_s); !allowed) {
        return allowed.error();
    }
    auto answer = quorum::answer(group_, membership_.share, membership_.key, question.request);
    if (!answer) {
        return user::failed(answer.error().message);
    }
    return *std::move(answer);
}

Result<BodyKey> ask_holders(
    const Header& header,
    std::span<Holder* const> holders,
    const Opener& opener,
    const std::function<void(const std::string&)>& note
) {
    const quorum::Group* const group = group_of(header, holders);
    if (group == nullptr) {
        return user::failed("the file is sealed to a group that none of these holders is in");
    }
    auto asked = quorum::ask(*group, header.point, opener.requester, opener.purpose);
    if (!asked) {
        return user::unusable("nothing can be asked: " + asked.error().message);
    }
    Round round(*group, *std::move(asked), header);
    round.begin(holders);
    std::vector<Holder*> waiting(holders.begin(), holders.end());
    std::string missing;
    while (!round.is_enough() && !waiting.empty()) {
        Holder* const holder = take_fastest(waiting);
        if (const auto problem = round.ask(*holder, opener.now_s)) {
            note(holder->name() + " does not help: " + *problem);
            missing += (missing.empty() ? "" : ", ") + holder->name();
        }
    }
    if (!round.is_enough()) {
        return user::failed(
            "the file stays closed: " + std::to_string(round.size()) + " of " +
            std::to_string(group->threshold) + " holders helped" +
            (missing.empty() ? "" : ", without " + missing) +
            "; start it or name another, or use the password where there is one"
        );
    }
    const auto combined = round.combined();
    if (!combined) {
        return user::failed("the parts do not combine: " + combined.error().message);
    }
    const core::SecretBytes shared = quorum::x_of(*combined);
    return open_keys(header, shared.reveal());
}

Result<Rehearsal> rehearse(
    const Header& header, std::span<Holder* const> holders, const Opener& opener
) {
    const quorum::Group* const group = group_of(header, holders);
    if (group == nullptr) {
        return user::failed("the file is sealed to a group that none of these holders is in");
    }
    if (auto allowed = check_policy(header, *group, opener); !allowed) {
        return allowed.error();
    }
    const auto challenge = make_header(
        group->public_key(),
        {.who = {}, .until_s = 0, .purpose = kRehearsalPurpose},
        core::system_random()
    );
    if (!challenge) {
        return challenge.error();
    }
    auto asked = quorum::ask(*group, challenge->header.point, opener.requester, kRehearsalPurpose);
    if (!asked) {
        return user::unusable("nothing can be asked: " + asked.error().message);
    }
    Round round(*group, *std::move(asked), challenge->header);
    round.begin(holders);
    Rehearsal rehearsal;
    for (Holder* const holder : holders) {
        rehearsal.holders.push_back(
            {holder->name(), holder->index(), round.ask(*holder, opener.now_s).value_or("")}
        );
    }
    rehearsal.answered = static_cast<std::uint32_t>(round.size());
    rehearsal.threshold = group->threshold;
    if (!round.is_enough()) {
        return rehearsal;
    }
    const auto combined = round.combined();
    if (!combined) {
        return user::failed("the parts do not combine: " + combined.error().message);
    }
    const core::SecretBytes shared = quorum::x_of(*combined);
    if (auto key = open_keys(challenge->header, shared.reveal()); !key) {
        return key.error();
    }
    return rehearsal;
}

}  // namespace pgveil::envelope
