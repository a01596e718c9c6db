#pragma once

#include "keyshare/envelope/header.hpp"
#include "keyshare/envelope/holder.hpp"
#include "keyshare/envelope/membership.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace pgveil::envelope {

/// Who asks, for what, and when.
struct Opener {
    std::string requester;
    std::string purpose;
    std::int64_t now_s = 0;
};

/// The share that password and recovery code opened: it answers here, on the asker's machine.
class PasswordHolder final : public Holder {
public:
    PasswordHolder(quorum::Group group, Membership membership)
        : group_(std::move(group)), membership_(std::move(membership)) {}

    const std::string& name() const override { return name_; }

    const quorum::Group& group() const override { return group_; }

    std::uint32_t index() const override { return membership_.share.index; }

    Result<core::Bytes> answer(const Question& question, std::int64_t now_s) override;

private:
    std::string name_ = "password";
    quorum::Group group_;
    Membership membership_;
};

/// Asks the holders for their parts of the file's key, those elsewhere all at once, until enough
/// have answered, and combines them: a dead one that is not needed is not waited for. Each part is
/// checked by its proof. A holder that does not help, or answers wrongly, is passed over and told
/// to `note` in a sentence; the error then says who is missing.
Result<BodyKey> ask_holders(
    const Header& header,
    std::span<Holder* const> holders,
    const Opener& opener,
    const std::function<void(const std::string&)>& note
);

/// What a holder is asked for in a rehearsal.
inline constexpr const char* kRehearsalPurpose = "verify";

/// What one holder did in a rehearsal.
struct Rehearsed {
    std::string holder;
    std::uint32_t index = 0;
    std::string problem;  ///< empty: it answered, and its proof holds
};

struct Rehearsal {
    std::vector<Rehearsed> holders;
    std::uint32_t answered = 0;
    std::uint32_t threshold = 0;

    bool would_open() const { return answered >= threshold; }
};

/// Whether these holders would open the file for this opener, without opening it: each is asked for
/// its part of a fresh point that no file has, for the purpose "verify", and the proof of the
/// answer is checked for the file's group and the holders' epoch. With enough parts they are
/// combined, and must be the private key of the group times that point. The file's own policy is
/// checked here. Fails if it forbids the opening, or if none of the holders is in the file's group.
/// A holder whose own rules allow "verify" and not the purpose of the file is not found out.
Result<Rehearsal> rehearse(
    const Header& header, std::span<Holder* const> holders, const Opener& opener
);

}  // namespace pgveil::envelope
