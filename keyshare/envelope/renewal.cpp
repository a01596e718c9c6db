#include "keyshare/envelope/renewal.hpp"

#include "keyshare/core/random.hpp"
#include "keyshare/envelope/login.hpp"
#include "keyshare/envelope/protected_share.hpp"
#include "keyshare/share/names.hpp"
#include "keyshare/user/private_file.hpp"

#include <algorithm>
#include <utility>

namespace pgveil::envelope {

namespace {

Access renewal_of(const quorum::Group& group) {
    return {
        .at_s = seconds_now(),
        .request = "-",
        .requester = login_name(),
        .purpose = "renew",
        .file = "-",
        .result = "shares renewed, epoch " + std::to_string(group.epoch)};
}

Custody custody_of(
    const std::string& name, std::uint32_t index, Founding& founding, const core::Bytes& closed
) {
    return {name, founding.group, std::move(founding.members[index - 1]), closed};
}

Result<void> prepare_all(
    const FileHolders& holders,
    Founding founding,
    const core::Bytes& closed,
    const Newcomer* newcomer
) {
    for (const auto& holder : holders) {
        if (auto logged = holder->log().add(renewal_of(founding.group)); !logged) {
            return logged;
        }
        const Custody next = custody_of(holder->name(), holder->index(), founding, closed);
        if (auto prepared = holder->prepare(next); !prepared) {
            return prepared;
        }
    }
    if (newcomer == nullptr) {
        return {};
    }
    return FileHolder::create(
        newcomer->place.directory,
        custody_of(newcomer->place.name, newcomer->index, founding, closed)
    );
}

}  // namespace

Result<std::vector<Named>> parse_names(const std::vector<std::string>& texts) {
    std::vector<Named> places;
    for (const std::string& text : texts) {
        const std::size_t equals = text.find('=');
        Named place{text.substr(0, equals), ""};
        place.directory = equals == std::string::npos ? "" : text.substr(equals + 1);
        const bool is_taken = std::ranges::any_of(places, [&](const Named& other) {
            return other.name == place.name || other.directory == place.directory;
        });
        if (!share::is_group_name(place.name) || place.directory.empty() || is_taken) {
            return user::unusable(
                "\"" + text +
                "\" is no holder: write --holder NAME=DIRECTORY, with names of a-z, 0-9 and _, and "
                "another name and directory for each"
            );
        }
        places.push_back(std::move(place));
    }
    return places;
}

Result<void> require_vacant(const std::vector<Named>& places, std::vector<std::string> paths) {
    for (const Named& place : places) {
        paths.push_back(place.directory + "/holder");
    }
    for (const std::string& path : paths) {
        if (user::exists(path)) {
            return user::unusable(
                path +
                " exists already: a new holder needs a new directory, a new group another key file"
            );
        }
    }
    return {};
}

Result<Closed> close_third(const Founding& founding, core::SecretBytes password, unsigned log_n) {
    core::RandomSource& random = core::system_random();
    core::SecretBytes code = make_code(random);
    auto normal = normal_code(code.reveal());
    core::invariant(normal.has_value(), "a fresh recovery code is one");
    const Secrets secrets{std::move(password), *std::move(normal)};
    auto closed = close_share(founding.members.back(), founding.group, secrets, log_n, random);
    if (!closed) {
        return closed.error();
    }
    return Closed{*std::move(closed), std::move(code)};
}

Result<void> print_code(const user::Console& console, core::SecretBytes code) {
    console.note(
        "write the recovery code down and keep it away from the holders: it opens files together "
        "with the password and one holder, and is shown only now"
    );
    code.append(core::as_bytes("\n"));
    if (!console.print_secret(code.reveal())) {
        return user::failed(
            "the recovery code cannot be written to standard output: without it the password opens "
            "nothing; make a new one with pgveil-envelope renew"
        );
    }
    return {};
}

Result<FileHolders> open_all(const std::vector<std::string>& directories) {
    FileHolders holders;
    for (const std::string& directory : directories) {
        auto holder = FileHolder::open(directory);
        if (!holder) {
            return holder.error();
        }
        holders.push_back(*std::move(holder));
    }
    const auto newest = std::ranges::max_element(
        holders, {}, [](const std::unique_ptr<FileHolder>& holder) { return holder->group().epoch; }
    );
    for (const auto& holder : holders) {
        if (auto caught_up = holder->catch_up_with((*newest)->group()); !caught_up) {
            return caught_up.error();
        }
        if (holder->group() != (*newest)->group()) {
            return user::unusable(
                holder->name() + " and " + (*newest)->name() + " are not holders of one group"
            );
        }
    }
    return holders;
}

Result<void> hand_over(
    const FileHolders& holders,
    Founding founding,
    const core::Bytes& closed,
    const Newcomer* newcomer
) {
    if (auto prepared = prepare_all(holders, std::move(founding), closed, newcomer); !prepared) {
        return user::failed(
            prepared.error().message +
            "; nothing was renewed: the old shares, password and recovery code are in force"
        );
    }
    for (const auto& holder : holders) {
        if (auto switched = holder->switch_over(); !switched) {
            return user::failed(
                switched.error().message +
                "; some holders have their new share: the next open or renew that names all of "
                "them gives the others theirs"
            );
        }
    }
    return {};
}

}  // namespace pgveil::envelope
