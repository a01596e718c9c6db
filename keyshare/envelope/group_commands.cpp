#include "keyshare/envelope/commands.hpp"
#include "keyshare/envelope/file_holder.hpp"
#include "keyshare/envelope/key_file.hpp"
#include "keyshare/envelope/renewal.hpp"
#include "keyshare/user/private_file.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

namespace pgveil::envelope {

namespace {

Result<std::vector<Named>> parse_places(const std::vector<std::string>& texts) {
    auto places = parse_names(texts);
    if (places && places->size() != kThreshold && places->size() != kMembers) {
        return user::unusable(
            "give two holders, whose third share a password protects, or three: --holder "
            "company=DIRECTORY --holder cloud=DIRECTORY"
        );
    }
    return places;
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

Result<Founding> renewed(const FileHolders& holders) {
    std::vector<const Membership*> present;
    for (const auto& holder : holders) {
        present.push_back(&holder->custody().own);
    }
    return renew_group(holders.front()->group(), present);
}

}  // namespace

Result<void> init(const user::Console& console, const InitArguments& arguments) {
    const auto places = parse_places(arguments.holders);
    if (!places) {
        return places.error();
    }
    if (auto vacant = require_vacant(*places, {arguments.key_file}); !vacant) {
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
