#include "keyshare/envelope/commands.hpp"
#include "keyshare/envelope/login.hpp"
#include "keyshare/envelope/named_holders.hpp"
#include "keyshare/envelope/renewal.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace pgveil::envelope {

namespace {

/// The third share of a group with a password, and the password, which stays.
struct OpenedThird {
    Membership membership;
    core::SecretBytes password;
};

Result<OpenedThird> open_third(FileHolder& holder, const ReplaceArguments& arguments) {
    const auto closed = holder.hand_out_protected(
        {.at_s = seconds_now(),
         .request = "-",
         .requester = login_name(),
         .purpose = "replace",
         .file = "-",
         .result = "protected share handed out"}
    );
    if (!closed) {
        return closed.error();
    }
    auto secrets = read_secrets(arguments.password, arguments.code);
    if (!secrets) {
        return secrets.error();
    }
    auto membership = open_share(*closed, holder.group(), *secrets);
    if (!membership) {
        return membership.error();
    }
    return OpenedThird{*std::move(membership), std::move(secrets->password)};
}

/// The number of the member that neither a directory nor the password stands for.
Result<std::uint32_t> lost_index(const FileHolders& holders, bool has_password) {
    std::vector<std::uint32_t> present;
    for (const auto& holder : holders) {
        present.push_back(holder->index());
    }
    if (has_password) {
        present.push_back(kMembers);
    }
    std::ranges::sort(present);
    const bool repeats = std::ranges::adjacent_find(present) != present.end();
    if (present.size() != kThreshold || repeats) {
        return user::unusable(
            has_password ? "name the one holder that is left, with --holder: the password stands "
                           "for the other"
                         : "name the two holders that are left, each with --holder"
        );
    }
    // Numbers 1 to 3, of which two are there.
    return 1 + 2 + 3 - present.front() - present.back();
}

Result<Founding> next_shares(const FileHolders& holders, const OpenedThird* third) {
    std::vector<const Membership*> present;
    for (const auto& holder : holders) {
        present.push_back(&holder->custody().own);
    }
    if (third != nullptr) {
        present.push_back(&third->membership);
    }
    return renew_group(holders.front()->group(), present);
}

}  // namespace

Result<void> replace(const user::Console& console, const ReplaceArguments& arguments) {
    const auto places = parse_names({arguments.newcomer});
    if (!places) {
        return places.error();
    }
    if (auto vacant = require_vacant(*places, {}); !vacant) {
        return vacant;
    }
    auto holders = open_all(arguments.holders);
    if (!holders) {
        return holders.error();
    }
    const bool has_password = !holders->front()->custody().protected_share.empty();
    const auto index = lost_index(*holders, has_password);
    if (!index) {
        return index.error();
    }
    std::optional<OpenedThird> third;
    if (has_password) {
        auto opened = open_third(*holders->front(), arguments);
        if (!opened) {
            return opened.error();
        }
        third = *std::move(opened);
    }
    auto founding = next_shares(*holders, third ? &*third : nullptr);
    if (!founding) {
        return founding.error();
    }
    core::Bytes closed;
    if (third) {
        auto made = close_third(*founding, std::move(third->password), arguments.log_n);
        if (!made) {
            return made.error();
        }
        if (auto printed = print_code(console, std::move(made->code)); !printed) {
            return printed;
        }
        closed = std::move(made->share);
    }
    const Newcomer newcomer{places->front(), *index};
    if (auto done = hand_over(*holders, *std::move(founding), closed, &newcomer); !done) {
        return done;
    }
    console.note(
        newcomer.place.name + " has share " + std::to_string(*index) +
        " from now on; the share that was lost combines with none of the new ones"
    );
    return {};
}

}  // namespace pgveil::envelope
