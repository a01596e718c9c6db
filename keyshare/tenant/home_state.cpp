#include "keyshare/tenant/home_state.hpp"

#include "keyshare/core/lp.hpp"

#include <algorithm>
#include <array>

namespace pgveil::tenant {

namespace {

/// A form that is read; the last is the one that is written.
struct Form {
    std::string_view title;
    std::size_t parts;
};

constexpr std::array<Form, 3> kForms = {
    {{"pgveil tenant state 2", 9}, {"pgveil tenant state 3", 11}, {"pgveil tenant state 4", 12}}};
constexpr std::string_view kTitle = kForms.back().title;
constexpr std::size_t kRecordsMax = 1'000'000;
constexpr std::size_t kStateParts = kForms.back().parts;
constexpr std::size_t kNextKeyParts = 3;
constexpr std::size_t kUserParts = 6;
constexpr std::size_t kCommandParts = 8;

using Parts = std::vector<core::ByteView>;

core::SecretBytes serialize_user(const UserRecord& user) {
    Parts names;
    for (const std::string& group : user.groups) {
        names.push_back(core::as_bytes(group));
    }
    const core::Bytes groups = core::length_prefixed(names);
    const auto epoch = core::big_endian32(user.epoch);
    return core::secret_length_prefixed(
        {core::as_bytes(user.user_id),
         epoch,
         groups,
         user.user_key.reveal(),
         user.app_share.reveal(),
         user.former_key.reveal()}
    );
}

/// Nothing in it is secret, so that thousands of them need no secret memory.
core::Bytes serialize_command(const CommandRecord& command) {
    const auto sequence = core::big_endian64(command.sequence);
    const auto made_at = core::big_endian64(static_cast<std::uint64_t>(command.made_at_s));
    const std::array fate = {static_cast<std::uint8_t>(command.fate)};
    return core::length_prefixed(
        {sequence,
         core::as_bytes(share::name_of(command.operation)),
         core::as_bytes(command.user_id),
         made_at,
         core::as_bytes(command.jws),
         fate,
         core::as_bytes(command.reason),
         core::as_bytes(command.receipt)}
    );
}

std::string text_of(core::ByteView bytes) {
    return std::string(core::as_text(bytes));
}

std::optional<UserRecord> parse_user(core::ByteView bytes) {
    const auto parts = core::split_length_prefixed(bytes, kUserParts);
    if (!parts || (*parts)[1].size() != sizeof(std::uint32_t)) {
        return std::nullopt;
    }
    const auto groups = core::split_length_prefixed_up_to((*parts)[2], kRecordsMax);
    if (!groups) {
        return std::nullopt;
    }
    UserRecord user;
    user.user_id = text_of((*parts)[0]);
    user.epoch = core::read_big_endian32((*parts)[1]);
    for (const core::ByteView group : *groups) {
        user.groups.push_back(text_of(group));
    }
    user.user_key = core::SecretBytes::copy_of((*parts)[3]);
    user.app_share = core::SecretBytes::copy_of((*parts)[4]);
    user.former_key = core::SecretBytes::copy_of((*parts)[5]);
    return user;
}

std::optional<CommandRecord> parse_command(core::ByteView bytes) {
    const auto split = core::split_length_prefixed(bytes, kCommandParts);
    if (!split) {
        return std::nullopt;
    }
    const Parts& parts = *split;
    const auto operation = share::operation_named(core::as_text(parts[1]));
    const bool has_sizes = parts[0].size() == sizeof(std::uint64_t) &&
                           parts[3].size() == sizeof(std::uint64_t) && parts[5].size() == 1;
    if (!operation || !has_sizes || parts[5][0] > static_cast<std::uint8_t>(Fate::kRefused)) {
        return std::nullopt;
    }
    CommandRecord command;
    command.sequence = core::read_big_endian64(parts[0]);
    command.operation = *operation;
    command.user_id = text_of(parts[2]);
    command.made_at_s = static_cast<std::int64_t>(core::read_big_endian64(parts[3]));
    command.jws = text_of(parts[4]);
    command.fate = static_cast<Fate>(parts[5][0]);
    command.reason = text_of(parts[6]);
    command.receipt = text_of(parts[7]);
    return command;
}

/// Empty if there is none.
core::SecretBytes serialize_next_key(const std::optional<share::GroupKey>& next) {
    if (!next) {
        return {};
    }
    const auto epoch = core::big_endian32(next->tk_epoch);
    return core::secret_length_prefixed({core::as_bytes(next->group), epoch, next->key.reveal()});
}

bool parse_next_key(core::ByteView bytes, std::optional<share::GroupKey>& next) {
    if (bytes.empty()) {
        return true;
    }
    const auto parts = core::split_length_prefixed(bytes, kNextKeyParts);
    if (!parts || (*parts)[1].size() != sizeof(std::uint32_t)) {
        return false;
    }
    auto key = share::TenantKey::from((*parts)[2]);
    if (!key.has_value()) {
        return false;
    }
    next.emplace(share::GroupKey{
        text_of((*parts)[0]), core::read_big_endian32((*parts)[1]), *std::move(key)});
    return true;
}

bool parse_restored_at(core::ByteView bytes, std::int64_t& restored_at_s) {
    if (bytes.size() == sizeof(std::uint64_t)) {
        restored_at_s = static_cast<std::int64_t>(core::read_big_endian64(bytes));
        return true;
    }
    return bytes.empty();
}

/// The operation as the subcommand that orders it.
std::string_view word_for(share::Operation operation) {
    switch (operation) {
        case share::Operation::kAddUser: return "add";
        case share::Operation::kChangeKey: return "change-key";
        case share::Operation::kRenewShares: return "renew-shares";
        case share::Operation::kWithdrawUser: return "withdraw";
        case share::Operation::kCreateGroup: return "create";
        case share::Operation::kRenewTk: return "renew-tk";
        case share::Operation::kNewDataKey: return "data-key new";
        case share::Operation::kRetireDataKey: return "data-key retire";
    }
    return "";
}

/// The parts of this version's form; those that an older form lacks are empty.
std::optional<Parts> split_state(core::ByteView bytes) {
    for (const Form& form : kForms) {
        auto parts = core::split_length_prefixed(bytes, form.parts);
        if (parts && core::as_text(parts->front()) == form.title) {
            parts->resize(kStateParts);
            return std::move(*parts);
        }
    }
    return std::nullopt;
}

/// Fills a list from its LP form; false on the first part that is no record.
template <class Record, class ParseRecord>
bool parse_list(core::ByteView bytes, std::vector<Record>& records, ParseRecord parse_record) {
    const auto parts = core::split_length_prefixed_up_to(bytes, kRecordsMax);
    if (!parts) {
        return false;
    }
    for (const core::ByteView part : *parts) {
        auto record = parse_record(part);
        if (!record) {
            return false;
        }
        records.push_back(std::move(*record));
    }
    return true;
}

}  // namespace

UserRecord* HomeState::find_user(std::string_view user_id) {
    const auto found = std::ranges::find(users, user_id, &UserRecord::user_id);
    return found == users.end() ? nullptr : &*found;
}

const UserRecord* HomeState::find_user(std::string_view user_id) const {
    const auto found = std::ranges::find(users, user_id, &UserRecord::user_id);
    return found == users.end() ? nullptr : &*found;
}

const CommandRecord* HomeState::last_command(std::string_view user_id) const {
    const auto found = std::find_if(commands.rbegin(), commands.rend(), [&](const auto& command) {
        return command.user_id == user_id;
    });
    return found == commands.rend() ? nullptr : &*found;
}

bool HomeState::is_active(std::string_view user_id) const {
    const auto found = std::find_if(commands.rbegin(), commands.rend(), [&](const auto& command) {
        return command.user_id == user_id && command.fate == Fate::kApplied;
    });
    return found != commands.rend() && share::makes_shares(found->operation);
}

std::uint32_t share_epoch(const UserRecord& user) {
    const auto key = share::parse_user_key(user.user_key.reveal());
    return key ? key->epoch : 0;
}

bool is_adopting(const HomeState& state) {
    return state.enrolment.has_value() && !state.bootstrap.empty();
}

bool is_renewed(const HomeState& state, const std::vector<std::string>& groups) {
    return state.next_key && std::ranges::find(groups, state.next_key->group) != groups.end();
}

std::vector<std::string> groups_of(core::ByteView user_key) {
    std::vector<std::string> names;
    if (const auto key = share::parse_user_key(user_key)) {
        for (const auto& one : key->groups) {
            names.push_back(one.group);
        }
    }
    return names;
}

std::optional<share::Command> read_command(const HomeState& state, const CommandRecord& command) {
    auto known =
        share::verify_command(command.jws, state.identity.signing.verifying_key(), state.tenant);
    return known ? std::optional(std::move(*known)) : std::nullopt;
}

std::optional<share::KeyringRow> new_row_of(const HomeState& state, const CommandRecord& command) {
    if (command.operation != share::Operation::kCreateGroup &&
        command.operation != share::Operation::kNewDataKey) {
        return std::nullopt;
    }
    const auto known = read_command(state, command);
    return known ? std::optional(known->wraps.front()) : std::nullopt;
}

std::string subject_of(const HomeState& state, const CommandRecord& command) {
    const bool is_about_group = share::brings_rows(command.operation);
    const auto known = is_about_group ? read_command(state, command) : std::nullopt;
    return known ? known->wraps.front().group : command.user_id;
}

core::SecretBytes serialize(const HomeState& state) {
    core::SecretBytes users;
    for (const UserRecord& user : state.users) {
        users.append(core::secret_length_prefixed({serialize_user(user).reveal()}).reveal());
    }
    core::Bytes commands;
    for (const CommandRecord& command : state.commands) {
        core::append(commands, core::length_prefixed({serialize_command(command)}));
    }
    const core::SecretBytes identity = share::serialize(state.identity);
    const core::SecretBytes enrolment =
        state.enrolment ? share::serialize(*state.enrolment) : core::SecretBytes();
    const auto at = core::big_endian64(static_cast<std::uint64_t>(state.bootstrapped_at_s));
    const auto restored =
        state.restored_at_s == 0
            ? core::Bytes()
            : core::to_bytes(core::big_endian64(static_cast<std::uint64_t>(state.restored_at_s)));
    return core::secret_length_prefixed(
        {core::as_bytes(kTitle),
         core::as_bytes(state.tenant),
         identity.reveal(),
         state.bootstrap.reveal(),
         enrolment.reveal(),
         core::as_bytes(state.proxy),
         at,
         users.reveal(),
         commands,
         serialize_next_key(state.next_key).reveal(),
         restored,
         state.attestation.reveal()}
    );
}

Result<HomeState> parse_home_state(core::ByteView bytes) {
    const user::Error malformed =
        user::unusable("the home was written by another version of pgveil-tenant");
    const auto split = split_state(bytes);
    if (!split || (*split)[6].size() != sizeof(std::uint64_t)) {
        return malformed;
    }
    const Parts& parts = *split;
    auto identity = share::parse_tenant_identity(parts[2]);
    if (!identity) {
        return malformed;
    }
    HomeState state{
        .tenant = text_of(parts[1]),
        .identity = std::move(*identity),
        .bootstrap = core::SecretBytes::copy_of(parts[3]),
        .enrolment = {},
        .proxy = text_of(parts[5]),
        .bootstrapped_at_s = static_cast<std::int64_t>(core::read_big_endian64(parts[6])),
        .users = {},
        .commands = {},
        .next_key = {},
        .restored_at_s = 0,
        .attestation = core::SecretBytes::copy_of(parts[11])};
    if (!parts[4].empty()) {
        auto enrolment = share::parse_enrolment(parts[4]);
        if (!enrolment) {
            return malformed;
        }
        state.enrolment.emplace(std::move(*enrolment));
    }
    if (!parse_list(parts[7], state.users, parse_user) ||
        !parse_list(parts[8], state.commands, parse_command) ||
        !parse_next_key(parts[9], state.next_key) ||
        !parse_restored_at(parts[10], state.restored_at_s)) {
        return malformed;
    }
    return state;
}

std::string_view name_of(Fate fate) {
    switch (fate) {
        case Fate::kPending: return "pending";
        case Fate::kApplied: return "applied";
        case Fate::kExpired: return "expired";
        case Fate::kRefused: return "refused";
    }
    return "unknown";
}

std::string status_of(const HomeState& state, std::string_view user_id) {
    const CommandRecord* last = state.last_command(user_id);
    if (last == nullptr) {
        return "unknown";
    }
    const bool is_active = state.is_active(user_id);
    if (last->fate == Fate::kApplied) {
        if (is_active && is_renewed(state, state.find_user(user_id)->groups)) {
            return "active, renew-tk pending";
        }
        return is_active ? "active" : "withdrawn";
    }
    const std::string what =
        std::string(word_for(last->operation)) + " " + std::string(name_of(last->fate));
    return is_active ? "active, " + what : what;
}

}  // namespace pgveil::tenant
