#include "keyshare/core/random.hpp"
#include "keyshare/tenant/commands.hpp"
#include "keyshare/tenant/delivery.hpp"
#include "keyshare/tenant/home.hpp"
#include "keyshare/tenant/orders.hpp"
#include "keyshare/user/fresh_token.hpp"
#include "keyshare/user/private_file.hpp"

namespace pgveil::tenant {

namespace {

constexpr std::int64_t kDayS = 86400;
constexpr std::size_t kReportSizeMax = 65536;

share::CommandTimes times_of(const GroupArguments& arguments) {
    const std::int64_t now_s = user::seconds_now();
    return {now_s, now_s + arguments.valid_days * kDayS};
}

/// Sends the command that was ordered before, or orders it with `order` and sends it.
template <class Order>
Result<void> send(const Context& context, const GroupArguments& arguments, Order order) {
    auto home = open_to_send(context, arguments.delivery);
    if (!home) {
        return home.error();
    }
    if (is_key_ordered(home->state(), arguments.name)) {
        context.console.note(
            "a command about the data key of key group " + arguments.name +
            " was ordered before and has no receipt: sending the same command"
        );
        return deliver(*home, context.console, arguments.delivery);
    }
    if (auto ordered = order(home->state()); !ordered) {
        return ordered;
    }
    if (auto saved = home->save(); !saved) {
        return saved;
    }
    return deliver(*home, context.console, arguments.delivery);
}

}  // namespace

Result<void> data_key_new(const Context& context, const GroupArguments& arguments) {
    return send(context, arguments, [&](HomeState& state) {
        return new_data_key(state, arguments.name, times_of(arguments), core::system_random());
    });
}

Result<void> data_key_retire(
    const Context& context, const GroupArguments& arguments, const std::string& report_file
) {
    const auto text = user::read_public_file(report_file, kReportSizeMax);
    if (!text) {
        return text.error();
    }
    const auto report = share::parse_rotation_report(*text);
    if (!report) {
        return user::unusable(report_file + ": " + report.error().message);
    }
    if (report->group != arguments.name) {
        return user::unusable(
            report_file + " is about key group " + report->group + ", not about " + arguments.name
        );
    }
    return send(context, arguments, [&](HomeState& state) {
        return retire_data_key(state, *report, times_of(arguments));
    });
}

}  // namespace pgveil::tenant
