#pragma once

#include "keyshare/envelope/header.hpp"
#include "keyshare/envelope/holder.hpp"
#include "keyshare/envelope/membership.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <string>

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

/// Asks the holders for their parts of the file's key until enough have answered, and combines
/// them. Each part is checked by its proof. A holder that does not help, or answers wrongly, is
/// passed over and told to `note` in a sentence; the error then says who is missing.
Result<BodyKey> ask_holders(
    const Header& header,
    std::span<Holder* const> holders,
    const Opener& opener,
    const std::function<void(const std::string&)>& note
);

}  // namespace pgveil::envelope
