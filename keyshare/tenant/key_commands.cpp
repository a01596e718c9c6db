#include "keyshare/tenant/key_commands.hpp"

#include "keyshare/core/random.hpp"
#include "keyshare/tenant/delivery.hpp"
#include "keyshare/tenant/key_desk.hpp"
#include "keyshare/user/fresh_token.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <optional>
#include <utility>

// Ordered, shown, and through the states of their lives.
namespace pgveil::tenant {

namespace {

using catalogue::KeyOrder;
using catalogue::KeyRecord;
using catalogue::KeyState;

std::optional<int> number_in(std::string_view text) {
    int number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool is_whole = read.ec == std::errc() && read.ptr == text.data() + text.size();
    return is_whole ? std::optional(number) : std::nullopt;
}

/// The first second of a day, UTC.
Result<std::int64_t> parse_day(const std::string& option, std::string_view text) {
    constexpr std::size_t kSize = 10;
    const bool is_shaped = text.size() == kSize && text[4] == '-' && text[7] == '-';
    const auto year = is_shaped ? number_in(text.substr(0, 4)) : std::nullopt;
    const auto month = is_shaped ? number_in(text.substr(5, 2)) : std::nullopt;
    const auto day = is_shaped ? number_in(text.substr(8, 2)) : std::nullopt;
    if (year && month && day && *month >= 0 && *day >= 0) {
        const std::chrono::year_month_day date(
            std::chrono::year(*year),
            std::chrono::month(static_cast<unsigned>(*month)),
            std::chrono::day(static_cast<unsigned>(*day))
        );
        if (date.ok()) {
            const auto since = std::chrono::sys_days(date).time_since_epoch();
            return std::chrono::duration_cast<std::chrono::seconds>(since).count();
        }
    }
    return user::unusable(
        option + " wants a day, as 2027-12-31, not \"" + std::string(text) + "\""
    );
}

std::string in_capitals(std::string text) {
    std::ranges::transform(text, text.begin(), [](char letter) {
        return static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
    });
    return text;
}

Result<attest::KeyDesign> design_in(const KeyArguments& arguments, const std::string& tenant) {
    const auto migration = catalogue::parse_migration(in_capitals(arguments.kind));
    const auto use = catalogue::parse_use(arguments.use);
    if (!migration || !use) {
        return user::unusable("--kind is nmk, mk or cmk, and --use signing or encryption");
    }
    const bool is_controlled = *migration == attest::Migration::kControlled;
    if (is_controlled == arguments.authority.empty()) {
        return user::unusable(
            "--authority names who decides where a key of kind cmk may go (what `pgveil-tenant "
            "approver` prints in the authority's home), and belongs to no other kind"
        );
    }
    attest::KeyDesign design{*migration, *use, {}};
    if (is_controlled) {
        const auto authority = core::PublicPoint::from_text(arguments.authority);
        if (!authority.has_value()) {
            return user::unusable("--authority: " + authority.error().message);
        }
        design.authority =
            attest::MigrationAuthority{*authority, attest::migration_purpose(tenant)};
    }
    return design;
}

Result<KeyOrder> order_in(const KeyArguments& arguments, const std::string& tenant) {
    const auto design = design_in(arguments, tenant);
    if (!design) {
        return design.error();
    }
    const std::int64_t now = user::seconds_now();
    const auto from =
        arguments.from.empty() ? Result<std::int64_t>(now) : parse_day("--from", arguments.from);
    const auto until = parse_day("--until", arguments.until);
    if (!from || !until) {
        return from ? until.error() : from.error();
    }
    KeyOrder order{
        tenant, arguments.label, arguments.owner, arguments.purpose, *design, now, {*from, *until}};
    const auto checked = catalogue::check_order(order);
    if (!checked.has_value()) {
        return user::unusable(checked.error().message);
    }
    if (*until <= now) {
        return user::unusable("--until: that day is over");
    }
    return order;
}

std::string state_text(const KeyRecord& record) {
    const KeyState now = state_at(record.state, record.order.period, user::seconds_now());
    const bool is_over = now == KeyState::kDeactivated && record.state != now;
    return std::string(name_of(now)) + (is_over ? " (cryptoperiod over)" : "");
}

/// Made by the TPM, verified, and written down.
Result<KeyRecord> make_in_tpm(
    const Context& context, KeyDesk& desk, const KeyOrder& order, const KeyArguments& arguments
) {
    auto place = open_tpm(arguments.tpm);
    if (!place) {
        return place.error();
    }
    auto trusted =
        check_attestation_key(context, desk.state(), place->attestation, arguments.attestation);
    if (!trusted) {
        return trusted.error();
    }
    auto made =
        place->tpm.make_key(order.design, catalogue::digest_of(order), core::system_random());
    if (!made.has_value()) {
        return user::failed(made.error().message);
    }
    KeyRecord record{
        order,
        made->point,
        place->attestation,
        made->creation,
        place->attestation,
        1,
        KeyState::kPreActive,
        order.ordered_at_s,
        {}};
    if (auto added = desk.add(record, std::move(made->object)); !added) {
        return added.error();
    }
    return record;
}

}  // namespace

Result<void> order_key(const Context& context, const KeyArguments& arguments) {
    auto desk = KeyDesk::open(context, arguments.dictionary);
    if (!desk) {
        return desk.error();
    }
    const auto order = order_in(arguments, desk->state().tenant);
    if (!order) {
        return order.error();
    }
    const auto taken = desk->dictionary().with_label(order->label);
    if (!taken) {
        return taken.error();
    }
    if (!taken->empty() || desk->seen().versions.contains(order->label)) {
        return user::failed(
            "there is, or was, a key \"" + order->label + "\": give this one another label"
        );
    }
    const auto record = make_in_tpm(context, *desk, *order, arguments);
    if (!record) {
        return record.error();
    }
    context.console.print(record->point.text() + "\n");
    context.console.note(
        "made " + std::string(catalogue::name_of(order->design.migration)) + " key \"" +
        order->label + "\" for " + order->owner + ", " + state_text(*record) + ", until " +
        time_text(order->period.until_s)
    );
    return {};
}

namespace {

Result<std::vector<KeyRow>> rows_asked_for(KeyDesk& desk, const KeyArguments& arguments) {
    if (!arguments.owner.empty()) {
        return desk.dictionary().of_owner(arguments.owner);
    }
    if (!arguments.expiring.empty()) {
        const auto day = parse_day("--expiring-before", arguments.expiring);
        return day ? desk.dictionary().expiring_before(*day) : day.error();
    }
    return desk.dictionary().all();
}

std::string key_line(const KeyRecord& record) {
    const KeyOrder& order = record.order;
    return order.label + "\t" + std::string(catalogue::name_of(order.design.migration)) + "\t" +
           std::string(catalogue::name_of(order.design.use)) + "\t" + state_text(record) + "\t" +
           time_text(order.period.until_s) + "\t" + order.owner + "\n";
}

/// Labels that were seen before and are not among these.
std::string lost_labels(const KeyDesk& desk, const std::vector<std::string>& found) {
    std::string lost;
    for (const auto& [label, version] : desk.seen().versions) {
        if (std::ranges::find(found, label) == found.end()) {
            lost += (lost.empty() ? "\"" : ", \"") + label + "\"";
        }
    }
    return lost;
}

}  // namespace

Result<void> list_keys(const Context& context, const KeyArguments& arguments) {
    auto desk = KeyDesk::open(context, arguments.dictionary);
    if (!desk) {
        return desk.error();
    }
    auto rows = rows_asked_for(*desk, arguments);
    if (!rows) {
        return rows.error();
    }
    std::vector<std::string> lines;
    std::vector<std::string> found;
    std::size_t refused = 0;
    for (KeyRow& row : *rows) {
        const auto known = desk->verify_row(std::move(row));
        if (!known) {
            context.console.note(known.error().message);
            ++refused;
            continue;
        }
        found.push_back(known->record.order.label);
        lines.push_back(key_line(known->record));
    }
    std::ranges::sort(lines);
    for (const std::string& line : lines) {
        context.console.print(line);
    }
    const bool is_whole = arguments.owner.empty() && arguments.expiring.empty();
    const std::string lost = is_whole ? lost_labels(*desk, found) : std::string();
    if (refused > 0 || !lost.empty()) {
        return user::failed(
            std::to_string(refused) + " rows are not believed" +
            (lost.empty() ? "" : ", and these keys were there before: " + lost) +
            ". Find out who writes to the dictionary, and restore it from a backup"
        );
    }
    return {};
}

Result<void> show_key(const Context& context, const KeyArguments& arguments) {
    auto desk = KeyDesk::open(context, arguments.dictionary);
    if (!desk) {
        return desk.error();
    }
    const auto known = desk->find(arguments.label);
    if (!known) {
        return known.error();
    }
    const KeyRecord& record = known->record;
    const KeyOrder& order = record.order;
    const auto fingerprint = [](const core::PublicPoint& point) {
        return share::fingerprint_text(point.fingerprint());
    };
    const auto& authority = order.design.authority;
    context.console.print(
        "label: " + order.label + "\nowner: " + order.owner + "\npurpose: " + order.purpose +
        "\nkind: " + std::string(catalogue::name_of(order.design.migration)) +
        "\nuse: " + std::string(catalogue::name_of(order.design.use)) +
        "\nalgorithm: " + std::string(catalogue::algorithm_of(order.design.use)) + "\ngenerated: " +
        time_text(order.ordered_at_s) + " by the TPM (TPM2_Create), attestation key " +
        fingerprint(record.made_by) + "\nheld by: the TPM with attestation key " +
        fingerprint(record.held_by) + (authority ? "\nauthority: " + authority->key.text() : "") +
        "\ncryptoperiod: " + time_text(order.period.from_s) + " to " +
        time_text(order.period.until_s) + "\nstate: " + state_text(record) + ", version " +
        std::to_string(record.version) + " of " + time_text(record.changed_at_s) +
        (record.reason.empty() ? "" : ": " + record.reason) + "\nkey: " + record.point.text() + "\n"
    );
    return {};
}

namespace {

Result<void> change_state(const Context& context, const KeyArguments& arguments, KeyState state) {
    auto desk = KeyDesk::open(context, arguments.dictionary);
    if (!desk) {
        return desk.error();
    }
    auto known = desk->find(arguments.label);
    if (!known) {
        return known.error();
    }
    auto changed =
        catalogue::with_state(known->record, state, user::seconds_now(), arguments.reason);
    if (!changed.has_value()) {
        return user::failed(changed.error().message);
    }
    known->record = *std::move(changed);
    if (state == KeyState::kDestroyed) {
        known->row.object.reset();
    }
    const std::string said =
        "key \"" + known->record.order.label + "\" is " + state_text(known->record);
    if (auto stored = desk->change(std::move(*known)); !stored) {
        return stored;
    }
    context.console.note(said);
    return {};
}

}  // namespace

Result<void> suspend_key(const Context& context, const KeyArguments& arguments) {
    return change_state(context, arguments, KeyState::kSuspended);
}

Result<void> resume_key(const Context& context, const KeyArguments& arguments) {
    return change_state(context, arguments, KeyState::kActive);
}

Result<void> revoke_key(const Context& context, const KeyArguments& arguments) {
    const KeyState state =
        arguments.is_compromised ? KeyState::kCompromised : KeyState::kDeactivated;
    return change_state(context, arguments, state);
}

Result<void> destroy_key(const Context& context, const KeyArguments& arguments) {
    return change_state(context, arguments, KeyState::kDestroyed);
}

}  // namespace pgveil::tenant
