#include "keyshare/user/commands.hpp"

#include "keyshare/user/client_options.hpp"
#include "keyshare/user/key_files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <system_error>
#include <unistd.h>

namespace pgveil::user {

namespace {

constexpr std::string_view kVariable = "PGOPTIONS=";

struct FreshToken {
    std::string tenant;
    std::string user_id;
    core::SecretBytes text;
};

Result<FreshToken> make_token(const TokenArguments& arguments) {
    const auto key = open_user_key(arguments.key_file, arguments.passphrase);
    if (!key) {
        return key.error();
    }
    const auto statement = fetch_statement(arguments.statement);
    if (!statement) {
        return statement.error();
    }
    auto token =
        fresh_token(*key, *statement, {seconds_now(), arguments.validity_s}, arguments.scope);
    if (!token) {
        return token.error();
    }
    return FreshToken{key->tenant, key->user_id, std::move(*token)};
}

Result<core::SecretBytes> fresh_options(
    const TokenArguments& arguments, const std::string& app_share_file
) {
    const auto token = make_token(arguments);
    if (!token) {
        return token.error();
    }
    const auto app_share = read_app_share(app_share_file, token->tenant, token->user_id);
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
