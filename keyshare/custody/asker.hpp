#pragma once

#include "keyshare/custody/asker_settings.hpp"
#include "keyshare/custody/error.hpp"
#include "keyshare/custody/group_file.hpp"
#include "keyshare/custody/https_calls.hpp"
#include "keyshare/custody/questions.hpp"
#include "keyshare/quorum/exchange.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace pgveil::custody {

struct AskTimes {
    /// So long the first t may take; then, and each time this passes again, one more is asked.
    std::chrono::milliseconds hedge_after{100};
    /// For one custodian.
    std::chrono::milliseconds limit{5000};
};

/// Why a custodian is not among those that answered.
struct Absence {
    std::string custodian;
    std::string code;  ///< of the custodians' interface, if it refused
    std::string why;
};

/// Asks the members of one group, and takes the fastest t good answers.
///
/// t of them are asked at once, those without trouble last time first. One more is asked whenever
/// one fails, answers what does not hold, or all take longer than the hedge; so a dead, slow or
/// cheating member costs little, and t that live and are honest are always enough. An answer counts
/// when its proof and signature hold for the pinned group: who gave it needs no other
/// identity. A group that was refreshed or reshared since it was pinned is followed to its newest
/// epoch (succession.hpp): pinned() is that one then. Blocks for the calls. One thread at a time.
class Asker {
public:
    /// kSettings when a member of the group has no place in the settings, or the certificate names
    /// nobody.
    static Result<Asker> make(AskerSettings settings, PinnedGroup pinned, AskTimes times = {});

    /// The group's private key times the point. kTooFew when all have been asked and fewer than
    /// t answer: the message has a line for each who did not. kCheating never: others are asked
    /// instead.
    Result<quorum::SecretPoint> ask(const Question& question);

    /// The same, and the custodians do not learn which point it is.
    Result<quorum::SecretPoint> ask_blinded(const Question& question);

    /// Takes the sealed answer of a member; an error says why it does not count.
    using Take = std::function<quorum::Result<void>(std::uint32_t index, core::ByteView sealed)>;

    struct Gathering {
        std::size_t needed = 0;  ///< so many answers are taken
        Take take;
        std::uint32_t own = 0;  ///< this member is not asked; 0: all may be
    };

    /// Puts a request of the caller's own, who opens the answers. absences() as for ask();
    /// participations() are the caller's to know.
    Result<void> gather(const quorum::PartialRequest& request, const Gathering& gathering);

    /// Tells all custodians that there is this version, so that they refuse older ones. kTooFew
    /// unless so many have noted it that any t of them include one: n - t + 1. `witness` as in a
    /// question.
    Result<void> raise_version(const StoreVersion& store, const Witness& witness = {});

    /// After a question or gather() that too few have answered: true if the group has gone on to
    /// another epoch, which is the pinned one from now on, so that asking again makes sense.
    Result<bool> follow();

    /// Of the last question: who was asked and gave no good answer. Those that were merely slower
    /// are not among them.
    const std::vector<Absence>& absences() const { return absences_; }

    const PinnedGroup& pinned() const { return pinned_; }

    const std::string& requester() const { return requester_; }

    /// The answers that the last result was made of: who took part, provable to an auditor.
    const std::vector<quorum::Participation>& participations() const { return participations_; }

private:
    struct Member {
        Custodian custodian;
        bool had_trouble = false;
    };

    /// What custodians are told, and what the TPM's evidence for it is about.
    struct Statement {
        std::string body;
        core::Bytes subject;
        Witness witness;
    };

    class Round;

    Asker(AskerSettings settings, std::string requester, AskTimes times);

    Result<void> pin(PinnedGroup pinned);
    Result<quorum::SecretPoint> ask_once(const Question& question);
    Result<void> raise_once(const StoreVersion& store, const Witness& witness);
    bool was_left_behind() const;
    void post(std::size_t member, const char* what, const std::string& body);
    Result<std::string> testified(
        std::size_t member, const NonceReply& given, const Statement& statement
    ) const;

    std::vector<std::size_t> order(std::uint32_t own) const;
    Result<void> run_round(
        const quorum::PartialRequest& request, const Question& question, const Gathering& gathering
    );
    std::string what_to_do() const;
    Error too_few(std::size_t answered, std::size_t needed, const std::string& to_do) const;
    void note(std::size_t member, const Refusal& refusal);

    AskerSettings settings_;
    std::vector<Member> members_;
    PinnedGroup pinned_;
    std::string requester_;
    AskTimes times_;
    std::unique_ptr<HttpsCalls> calls_;
    std::vector<Absence> absences_;
    std::vector<quorum::Participation> participations_;
};

}  // namespace pgveil::custody
