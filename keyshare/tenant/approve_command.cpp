#include "keyshare/attest/approval.hpp"
#include "keyshare/attest/measurement.hpp"
#include "keyshare/core/hash.hpp"
#include "keyshare/share/tenant.hpp"
#include "keyshare/tenant/bootstrap_run.hpp"
#include "keyshare/tenant/commands.hpp"
#include "keyshare/tenant/home.hpp"
#include "keyshare/user/passphrase.hpp"
#include "keyshare/user/private_file.hpp"

#include <utility>

// What the tenant says about the machine and the program that may have the store key.
namespace pgveil::tenant {

namespace {

constexpr std::size_t kStatementMax = 65536;
constexpr std::size_t kMeasuredMax = std::size_t{1} << 30U;

/// A home whose bootstrap may still be to come.
Result<Home> open_any(const Context& context) {
    const auto passphrase = user::read_secret(
        context.passphrase, "passphrase of " + context.home, user::Asking::kKnown
    );
    return passphrase ? Home::open(context.home, *passphrase) : passphrase.error();
}

std::string approver_text(const HomeState& state) {
    return attest::approver_of(state.identity.signing).verifying_key().point().text();
}

/// Whether the file that the tenant has is the one that was measured; without a file, nothing.
Result<void> compare(
    const std::string& what, const std::string& file, const attest::Sha256Digest& measured
) {
    if (file.empty()) {
        return {};
    }
    const auto content = user::read_public_file(file, kMeasuredMax);
    if (!content) {
        return content.error();
    }
    if (core::sha256(core::as_bytes(*content)) != measured) {
        return user::failed(
            "the proxy's " + what + " is not " + file + ": it measured " + core::to_hex(measured) +
            ". Nothing was approved"
        );
    }
    return {};
}

Result<attest::Statement> read_statement(
    const ApprovalArguments& arguments, const HomeState& state
) {
    const auto text = user::read_public_file(arguments.file, kStatementMax);
    if (!text) {
        return text.error();
    }
    auto statement = attest::parse_statement(*text);
    if (!statement.has_value()) {
        return user::unusable(arguments.file + ": " + statement.error().message);
    }
    if (statement->tenant != state.tenant) {
        return user::unusable(
            arguments.file + " is of tenant " + statement->tenant + ", this home of " + state.tenant
        );
    }
    const attest::Measurement& measured = statement->measurement;
    const std::pair<const char*, std::pair<const std::string*, const attest::Sha256Digest*>>
        files[] = {
            {"binary", {&arguments.binary, &measured.binary}},
            {"settings", {&arguments.settings, &measured.settings}},
            {"policy", {&arguments.policy, &measured.policy}}};
    for (const auto& [what, pair] : files) {
        if (auto same = compare(what, *pair.first, *pair.second); !same) {
            return same.error();
        }
    }
    return *std::move(statement);
}

}  // namespace

Result<void> init_home(const Context& context, const BootstrapArguments& arguments) {
    if (Home::is_present(context.home)) {
        return user::unusable("there is a home in " + context.home + " already");
    }
    const auto passphrase = user::read_secret(
        context.passphrase, "new passphrase for " + context.home, user::Asking::kNew
    );
    auto state = begin_bootstrap({arguments.tenant, arguments.groups, ""});
    if (!passphrase || !state) {
        return passphrase ? state.error() : passphrase.error();
    }
    auto home = Home::prepare(context.home, std::move(*state), *passphrase, arguments.scrypt_log_n);
    if (!home) {
        return home.error();
    }
    if (auto saved = home->save(); !saved) {
        return saved;
    }
    context.console.print(
        "tenant: " + home->state().tenant +
        "\ntenant keys: " + share::fingerprint_text(share::fingerprint_of(home->state().identity)) +
        "\napprover: " + approver_text(home->state()) + "\n"
    );
    return {};
}

Result<void> show_approver(const Context& context) {
    const auto home = open_any(context);
    if (!home) {
        return home.error();
    }
    context.console.print(approver_text(home->state()) + "\n");
    return {};
}

Result<void> approve(const Context& context, const ApprovalArguments& arguments) {
    const auto home = open_any(context);
    if (!home) {
        return home.error();
    }
    const auto statement = read_statement(arguments, home->state());
    if (!statement) {
        return statement.error();
    }
    const attest::Measurement& measured = statement->measurement;
    context.console.note("approving binary " + core::to_hex(measured.binary));
    context.console.note("approving settings " + core::to_hex(measured.settings));
    context.console.note("approving policy " + core::to_hex(measured.policy));
    const auto approval = attest::approve(
        attest::approver_of(home->state().identity.signing),
        attest::pcr_policy(statement->values()),
        attest::seal_purpose(statement->tenant)
    );
    context.console.print(attest::to_text(approval) + "\n");
    return {};
}

}  // namespace pgveil::tenant
