#include "proxy/relay/startup_parameters.hpp"

#include "proxy/wire/options.hpp"
#include "sql/analysis/analyzer.hpp"

namespace pgveil::relay {

namespace {

using boost::system::result;

Refusal unknown_parameter(std::string_view name) {
    Refusal refusal;
    refusal.sqlstate = "42704";
    refusal.message = "unrecognized configuration parameter \"" + std::string(name) + "\"";
    refusal.hint = "pgveil knows pgveil.user_id, pgveil.user_token and pgveil.app_share.";
    return refusal;
}

/// The handle that goes upstream instead of the value.
result<std::string, Refusal> handle_for(
    SessionParameters& parameters, std::string_view name, std::string_view value, bool is_tls
) {
    const auto which = analysis::session_parameter_of(name);
    if (!which) {
        return unknown_parameter(name);
    }
    if (*which != analysis::SessionParameter::kUserId && !is_tls) {
        return refusal(Reason::kSharesInClear, analysis::name_of(*which));
    }
    if (!SessionParameters::fits(value.size())) {
        return refusal(Reason::kShareTooLong, analysis::name_of(*which));
    }
    return parameters.remember(*which, core::as_bytes(value), true);
}

result<std::string, Refusal> take_options(
    SessionParameters& parameters, std::string_view options, bool is_tls
) {
    auto switches = wire::parse_options(options);
    if (!switches.has_value()) {
        Refusal refusal;
        refusal.sqlstate = "42601";
        refusal.message = "invalid command-line argument for server process in options";
        return refusal;
    }
    bool any = false;
    for (wire::OptionSwitch& option : *switches) {
        if (!option.sets_parameter() || !analysis::is_veil_parameter_name(option.name)) {
            continue;
        }
        auto handle = handle_for(parameters, option.name, option.value, is_tls);
        if (!handle.has_value()) {
            return handle.error();
        }
        option.value = wire::WipedText(*handle);
        any = true;
    }
    return any ? std::string(wire::join_options(*switches)) : std::string(options);
}

}  // namespace

result<StartupPairs, Refusal> take_startup_parameters(
    SessionParameters& parameters,
    std::span<const wire::StartupParameter> startup,
    bool client_is_tls
) {
    StartupPairs pairs;
    for (const wire::StartupParameter& parameter : startup) {
        std::string value;
        if (parameter.name == "options") {
            auto options = take_options(parameters, parameter.value, client_is_tls);
            if (!options.has_value()) {
                return options.error();
            }
            value = std::move(*options);
        } else if (analysis::is_veil_parameter_name(parameter.name)) {
            auto handle = handle_for(parameters, parameter.name, parameter.value, client_is_tls);
            if (!handle.has_value()) {
                return handle.error();
            }
            value = std::move(*handle);
        } else {
            value = parameter.value;
        }
        pairs.emplace_back(parameter.name, std::move(value));
    }
    return pairs;
}

}  // namespace pgveil::relay
