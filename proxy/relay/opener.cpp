#include "proxy/relay/opener.hpp"

#include "proxy/relay/alarms.hpp"
#include "proxy/relay/bytea_cell.hpp"
#include "proxy/relay/key_groups.hpp"
#include "proxy/relay/key_source.hpp"
#include "proxy/relay/output_sink.hpp"
#include "proxy/relay/row_keys.hpp"
#include "proxy/relay/veil_call.hpp"
#include "sql/field/envelope.hpp"
#include "sql/field/plaintext.hpp"
#include "sql/types/codec.hpp"
#include "sql/types/searchable_form.hpp"

#include <algorithm>
#include <vector>

namespace pgveil::relay {

namespace {

using boost::system::result;

constexpr std::uint32_t kByteaOid = 17;
constexpr std::string_view kNotOpened = "XX001";

std::string column_count(std::size_t came, std::size_t planned) {
    return std::to_string(came) + " columns came, " + std::to_string(planned) + " were planned";
}

/// In the room of the segment.
result<core::ByteView, Refusal> open_cell(
    SessionState& state,
    Segment& segment,
    const analysis::ColumnPtr& column,
    core::ByteView envelope,
    core::ByteView row
) {
    const auto parsed = field::parse_envelope(envelope);
    if (!parsed.has_value()) {
        return refusal(Reason::kValueNotOpened, column->qualified_name());
    }
    const auto cipher = opening_cipher(state, segment, column, parsed->key_id);
    if (!cipher.has_value()) {
        // An unknown key id is as much a wrong byte of the value as any other: name the column.
        // So is the key of another group in a column that hides values: who has it gets this, too.
        return cipher.error().sqlstate == kNotOpened || column->is_null_without_key
                   ? refusal(Reason::kValueNotOpened, column->qualified_name())
                   : cipher.error();
    }
    core::SecretBytes& room = segment.room.value;
    const auto opened = (*cipher)->open_in(room, envelope, row);
    if (!opened.has_value()) {
        return refusal(Reason::kValueNotOpened, column->qualified_name());
    }
    state.environment->tally->values_opened.add();
    if (types::is_stored_as_sent(column->type)) {
        auto locked = watch_opened(state, segment, *column, *opened);
        return locked ? result<core::ByteView, Refusal>(std::move(*locked)) : *opened;
    }
    auto value = field::value_of(*column, core::SecretBytes::copy_of(*opened));
    if (!value.has_value()) {
        return refusal(value.error());
    }
    room = std::move(*value);
    return room.reveal();
}

/// A value that nobody can verify here: only the key it names says whose it is.
bool is_hidden_cell(
    const Segment& segment, const analysis::ResultColumn& result, core::ByteView envelope
) {
    const auto hides = [&segment, envelope](const analysis::ColumnPtr& column) {
        if (!column->is_null_without_key || segment.keys->covers(column->group)) {
            return false;
        }
        const auto parsed = field::parse_envelope(envelope);
        return parsed.has_value() && parsed->scheme == column->scheme &&
               is_hidden(*segment.keys, *column, parsed->key_id);
    };
    return hides(result.column) || std::any_of(result.others.begin(), result.others.end(), hides);
}

bool has_planned_type(const wire::Field& field, const analysis::ResultColumn& planned) {
    if (planned.column != nullptr) {
        return field.type_oid == kByteaOid;
    }
    return !planned.key_kind || field.type_oid == types::oid_of(*planned.key_kind);
}

wire::Field plain_field(
    const wire::Field& field, const analysis::ResultColumn& planned, std::int16_t format
) {
    const types::Type type = planned.shown_type.value_or(planned.column->type);
    wire::Field plain = field;
    plain.type_oid = types::oid_of(type.kind);
    plain.typlen = types::typlen_of(type.kind);
    plain.typmod = type.typmod;
    plain.format = format;
    return plain;
}

Outcome append_single_cell(wire::Output& client, std::string_view text) {
    wire::RowWriter writer(client, 1);
    writer.add(wire::as_bytes(text));
    writer.finish();
    return {};
}

/// One opened value, between open_cell and close_cell, in the format the client asked for.
Outcome append_value(
    const SessionState& state,
    const types::Type& type,
    core::ByteView plaintext,
    std::int16_t format,
    wire::Output& client
) {
    if (format == 1) {
        client.append(plaintext);
        return {};
    }
    OutputSink sink(client);
    const auto written = types::append_text(type, plaintext, state.settings.style(), sink);
    return written.has_value() ? Outcome() : Outcome(refusal(written.error()));
}

/// For a Bind what is ours was asked for in binary, the rest as the client wants it.
std::int16_t asked_format(const Portal& portal, std::size_t index) {
    const analysis::StatementPlan& plan = *portal.planned.plan();
    const bool is_ours = plan.results[index].column != nullptr || index >= plan.shown_results();
    return is_ours && !portal.is_simple ? std::int16_t{1} : portal.format_for(index);
}

void read_cells(const wire::DataRow& row, const Portal& portal, std::vector<FormattedCell>& cells) {
    cells.clear();
    for (const wire::Cell& cell : row.cells) {
        cells.push_back({cell, static_cast<wire::Format>(asked_format(portal, cells.size()))});
    }
}

Outcome open_row(
    SessionState& state, const wire::DataRow& row, const Expected& expected, wire::Output& client
) {
    const Portal& portal = *expected.portal();
    const analysis::StatementPlan& plan = *portal.planned.plan();
    std::vector<FormattedCell> own;
    std::vector<FormattedCell>& cells = expected.segment ? expected.segment->room.cells : own;
    read_cells(row, portal, cells);
    wire::RowWriter writer(client, static_cast<std::uint16_t>(plan.shown_results()));
    for (std::size_t index = 0; index < plan.shown_results(); ++index) {
        const analysis::ColumnPtr& column = plan.results[index].column;
        if (column == nullptr || !cells[index].cell) {
            writer.add(cells[index].cell);
            continue;
        }
        const auto opened = open_value(state, *expected.segment, plan.results, index, cells);
        if (!opened.has_value()) {
            return opened.error();
        }
        if (!*opened) {
            writer.add(std::nullopt);
            continue;
        }
        const std::int16_t wanted = portal.format_for(index);
        writer.open_cell();
        auto appended = append_value(state, column->type, **opened, wanted, client);
        if (!appended.has_value()) {
            return appended;
        }
        writer.close_cell();
    }
    writer.finish();
    return {};
}

}  // namespace

Outcome open_description(
    const wire::RowDescription& described, const Portal& portal, wire::Output& client
) {
    const auto& results = portal.planned.plan()->results;
    if (described.fields.size() != results.size()) {
        return refusal(Reason::kRowMismatch, column_count(described.fields.size(), results.size()));
    }
    std::vector<wire::Field> fields;
    fields.reserve(results.size());
    for (const wire::Field& field : described.fields) {
        const std::size_t index = fields.size();
        const analysis::ColumnPtr& column = results[index].column;
        // A cursor of the same name may be another one by now: in a function nobody sees it made.
        // A Describe may come before the Bind that says them.
        const bool has_planned_format = (!portal.is_simple && !portal.is_batched) ||
                                        field.format == asked_format(portal, index);
        if (!has_planned_format || !has_planned_type(field, results[index])) {
            return refusal(
                Reason::kRowMismatch,
                "column " +
                    (column == nullptr ? std::string(field.name) : column->qualified_name()) +
                    " came with another type"
            );
        }
        fields.push_back(
            column == nullptr ? field : plain_field(field, results[index], portal.format_for(index))
        );
    }
    fields.resize(portal.planned.plan()->shown_results());
    wire::append_row_description(client, fields);
    return {};
}

void open_parameters(
    const wire::ParameterDescription& described,
    const analysis::StatementPlan& plan,
    wire::Output& client
) {
    std::vector<std::uint32_t> oids(described.types.begin(), described.types.end());
    if (plan.split_parameters != 0 && oids.size() > plan.parameter_count) {
        oids.resize(plan.parameter_count);
    }
    for (const analysis::ParameterPlan& parameter : plan.parameters) {
        if (parameter.described_oid != 0 && parameter.number <= oids.size()) {
            oids[parameter.number - 1] = parameter.described_oid;
        }
    }
    wire::append_parameter_description(client, oids);
}

result<std::optional<core::ByteView>, Refusal> open_value(
    SessionState& state,
    Segment& segment,
    const std::vector<analysis::ResultColumn>& results,
    std::size_t index,
    std::span<const FormattedCell> cells
) {
    const analysis::ColumnPtr& column = results[index].column;
    const FormattedCell& came = cells[index];
    const bool is_binary = came.format == wire::Format::kBinary;
    if (!is_binary) {
        read_bytea(*came.cell, segment.room.envelope);
    }
    const core::ByteView envelope = is_binary ? *came.cell : segment.room.envelope;
    if (is_hidden_cell(segment, results[index], envelope)) {
        return std::optional<core::ByteView>();
    }
    core::Bytes row;
    if (column->is_bound()) {
        auto came_with = row_of_result(results, index, cells, state.settings.style());
        if (!came_with.has_value()) {
            return came_with.error();
        }
        row = std::move(*came_with);
    }
    auto opened = open_cell(state, segment, column, envelope, row);
    for (const analysis::ColumnPtr& other : results[index].others) {
        if (opened.has_value()) {
            break;
        }
        auto next = open_cell(state, segment, other, envelope, {});
        // A missing share says more than a value that does not open.
        if (next.has_value() || opened.error().sqlstate == kNotOpened) {
            opened = std::move(next);
        }
    }
    if (opened.has_value()) {
        return std::optional(*opened);
    }
    if (opened.error().sqlstate == kNotOpened) {
        watch_failed_open(state, segment, *column);
    }
    return opened.error();
}

Outcome answer_row(
    SessionState& state, const wire::DataRow& row, const Expected& expected, wire::Output& client
) {
    const Portal& portal = *expected.portal();
    const analysis::StatementPlan& plan = *portal.planned.plan();
    if (plan.call) {
        const auto receipt = answer(state, *plan.call, portal.arguments.get());
        return receipt.has_value() ? append_single_cell(client, *receipt) : receipt.error();
    }
    if (plan.shown_parameter) {
        const wire::Cell handle = row.cells.empty() ? wire::Cell() : *row.cells.begin();
        const std::string_view text = handle ? wire::as_text(*handle) : "";
        return append_single_cell(client, state.parameters.shown(text));
    }
    if (row.cells.size() != plan.results.size()) {
        return refusal(Reason::kRowMismatch, column_count(row.cells.size(), plan.results.size()));
    }
    const std::size_t start = client.size();
    Outcome opened = open_row(state, row, expected, client);
    if (!opened.has_value()) {
        client.truncate(start);
    }
    return opened;
}

bool describe_unplanned(SessionState& state, Expected& expected, core::ByteView body) {
    if (state.policy->is_empty()) {
        return true;
    }
    const auto described = wire::decode_row_description(body);
    if (!described.has_value()) {
        return false;
    }
    if (expected.kind == Awaited::kQuery) {
        expected.guard = std::make_shared<ResultGuard>();
    }
    if (expected.guard != nullptr) {
        expected.guard->describe(*described, state.plan_bytes);
    }
    return true;
}

Outcome check_unplanned(const SessionState& state, const Expected& expected, core::ByteView body) {
    if (expected.guard == nullptr || !expected.guard->looks_at_rows()) {
        return {};
    }
    const auto row = wire::decode_data_row(body);
    if (!row.has_value()) {
        return refusal(Reason::kRowMismatch, "a row that cannot be read");
    }
    const store::ProxyCustody* const custody = state.environment->custody.get();
    const auto found = expected.guard->find(*row, [custody](std::uint32_t key_id) {
        return custody != nullptr && custody->knows_key(key_id);
    });
    return found ? Outcome(refusal(Reason::kEnvelopeInResult, *found)) : Outcome();
}

}  // namespace pgveil::relay
