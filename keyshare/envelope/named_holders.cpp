#include "keyshare/envelope/named_holders.hpp"

#include "keyshare/envelope/protected_share.hpp"

#include <utility>

namespace pgveil::envelope {

void NamedHolders::add_directories(const std::vector<std::string>& directories) {
    for (const std::string& directory : directories) {
        auto holder = FileHolder::open(directory);
        if (!holder) {
            console_.note("one holder does not help: " + holder.error().message);
            unusable_.push_back(directory);
            continue;
        }
        files_.push_back(*std::move(holder));
    }
    for (const auto& behind : files_) {
        for (const auto& ahead : files_) {
            catch_up(*behind, ahead->group());
        }
    }
}

Result<void> NamedHolders::add_password(
    const HolderArguments& arguments, const Header& header, const Opener& opener
) {
    if (files_.empty()) {
        return user::unusable(
            "the password opens files only together with a holder: name one with --holder"
        );
    }
    const auto closed = handed_out(header, opener);
    if (!closed) {
        return closed.error();
    }
    auto password = user::read_secret(arguments.password, "password", user::Asking::kKnown);
    if (!password) {
        return password.error();
    }
    const auto typed = user::read_secret(arguments.code, "recovery code", user::Asking::kKnown);
    if (!typed) {
        return typed.error();
    }
    auto code = normal_code(typed->reveal());
    if (!code) {
        return code.error();
    }
    const Secrets secrets{*std::move(password), *std::move(code)};
    auto membership = open_share(*closed, files_.front()->group(), secrets);
    if (!membership) {
        return membership.error();
    }
    password_ = std::make_unique<PasswordHolder>(files_.front()->group(), *std::move(membership));
    return {};
}

std::vector<Holder*> NamedHolders::all() const {
    std::vector<Holder*> holders;
    for (const auto& holder : files_) {
        holders.push_back(holder.get());
    }
    if (password_) {
        holders.push_back(password_.get());
    }
    return holders;
}

void NamedHolders::catch_up(FileHolder& behind, const quorum::Group& group) {
    if (group.epoch <= behind.group().epoch) {
        return;
    }
    if (auto done = behind.catch_up_with(group); !done) {
        console_.note(done.error().message);
    }
}

Result<core::Bytes> NamedHolders::handed_out(const Header& header, const Opener& opener) {
    return files_.front()->hand_out_protected(
        {.at_s = opener.now_s,
         .request = "-",
         .requester = opener.requester,
         .purpose = opener.purpose,
         .file = core::to_hex(core::sha256(header.bytes)),
         .result = "protected share handed out"}
    );
}

}  // namespace pgveil::envelope
