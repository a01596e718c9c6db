#include "keyshare/attest/approval.hpp"
#include "keyshare/core/random.hpp"
#include "keyshare/share/tenant.hpp"
#include "keyshare/tenant/attestation.hpp"
#include "keyshare/tenant/commands.hpp"
#include "keyshare/tenant/home.hpp"
#include "keyshare/user/fresh_token.hpp"
#include "keyshare/user/passphrase.hpp"
#include "keyshare/user/private_file.hpp"

#include <utility>

namespace pgveil::tenant {

namespace {

constexpr std::size_t kTextMax = 65536;
constexpr std::size_t kRootsMax = std::size_t{4} * 1024 * 1024;

Result<attest::TpmKeys> read_keys(const std::string& file) {
    const auto text = user::read_public_file(file, kTextMax);
    if (!text) {
        return text.error();
    }
    const auto keys = attest::parse_keys(*text);
    if (!keys.has_value()) {
        return user::unusable(file + ": " + keys.error().message);
    }
    return *keys;
}

/// The keys in the file must be the pinned ones, or the person must say that this TPM is right.
Result<void> check_pinned(
    const attest::TpmKeys& keys, const std::optional<Attestation>& pinned, const std::string& said
) {
    const std::string found = share::fingerprint_text(keys.endorsement.fingerprint());
    if (!said.empty()) {
        const auto expected = share::parse_fingerprint(said);
        if (!expected.has_value()) {
            return user::unusable("--endorsement: " + expected.error().message);
        }
        if (*expected == keys.endorsement.fingerprint()) {
            return {};
        }
        return user::failed("this is another TPM: its endorsement key is " + found);
    }
    // Until it has answered, what the file says of it is but a claim.
    if (pinned && pinned->clock && pinned->keys.is_same_tpm(keys)) {
        return {};
    }
    if (pinned && pinned->keys.is_same_tpm(keys)) {
        return user::unusable(
            "this TPM was asked before, and has not answered: name its endorsement key again "
            "(--endorsement '" +
            found + "'), or its makers (--ek-roots)"
        );
    }
    return user::unusable(
        pinned ? "this is not the TPM that this home has pinned. If the machine was changed on "
                 "purpose, name its endorsement key: --endorsement '" +
                     found + "'"
               : "no TPM is pinned: learn its endorsement key from who made or hosts the machine, "
                 "and name it by --endorsement; the file says '" +
                     found + "'"
    );
}

/// For the pinned or named TPM; or, with roots, for the one that its maker has certified.
Result<attest::Question> question_for(
    const attest::TpmKeys& keys,
    const attest::Sha256Digest& identity,
    const std::optional<Attestation>& pinned,
    const AttestArguments& arguments
) {
    if (arguments.ek_roots.empty()) {
        if (auto same = check_pinned(keys, pinned, arguments.endorsement); !same) {
            return same.error();
        }
        return attest::ask(keys, identity, core::system_random());
    }
    const auto roots = user::read_public_file(arguments.ek_roots, kRootsMax);
    if (!roots) {
        return roots.error();
    }
    if (keys.certificate.empty()) {
        return user::failed(
            "the TPM has no certificate of its endorsement key (NV index 0x01c00002): name the key "
            "itself by --endorsement"
        );
    }
    const auto certified = attest::certified_endorsement(keys.certificate, *roots);
    if (!certified.has_value()) {
        return user::failed(certified.error().message);
    }
    return attest::ask(*certified, keys.attestation, identity, core::system_random());
}

/// Of the proxy that the person names (one to be bootstrapped or adopted), or of the present one.
Result<attest::Sha256Digest> identity_to_ask(const HomeState& state, const std::string& said) {
    if (state.enrolment && said.empty()) {
        return state.enrolment->proxy_identity.fingerprint();
    }
    const auto identity = share::parse_fingerprint(said);
    if (!identity.has_value()) {
        return user::unusable(
            "--identity: name the proxy's identity as `pgveil order` printed it: " +
            identity.error().message
        );
    }
    return *identity;
}

std::optional<Attestation> pinned_in(const HomeState& state) {
    return state.attestation.empty() ? std::nullopt : parse_attestation(state.attestation.reveal());
}

Result<Home> open_home(const Context& context) {
    const auto passphrase = user::read_secret(
        context.passphrase, "passphrase of " + context.home, user::Asking::kKnown
    );
    return passphrase ? Home::open(context.home, *passphrase) : passphrase.error();
}

}  // namespace

Result<void> ask_for_evidence(const Context& context, const AttestArguments& arguments) {
    auto home = open_home(context);
    if (!home) {
        return home.error();
    }
    const auto keys = read_keys(arguments.file);
    if (!keys) {
        return keys.error();
    }
    auto pinned = pinned_in(home->state());
    const auto identity = identity_to_ask(home->state(), arguments.identity);
    if (!identity) {
        return identity.error();
    }
    auto asked = question_for(*keys, *identity, pinned, arguments);
    if (!asked) {
        return asked.error();
    }
    attest::Question& question = *asked;
    if (!pinned || !pinned->keys.is_same_tpm(*keys)) {
        pinned.emplace(Attestation{*keys, {}, {}, {}, {}, 0});
    }
    pinned->identity = *identity;
    pinned->nonce = question.challenge.nonce;
    pinned->secret = std::move(question.secret);
    pinned->believed_at_s = 0;
    home->state().attestation = serialize(*pinned);
    if (auto saved = home->save(); !saved) {
        return saved;
    }
    context.console.print(attest::to_text(question.challenge));
    return {};
}

namespace {

Result<attest::QuoteFacts> judge_file(
    const HomeState& state, const Attestation& pinned, const std::string& file
) {
    const auto text = user::read_public_file(file, kTextMax);
    if (!text) {
        return text.error();
    }
    const auto evidence = attest::parse_evidence(*text);
    if (!evidence.has_value()) {
        return user::unusable(file + ": " + evidence.error().message);
    }
    const auto facts = attest::judge(
        *evidence,
        {pinned.keys.attestation,
         attest::approver_of(state.identity.signing).verifying_key().point(),
         state.tenant,
         attest::quote_binding(pinned.nonce, pinned.identity, pinned.secret),
         pinned.clock}
    );
    if (!facts.has_value()) {
        return user::failed(facts.error().message);
    }
    return *facts;
}

}  // namespace

Result<void> verify_evidence(const Context& context, const AttestArguments& arguments) {
    auto home = open_home(context);
    if (!home) {
        return home.error();
    }
    auto pinned = pinned_in(home->state());
    if (!pinned || pinned->secret.empty()) {
        return user::unusable("no question waits for an answer: run `pgveil-tenant attest ask`");
    }
    const auto facts = judge_file(home->state(), *pinned, arguments.file);
    if (!facts) {
        return facts.error();
    }
    pinned->secret.wipe();
    pinned->clock = facts->clock;
    pinned->believed_at_s = user::seconds_now();
    home->state().attestation = serialize(*pinned);
    if (auto saved = home->save(); !saved) {
        return saved;
    }
    context.console.print(
        "attested: proxy identity " + share::fingerprint_text(pinned->identity) +
        "\nresets of the TPM: " + std::to_string(facts->clock.reset_count) + "\n"
    );
    return {};
}

}  // namespace pgveil::tenant
