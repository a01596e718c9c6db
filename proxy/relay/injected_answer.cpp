#include "proxy/relay/injected_answer.hpp"

#include "proxy/relay/catalog_question.hpp"
#include "sql/catalog/lookup.hpp"

#include <array>

namespace pgveil::relay {

namespace {

Refusal strange_answer(std::string what) {
    Refusal refusal;
    refusal.sqlstate = "XX000";
    refusal.message = "the server's answer to a look-up cannot be used: " + std::move(what);
    return refusal;
}

/// A column that is said to stand under a live key is like one of which nothing is said.
std::vector<std::uint32_t> live_keys(const SessionState& state) {
    std::vector<std::uint32_t> key_ids;
    if (const auto keyring = state.environment->custody->keyring()) {
        for (const share::KeyringRow& row : keyring->rows) {
            if (row.state == share::KeyState::kLive) {
                key_ids.push_back(row.key_id);
            }
        }
    }
    return key_ids;
}

/// What was left `open` is looked up once more, for the same message.
void share_settled(
    SessionState& state,
    const std::string& viewpoint,
    const std::vector<catalog::RelationName>& open
) {
    std::vector<catalog::RelationName> settled = state.injection.names();
    for (const catalog::RelationName& name : open) {
        std::erase(settled, name);
        state.environment->shared_catalog.note_intricate(state.facts.database, name);
    }
    share_catalog(state, viewpoint, settled);
}

void use_catalog_rows(SessionState& state) {
    catalog::LookupReader reader(state.injection.names(), state.injection.answers());
    for (const Injection::Row& row : state.injection.rows()) {
        std::vector<std::optional<std::string_view>> cells(row.begin(), row.end());
        const auto added = reader.add_row(cells);
        if (!added.has_value()) {
            return state.injection.fail(strange_answer(added.error().message));
        }
    }
    const std::string viewpoint = reader.viewpoint();
    if (reader.names_keys()) {
        reader.take_for_usual(live_keys(state));
    }
    const std::vector<catalog::RelationName> open = reader.left_open();
    const auto finished = std::move(reader).finish(state.catalog);
    if (!finished.has_value()) {
        return state.injection.fail(strange_answer(finished.error().message));
    }
    share_settled(state, viewpoint, open);
}

void use_viewpoint(SessionState& state) {
    const auto& rows = state.injection.rows();
    if (rows.size() != 1 || rows.front().size() != 1 || !rows.front().front()) {
        return state.injection.fail(strange_answer("what its names depend on"));
    }
    state.viewpoint = *rows.front().front();
}

void use_parameter_row(SessionState& state) {
    const auto& rows = state.injection.rows();
    constexpr std::array<std::string_view, 9> kSettings = {
        "bytea_output",
        "extra_float_digits",
        "array_nulls",
        "timezone_abbreviations",
        "TimeZone",
        "DateStyle",
        "IntervalStyle",
        "client_encoding",
        "standard_conforming_strings"};
    constexpr std::size_t kVerifiedUser = kSessionParameterCount + kSettings.size();
    if (rows.size() != 1 || rows.front().size() != kVerifiedUser + 1) {
        return state.injection.fail(strange_answer("session parameters"));
    }
    const Injection::Row& row = rows.front();
    ShareHandles handles;
    for (std::size_t index = 0; index < handles.size(); ++index) {
        handles.at(index) = row[index].value_or("");
    }
    for (std::size_t index = 0; index < kSettings.size(); ++index) {
        state.take_setting(kSettings.at(index), row[kSessionParameterCount + index].value_or(""));
    }
    state.verified_user.at_server(row[kVerifiedUser].value_or(""));
    state.settings_stale = false;
    const bool is_committed =
        state.transaction == wire::TransactionStatus::kIdle && !state.batch_open;
    state.parameters.read_back(handles, is_committed);
    state.unreported.were_read(is_committed);
}

void use_verified_user(SessionState& state) {
    state.verified_user.at_server(state.injection.user_id());
    state.parameters.unsettle();  // a rollback may undo it
}

}  // namespace

void use_injected_answer(SessionState& state) {
    if (!state.injection.has_failed()) {
        switch (state.injection.purpose()) {
            case Injection::Purpose::kCatalog: use_catalog_rows(state); break;
            case Injection::Purpose::kViewpoint: use_viewpoint(state); break;
            case Injection::Purpose::kParameters: use_parameter_row(state); break;
            case Injection::Purpose::kVerifiedUser: use_verified_user(state); break;
            case Injection::Purpose::kCiphertextType:
            case Injection::Purpose::kNone: break;
        }
    }
    state.injection.reset();
    state.wait = Wait::kNothing;
}

}  // namespace pgveil::relay
