#include "proxy/secret_lookup.hpp"

#include "proxy/log/log.hpp"

#include <new>
#include <utility>

namespace pgveil::proxy {

namespace {

/// A secret that is no SCRAM secret lets nobody in, and the log says so once per question.
session::FoundVerifier verifier_of(const core::SecretBytes& secret, const std::string& user) {
    auto verifier = session::parse_scram_verifier(core::as_text(secret.reveal()));
    if (!verifier) {
        log::warn(
            "auth_query: the secret of user \"{user}\" is not a SCRAM-SHA-256 secret; set "
            "password_encryption = 'scram-sha-256' and the password again",
            {{"user", user}}
        );
        return nullptr;
    }
    return std::make_shared<const session::ScramVerifier>(std::move(*verifier));
}

session::SecretSource::Answer answer_of(
    const mirror::SecretQuery::Answer& found, const std::string& user
) {
    if (!found.has_value()) {
        return found.error().message;
    }
    try {
        return *found ? verifier_of(**found, user) : session::FoundVerifier();
    } catch (const std::bad_alloc&) {
        return std::string("out of memory for secrets");
    }
}

}  // namespace

void SecretLookup::ask(
    std::shared_ptr<const config::Settings> settings, std::string user, Done done
) {
    query_.ask(
        std::move(settings),
        user,
        [user, done = std::move(done)](const mirror::SecretQuery::Answer& found) {
            done(answer_of(found, user));
        }
    );
}

}  // namespace pgveil::proxy
