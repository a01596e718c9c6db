#include "keyshare/core/random.hpp"
#include "keyshare/envelope/commands.hpp"
#include "keyshare/envelope/key_file.hpp"
#include "keyshare/envelope/login.hpp"
#include "keyshare/tenant/commands.hpp"
#include "keyshare/tenant/delivery.hpp"
#include "keyshare/tenant/escrow.hpp"
#include "keyshare/tenant/home.hpp"
#include "keyshare/user/private_file.hpp"

#include <optional>
#include <utility>

namespace pgveil::tenant {

namespace {

Result<Home> open_to_escrow(const Context& context) {
    const auto passphrase = user::read_secret(
        context.passphrase, "passphrase of " + context.home, user::Asking::kKnown
    );
    return passphrase ? Home::open(context.home, *passphrase) : passphrase.error();
}

/// The file is whole under its name before the home says that it is there: cut short in between,
/// the former escrow is the one that the home knows.
Result<void> write_escrow(
    const Context& context,
    const Home& home,
    const EscrowArguments& arguments,
    const core::PublicPoint& group_key
) {
    const auto bytes = seal_home(
        home.state(),
        group_key,
        {.who = arguments.who, .until_s = 0, .purpose = kRecoverPurpose},
        core::system_random()
    );
    if (!bytes) {
        return bytes.error();
    }
    const auto out = envelope::open_output(
        arguments.file,
        user::Audience::kAnybody,
        arguments.replaces ? envelope::Existing::kReplace : envelope::Existing::kKeep
    );
    if (!out) {
        return out.error();
    }
    if (auto written = (*out)->write(*bytes); !written) {
        return written;
    }
    if (auto finished = (*out)->finish(); !finished) {
        return finished;
    }
    const auto read = read_escrow(arguments.file);
    if (!read || read->bytes != *bytes) {
        return user::failed(
            arguments.file + " did not read as it was written: is the disk in order?"
        );
    }
    const EscrowNote note =
        note_on(home.state(), arguments.file, *bytes, group_key, envelope::seconds_now());
    if (auto saved = save_note(home.directory(), home.state(), note); !saved) {
        return saved;
    }
    context.console.note(
        "wrote " + arguments.file + " for the group " + envelope::fingerprint_of(group_key) +
        ": what is ordered from now on is not in it"
    );
    return {};
}

Result<void> require_name(const EscrowArguments& arguments) {
    if (arguments.file == envelope::kStandardStream) {
        return user::unusable("name a file: an escrow that is in a pipe is not there yet");
    }
    if (!arguments.replaces && user::exists(arguments.file)) {
        return user::unusable(
            arguments.file + " exists already: choose another name, or replace it with --force"
        );
    }
    return {};
}

/// Whether the file is there, is the one that the home knows, and holds the home as it is.
bool is_current(const std::string& file, const std::optional<EscrowNote>& note, const Home& home) {
    const auto there = user::exists(file) ? read_escrow(file) : user::failed("");
    return note && there && core::sha256(there->bytes) == note->file_digest &&
           note->state_digest == digest_of(home.state());
}

/// The key that is given; without one that of the last escrow.
Result<core::PublicPoint> group_key_of(
    const EscrowArguments& arguments, const std::optional<EscrowNote>& note
) {
    if (!arguments.key_file.empty()) {
        return envelope::read_key_file(arguments.key_file);
    }
    if (!note) {
        return user::unusable(
            "this home was not escrowed yet: name the group's public key with --key"
        );
    }
    return note->group_key;
}

Result<void> refresh_shares(const Context& context, const EscrowArguments& arguments) {
    if (arguments.holders.directories.empty()) {
        return {};
    }
    envelope::RenewArguments renewal;
    renewal.holders = arguments.holders.directories;
    renewal.password = arguments.holders.password;
    renewal.log_n = arguments.scrypt_log_n;
    auto renewed = envelope::renew(context.console, renewal);
    if (!renewed) {
        return user::failed(
            "the home is escrowed, but its shares were not renewed: " + renewed.error().message
        );
    }
    context.console.note("the holders have new shares; the public key is the same");
    return {};
}

Result<envelope::Opener> opener_of(const EscrowArguments& arguments) {
    return envelope::opener_for(arguments.holders, arguments.requester, kRecoverPurpose);
}

std::string report_on(const envelope::Rehearsal& rehearsal, const envelope::NamedHolders& holders) {
    std::string text;
    for (const envelope::Rehearsed& holder : rehearsal.holders) {
        text += "holder: " + holder.holder + ", share " + std::to_string(holder.index) +
                (holder.problem.empty() ? ": answered, and the proof holds"
                                        : ": no answer that counts: " + holder.problem) +
                "\n";
    }
    for (const std::string& directory : holders.unusable()) {
        text += "holder: " + directory + ": cannot be asked\n";
    }
    return text + "parts: " + std::to_string(rehearsal.answered) + ", needed " +
           std::to_string(rehearsal.threshold) + "\n";
}

/// What the home says about the file; nothing: it is the home as it is.
Result<void> compare_with_home(
    const Home& home, const EscrowFile& escrow, const std::string& file
) {
    const auto note = read_note(home.directory(), home.state());
    if (!note) {
        return note.error();
    }
    const bool is_known = note->has_value() && (*note)->file_digest == core::sha256(escrow.bytes);
    if (!is_known) {
        return user::failed(
            file + " is not the file of this home's last escrow" +
            (note->has_value() ? ", which is " + (*note)->file : "") +
            ": it may be older, altered, or of another home"
        );
    }
    if ((*note)->state_digest != digest_of(home.state())) {
        return user::failed(
            file + " is stale: the home has changed since " + time_text((*note)->made_at_s) +
            "; run `pgveil-tenant escrow refresh FILE`"
        );
    }
    return {};
}

Result<void> print_comparison(
    const Context& context,
    const std::optional<Home>& home,
    const EscrowFile& escrow,
    const EscrowArguments& arguments
) {
    if (!home) {
        context.console.print("home: there is none in " + context.home + " to compare with\n");
        return {};
    }
    auto compared = compare_with_home(*home, escrow, arguments.file);
    if (compared) {
        context.console.print("home: as it is now\n");
    }
    return compared;
}

}  // namespace

Result<void> escrow_create(const Context& context, const EscrowArguments& arguments) {
    if (auto named = require_name(arguments); !named) {
        return named;
    }
    const auto key = envelope::read_key_file(arguments.key_file);
    if (!key) {
        return key.error();
    }
    const auto home = open_to_escrow(context);
    return home ? write_escrow(context, *home, arguments, *key) : home.error();
}

Result<void> escrow_refresh(const Context& context, const EscrowArguments& arguments) {
    const auto home = open_to_escrow(context);
    if (!home) {
        return home.error();
    }
    const auto note = read_note(home->directory(), home->state());
    if (!note) {
        return note.error();
    }
    // Asked again after it was cut short, it goes on with the shares.
    if (is_current(arguments.file, *note, *home)) {
        context.console.note(arguments.file + " holds the home as it is");
        return refresh_shares(context, arguments);
    }
    if (auto named = require_name(arguments); !named) {
        return named;
    }
    const auto key = group_key_of(arguments, *note);
    if (!key) {
        return key.error();
    }
    if (auto written = write_escrow(context, *home, arguments, *key); !written) {
        return written;
    }
    if (note->has_value()) {
        context.console.note(
            "stale from now on: " + (*note)->file + ", SHA-256 " +
            core::to_hex((*note)->file_digest) +
            "; destroy it and its copies once the new one is where it belongs"
        );
    }
    return refresh_shares(context, arguments);
}

Result<void> escrow_verify(const Context& context, const EscrowArguments& arguments) {
    const auto escrow = read_escrow(arguments.file);
    if (!escrow) {
        return escrow.error();
    }
    std::optional<Home> home;
    if (Home::is_present(context.home)) {
        auto opened = open_to_escrow(context);
        if (!opened) {
            return opened.error();
        }
        home = *std::move(opened);
    }
    const auto opener = opener_of(arguments);
    if (!opener) {
        return opener.error();
    }
    envelope::NamedHolders holders(context.console);
    if (auto added = holders.add(arguments.holders, escrow->header, *opener); !added) {
        return added;
    }
    context.console.print(
        "file: whole, " + std::to_string(escrow->content_size) + " bytes for the group " +
        share::fingerprint_text(escrow->header.group) + "\n"
    );
    const auto rehearsal = envelope::rehearse(escrow->header, holders.all(), *opener);
    if (!rehearsal) {
        return rehearsal.error();
    }
    context.console.print(report_on(*rehearsal, holders));
    const auto compared = print_comparison(context, home, *escrow, arguments);
    if (!rehearsal->would_open()) {
        return user::failed(
            "the home cannot be recovered with these holders: " +
            std::to_string(rehearsal->answered) + " of " + std::to_string(rehearsal->threshold) +
            " answered; name others, or see why they do not" +
            (compared ? "" : "; and " + compared.error().message)
        );
    }
    return compared;
}

Result<void> escrow_recover(const Context& context, const EscrowArguments& arguments) {
    if (Home::is_present(context.home)) {
        return user::unusable(
            "there is a tenant's home in " + context.home +
            ": move it away, or name another place with --home"
        );
    }
    const auto escrow = read_escrow(arguments.file);
    if (!escrow) {
        return escrow.error();
    }
    const auto passphrase = user::read_secret(
        context.passphrase, "new passphrase for " + context.home, user::Asking::kNew
    );
    if (!passphrase) {
        return passphrase.error();
    }
    const auto opener = opener_of(arguments);
    if (!opener) {
        return opener.error();
    }
    envelope::NamedHolders holders(context.console);
    if (auto added = holders.add(arguments.holders, escrow->header, *opener); !added) {
        return added;
    }
    const auto key = envelope::ask_holders(
        escrow->header,
        holders.all(),
        *opener,
        [&context](const std::string& text) { context.console.note(text); }
    );
    if (!key) {
        return key.error();
    }
    auto state = open_escrow(*escrow, *key);
    if (!state) {
        return user::failed(arguments.file + ": " + state.error().message);
    }
    state->restored_at_s = opener->now_s;
    auto home = Home::prepare(context.home, *std::move(state), *passphrase, arguments.scrypt_log_n);
    if (!home) {
        return home.error();
    }
    if (auto saved = home->save(); !saved) {
        return saved;
    }
    context.console.note(
        "recovered the home of tenant " + home->state().tenant + " in " + context.home +
        ", whose keys have the fingerprint " +
        share::fingerprint_text(share::fingerprint_of(home->state().identity)) +
        ": anybody could have sealed a home for these holders, so compare it. Run "
        "`pgveil-tenant reconcile --apply URL`, then escrow it anew"
    );
    return {};
}

}  // namespace pgveil::tenant
