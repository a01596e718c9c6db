#include "keyshare/envelope/named_holders.hpp"

#include "keyshare/envelope/login.hpp"
#include "keyshare/envelope/protected_share.hpp"

#include <utility>

namespace pgveil::envelope {

Result<Secrets> read_secrets(
    const user::SecretSource& of_password, const user::SecretSource& of_code
) {
    auto password = user::read_secret(of_password, "password", user::Asking::kKnown);
    if (!password) {
        return password.error();
    }
    const auto typed = user::read_secret(of_code, "recovery code", user::Asking::kKnown);
    if (!typed) {
        return typed.error();
    }
    auto code = normal_code(typed->reveal());
    if (!code) {
        return code.error();
    }
    return Secrets{*std::move(password), *std::move(code)};
}

Result<Opener> opener_for(
    const HolderArguments& arguments, const std::string& named, const std::string& purpose
) {
    Opener opener{named, purpose, seconds_now()};
    if (arguments.custodians.are_named()) {
        auto name = requester_of(arguments.custodians);
        if (!name) {
            return name.error();
        }
        opener.requester = *std::move(name);
    } else if (named.empty()) {
        opener.requester = login_name();
    }
    return opener;
}

Result<void> NamedHolders::add(
    const HolderArguments& arguments, const Header& header, const Opener& opener
) {
    add_directories(arguments.directories);
    if (arguments.custodians.are_named()) {
        if (auto added = add_custodians(arguments.custodians); !added) {
            return added;
        }
    }
    return arguments.needs_password() ? add_password(arguments, header, opener) : Result<void>();
}

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

Result<void> NamedHolders::add_custodians(const CustodianFiles& files) {
    auto opened = open_custodians(files);
    if (!opened) {
        return opened.error();
    }
    custodians_ = std::move(opened->members);
    for (const std::string& name : opened->unknown) {
        console_.note(name + " does not help: " + files.askers + " does not say where it is");
        unusable_.push_back(name);
    }
    return {};
}

Result<void> NamedHolders::add_password(
    const HolderArguments& arguments, const Header& header, const Opener& opener
) {
    if (files_.empty()) {
        return user::unusable(
            "the password opens files only together with a holder: name one with --holder, or "
            "custodians with --custodians and --group"
        );
    }
    const auto closed = handed_out(header, opener);
    if (!closed) {
        return closed.error();
    }
    const auto secrets = read_secrets(arguments.password, arguments.code);
    if (!secrets) {
        return secrets.error();
    }
    auto membership = open_share(*closed, files_.front()->group(), *secrets);
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
    for (const auto& custodian : custodians_) {
        holders.push_back(custodian.get());
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
