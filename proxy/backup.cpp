#include "proxy/backup.hpp"

#include "keyshare/store/backup.hpp"
#include "proxy/custody_options.hpp"
#include "proxy/mirror/version_note.hpp"
#include "proxy/seal_choice.hpp"
#include "proxy/start.hpp"
#include "proxy/version_watch.hpp"

#include <iostream>

namespace pgveil::proxy {

namespace {

constexpr const char* kOfPostgresql =
    "the share store lies in PostgreSQL: back it up and restore it with pg_dump and pg_restore "
    "(schema pgveil_store), and keep the seal's key file of the same hour apart from it";

store::BackupFiles files_of(const BackupRequest& request) {
    return {request.store, request.key};
}

/// Why this store is not taken; empty if it is. Forgets the note if an older one is accepted.
std::string objection(
    const config::Settings& settings, const store::StoreFacts& facts, bool accept_older
) {
    if (facts.tenant != settings.tenant) {
        return "this store is of tenant \"" + facts.tenant + "\", but the settings say \"" +
               settings.tenant + "\"";
    }
    const auto noted = mirror::read_note(settings, facts.identity);
    if (!noted.has_value()) {
        return noted.error().message;
    }
    const mirror::VersionNote found{facts.version, facts.last_sequence};
    if (!*noted || found.store_version >= (*noted)->store_version) {
        return {};
    }
    if (!accept_older) {
        return "this store is at version " + std::to_string(found.store_version) +
               ", but the home database remembers version " +
               std::to_string((*noted)->store_version) + ", and " +
               missing_commands(found, **noted) +
               ". Use a newer backup, or accept that with --accept-older";
    }
    const auto forgotten = mirror::forget_note(settings, facts.identity);
    return forgotten.has_value() ? std::string() : forgotten.error().message;
}

void say(const char* what, const store::StoreFacts& facts) {
    std::cout << what << ": tenant " << facts.tenant << ", version " << facts.version
              << ", commands up to " << facts.last_sequence << '\n';
}

int accept_what_is_there(const config::Settings& settings) {
    const auto seal = make_seal(settings);
    if (!seal.has_value()) {
        return refuse_to_start(seal.error().message);
    }
    const store::StorePlace place = store_place(settings);
    if (place.postgresql) {
        const auto forgotten = store::forget_mark(*place.postgresql);
        if (!forgotten.has_value()) {
            return refuse_to_start(forgotten.error().message);
        }
    }
    const auto facts = store::examine_store(place, **seal);
    if (!facts.has_value()) {
        return refuse_to_start(facts.error().message);
    }
    const std::string why_not = objection(settings, *facts, true);
    if (!why_not.empty()) {
        return refuse_to_start(why_not);
    }
    say("accepted", *facts);
    return 0;
}

}  // namespace

int back_up(const std::string& settings_file, const BackupRequest& request) {
    const auto settings = start(settings_file);
    if (!settings) {
        return kExitConfiguration;
    }
    if (settings->store_database) {
        return refuse_to_start(kOfPostgresql);
    }
    const auto seal = make_seal(*settings);
    if (!seal.has_value()) {
        return refuse_to_start(seal.error().message);
    }
    const auto facts = store::back_up(settings->store_path, **seal, files_of(request));
    if (!facts.has_value()) {
        return refuse_to_start(facts.error().message);
    }
    say("backed up", *facts);
    return 0;
}

int restore(const std::string& settings_file, const RestoreRequest& request) {
    const auto settings = start(settings_file);
    if (!settings) {
        return kExitConfiguration;
    }
    if (request.from.store.empty()) {
        return accept_what_is_there(*settings);
    }
    if (settings->store_database) {
        return refuse_to_start(kOfPostgresql);
    }
    auto restoration = store::Restoration::begin(settings->store_path, files_of(request.from));
    if (!restoration.has_value()) {
        return refuse_to_start(restoration.error().message);
    }
    const std::string why_not = objection(*settings, restoration->facts(), request.accept_older);
    if (!why_not.empty()) {
        return refuse_to_start(why_not);
    }
    const auto seal = make_seal(*settings);
    if (!seal.has_value()) {
        return refuse_to_start(seal.error().message);
    }
    const auto finished = restoration->finish(**seal);
    if (!finished.has_value()) {
        return refuse_to_start(finished.error().message);
    }
    say("restored", restoration->facts());
    return 0;
}

}  // namespace pgveil::proxy
