#include "keyshare/user/commands.hpp"

#include "keyshare/share/app_share.hpp"
#include "keyshare/user/client_options.hpp"
#include "keyshare/user/private_file.hpp"
#include "keyshare/user/user_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <system_error>
#include <unistd.h>

namespace pgveil::user {

namespace {

constexpr std::string_view kVariable = "PGOPTIONS=";

Result<share::UserKey> open_key(const TokenArguments& arguments) {
    const auto text = read_private_file(arguments.key_file, kUserFileSizeMax);
    if (!text) {
        return text.error();
    }
    const auto file = UserFile::parse(text->reveal(), arguments.key_file);
    if (!file) {
        return file.error();
    }
    if (!file->needs_passphrase()) {
        return file->open(nullptr);
    }
    const auto passphrase =
        read_secret(arguments.passphrase, "passphrase of " + arguments.key_file, Asking::kKnown);
    if (!passphrase) {
        return passphrase.error();
    }
    return file->open(&*passphrase);
}

struct FreshToken {
    std::string tenant;
    std::string user_id;
    core::SecretBytes text;
};

Result<FreshToken> make_token(const TokenArguments& arguments) {
    const auto key = open_key(arguments);
    if (!key) {
        return key.error();
    }
    const auto statement = fetch_statement(arguments.statement);
    if (!statement) {
        return statement.error();
    }
    auto token = fresh_token(*key, *statement, {seconds_now(), arguments.validity_s});
    if (!token) {
        return token.error();
    }
    return FreshToken{key->tenant, key->user_id, std::move(*token)};
}

/// The text of an app share file, checked to be of this user.
Result<core::SecretBytes> read_app_share(const std::string& path, const FreshToken& owner) {
    auto text = read_private_file(path, share::kShareTextSizeMax + 1);
    if (!text) {
        return text;
    }
    if (!text->empty() && text->reveal().back() == '\n') {
        text->resize_down(text->size() - 1);
    }
    const auto share = share::parse_app_share(text->reveal());
    if (!share) {
        return unusable(path + " holds no app share: " + share.error().message);
    }
    if (share->tenant != owner.tenant || share->user_id != owner.user_id) {
        return unusable(
            path + " is the app share of " + share->user_id + " (tenant " + share->tenant +
            "), but the key file is of " + owner.user_id + " (tenant " + owner.tenant + ")"
        );
    }
    return text;
}

Result<core::SecretBytes> fresh_options(
    const TokenArguments& arguments, const std::string& app_share_file
) {
    const auto token = make_token(arguments);
    if (!token) {
        return token.error();
    }
    const auto app_share = read_app_share(app_share_file, *token);
    if (!app_share) {
        return app_share.error();
    }
    const char* existing = std::getenv("PGOPTIONS");  // NOLINT(concurrency-mt-unsafe): one thread
    return extended_options(
        existing == nullptr ? "" : existing,
        {token->user_id, token->text.reveal(), app_share->reveal()}
    );
}

/// The environment of this process with PGOPTIONS replaced. The pointers live as long as
/// `variable`.
std::vector<char*> environment_with(core::SecretBytes& variable) {
    std::vector<char*> environment;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        if (!std::string_view(*entry).starts_with(kVariable)) {
            environment.push_back(*entry);
        }
    }
    // NOLINTNEXTLINE(*-reinterpret-cast): execvpe takes char
    environment.push_back(reinterpret_cast<char*>(variable.reveal_mutable().data()));
    environment.push_back(nullptr);
    return environment;
}

}  // namespace

Result<void> print_token(const Console& console, const TokenArguments& arguments) {
    auto token = make_token(arguments);
    if (!token) {
        return token.error();
    }
    token->text.append(core::as_bytes("\n"));
    if (!console.print_secret(token->text.reveal())) {
        return failed("the token cannot be written to standard output");
    }
    return {};
}

Result<void> print_options(
    const Console& console, const TokenArguments& arguments, const std::string& app_share_file
) {
    auto options = fresh_options(arguments, app_share_file);
    if (!options) {
        return options.error();
    }
    options->append(core::as_bytes("\n"));
    if (!console.print_secret(options->reveal())) {
        return failed("the options cannot be written to standard output");
    }
    return {};
}

Result<void> exec_command(
    const TokenArguments& arguments,
    const std::string& app_share_file,
    const std::vector<std::string>& command
) {
    const auto options = fresh_options(arguments, app_share_file);
    if (!options) {
        return options.error();
    }
    core::SecretBytes variable = core::SecretBytes::copy_of(core::as_bytes(kVariable));
    variable.append(options->reveal());
    variable.append(core::as_bytes(std::string_view("\0", 1)));
    const std::vector<char*> environment = environment_with(variable);
    std::vector<std::string> words = command;
    std::vector<char*> argv;
    std::ranges::transform(words, std::back_inserter(argv), [](std::string& word) {
        return word.data();
    });
    argv.push_back(nullptr);
    ::execvpe(argv.front(), argv.data(), environment.data());
    return unusable(command.front() + " cannot be run: " + std::generic_category().message(errno));
}

}  // namespace pgveil::user
