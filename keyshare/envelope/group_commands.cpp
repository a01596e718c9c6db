#include "keyshare/envelope/commands.hpp"
#include "keyshare/envelope/file_holder.hpp"
#include "keyshare/envelope/key_file.hpp"
#include "keyshare/envelope/login.hpp"
#include "keyshare/share/names.hpp"
#include "keyshare/user/private_file.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

namespace pgveil::envelope {

namespace {

struct Named {
    std::string name;
    std::string directory;
};

Result<std::vector<Named>> parse_places(const std::vector<std::string>& texts) {
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
    if (places.size() != kThreshold && places.size() != kMembers) {
        return user::unusable(
            "give two holders, whose third share a password protects, or three: --holder "
            "company=DIRECTORY --holder cloud=DIRECTORY"
        );
    }
    return places;
}

/// Before the first file is written: a group that is half there opens nothing.
Result<void> require_vacant(const std::vector<Named>& places, const std::string& key_file) {
    std::vector<std::string> paths = {key_file};
    for (const Named& place : places) {
        paths.push_back(place.directory + "/holder");
    }
    for (const std::string& path : paths) {
        if (user::exists(path)) {
            return user::unusable(
                path + " exists already: a new group needs new directories and another key file"
            );
        }
    }
    return {};
}

/// The third share, closed, and the code that opens it with the password.
struct Closed {
    core::Bytes share;
    core::SecretBytes code;  ///< as it is printed
};

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

using FileHolders = std::vector<std::unique_ptr<FileHolder>>;

/// The holders of one group at one epoch: who fell behind in a renewal catches up.
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

/// The directories that have to take part in a renewal: those of all members but the password.
Result<void> require_all(const FileHolders& holders) {
    const bool has_password = !holders.front()->custody().protected_share.empty();
    const std::size_t wanted = has_password ? kThreshold : kMembers;
    std::vector<std::uint32_t> indices;
    for (const auto& holder : holders) {
        indices.push_back(holder->index());
    }
    std::ranges::sort(indices);
    const bool repeats = std::ranges::adjacent_find(indices) != indices.end();
    if (holders.size() != wanted || repeats) {
        return user::unusable(
            "name all " + std::to_string(wanted) +
            " holders of the group, each once: every one "
            "gets a new share"
        );
    }
    return {};
}

Access renewal_of(const quorum::Group& group) {
    return {
        .at_s = seconds_now(),
        .request = "-",
        .requester = login_name(),
        .purpose = "renew",
        .file = "-",
        .result = "shares renewed, epoch " + std::to_string(group.epoch)};
}

Result<Founding> renewed(const FileHolders& holders) {
    std::vector<const Membership*> present;
    for (const auto& holder : holders) {
        present.push_back(&holder->custody().own);
    }
    return renew_group(holders.front()->group(), present);
}

Result<void> prepare_all(const FileHolders& holders, Founding founding, const core::Bytes& closed) {
    for (const auto& holder : holders) {
        if (auto logged = holder->log().add(renewal_of(founding.group)); !logged) {
            return logged;
        }
        const Custody next{
            holder->name(),
            founding.group,
            std::move(founding.members[holder->index() - 1]),
            closed};
        if (auto prepared = holder->prepare(next); !prepared) {
            return prepared;
        }
    }
    return {};
}

/// Every holder has what comes next before it is in force at the first.
Result<void> hand_over(const FileHolders& holders, Founding founding, const core::Bytes& closed) {
    if (auto prepared = prepare_all(holders, std::move(founding), closed); !prepared) {
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

}  // namespace

Result<void> init(const user::Console& console, const InitArguments& arguments) {
    const auto places = parse_places(arguments.holders);
    if (!places) {
        return places.error();
    }
    if (auto vacant = require_vacant(*places, arguments.key_file); !vacant) {
        return vacant;
    }
    std::optional<core::SecretBytes> password;
    if (places->size() < kMembers) {
        auto given = user::read_secret(
            arguments.password, "password of the third share", user::Asking::kNew
        );
        if (!given) {
            return given.error();
        }
        password = *std::move(given);
    }
    auto founding = found_group();
    if (!founding) {
        return founding.error();
    }
    std::optional<Closed> closed;
    if (password) {
        auto third = close_third(*founding, *std::move(password), arguments.log_n);
        if (!third) {
            return third.error();
        }
        closed = *std::move(third);
    }
    for (std::size_t at = 0; at < places->size(); ++at) {
        const Named& place = (*places)[at];
        const Custody custody{
            place.name,
            founding->group,
            std::move(founding->members[at]),
            closed ? closed->share : core::Bytes()};
        if (auto created = FileHolder::create(place.directory, custody); !created) {
            return created;
        }
    }
    const core::PublicPoint& key = founding->group.public_key();
    if (auto written = user::create_file(
            arguments.key_file, core::as_bytes(write_key_file(key)), user::Audience::kAnybody
        );
        !written) {
        return written;
    }
    console.note("public key in " + arguments.key_file + ", fingerprint " + fingerprint_of(key));
    return closed ? print_code(console, std::move(closed->code)) : Result<void>();
}

Result<void> renew(const user::Console& console, const RenewArguments& arguments) {
    auto holders = open_all(arguments.holders);
    if (!holders) {
        return holders.error();
    }
    if (auto complete = require_all(*holders); !complete) {
        return complete;
    }
    auto founding = renewed(*holders);
    if (!founding) {
        return founding.error();
    }
    if (holders->size() == kMembers) {
        return hand_over(*holders, *std::move(founding), {});
    }
    auto password = user::read_secret(
        arguments.password, "new password of the third share", user::Asking::kNew
    );
    if (!password) {
        return password.error();
    }
    auto closed = close_third(*founding, *std::move(password), arguments.log_n);
    if (!closed) {
        return closed.error();
    }
    // The code comes first: a crash in between leaves the old password and code in force.
    if (auto printed = print_code(console, std::move(closed->code)); !printed) {
        return printed;
    }
    return hand_over(*holders, *std::move(founding), closed->share);
}

Result<void> print_log(const user::Console& console, const std::string& directory) {
    auto holder = FileHolder::open(directory);
    if (!holder) {
        return holder.error();
    }
    const auto lines = (*holder)->log().verified();
    if (!lines) {
        return lines.error();
    }
    if (!console.print(*lines)) {
        return user::failed("the log cannot be written to standard output");
    }
    return {};
}

}  // namespace pgveil::envelope
