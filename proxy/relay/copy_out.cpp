#include "proxy/relay/copy_out.hpp"

#include "proxy/relay/output_sink.hpp"
#include "sql/types/codec.hpp"

namespace pgveil::relay {

namespace {

using copy::Format;

Refusal mismatch(std::string_view what) {
    return refusal(Reason::kRowMismatch, what);
}

}  // namespace

CopyOut::CopyOut(std::shared_ptr<const Portal> portal, SegmentPtr segment)
    : portal_(std::move(portal)),
      segment_(std::move(segment)),
      plan_(portal_->planned.plan()->copy.get()),
      expects_header_(
          plan_->options.format == Format::kBinary || plan_->options.header != copy::Header::kNone
      ) {}

Outcome CopyOut::check(std::size_t columns) const {
    const bool fits =
        !plan_->is_from && !plan_->is_refused_by_server && columns == plan_->columns.size();
    return fits ? Outcome() : mismatch("COPY sends " + std::to_string(columns) + " columns");
}

void CopyOut::announce(const wire::CopyResponse& response, wire::Output& client) const {
    const std::size_t start = client.open_message(wire::BackendType::kCopyOutResponse);
    client.append_int8(response.format);
    client.append_int16(static_cast<std::uint16_t>(plan_->shown()));
    for (std::size_t i = 0; i < plan_->shown(); ++i) {
        client.append_int16(static_cast<std::uint16_t>(response.column_formats.code_for(i)));
    }
    client.close_message(start);
}

Outcome CopyOut::answer(SessionState& state, wire::ByteView body, wire::Output& client) {
    const std::size_t start = client.open_message(wire::BackendType::kCopyData);
    const bool is_binary = plan_->options.format == Format::kBinary;
    Outcome done = is_binary ? answer_units(state, body, client)
                             : answer_line(state, wire::as_text(body), client);
    if (done.has_value()) {
        client.close_message(start);
    } else {
        client.truncate(start);
    }
    return done;
}

bool CopyOut::split(std::string_view line) {
    return copy::split_line(plan_->options, line, fields_).has_value() &&
           fields_.size() == plan_->columns.size();
}

Outcome CopyOut::answer_line(SessionState& state, std::string_view line, wire::Output& client) {
    const bool is_line = line.ends_with('\n');
    const std::string_view end = line.substr(line.size() - (is_line ? 1 : 0));
    line.remove_suffix(end.size());
    if (!split(line)) {
        return mismatch("a row of COPY with another number of columns");
    }
    const bool is_header = std::exchange(expects_header_, false);
    if (!is_header) {
        values_.read(*plan_, fields_);
    }
    for (std::size_t i = 0; i < plan_->shown(); ++i) {
        if (i > 0) {
            client.append_text({&plan_->options.delimiter, 1});
        }
        if (is_header || plan_->columns[i].column == nullptr || !values_[i]) {
            client.append_text(fields_[i].raw);
            continue;
        }
        Outcome done = append_opened(state, i, is_quoted_by_wish(i), client);
        if (!done.has_value()) {
            return done;
        }
    }
    client.append_text(end);
    return {};
}

/// FORCE_QUOTE: the server wrote quotes that the envelope alone would not need.
bool CopyOut::is_quoted_by_wish(std::size_t index) const {
    return fields_[index].is_quoted &&
           !copy::needs_quotes(plan_->options, wire::as_text(*values_[index]), {});
}

Outcome CopyOut::append_opened(
    SessionState& state, std::size_t index, bool is_forced, wire::Output& client
) {
    const auto opened = open_value(state, *segment_, plan_->columns, index, values_.all());
    if (!opened.has_value()) {
        return opened.error();
    }
    if (!*opened) {
        client.append_text(plan_->options.null_text);
        return {};
    }
    const analysis::ResultColumn& column = plan_->columns[index];
    const types::Type type = column.shown_type.value_or(column.column->type);
    const auto text = types::to_text(type, **opened, state.settings.style());
    if (!text.has_value()) {
        return refusal(text.error());
    }
    OutputSink sink(client);
    copy::append_field(
        plan_->options,
        core::as_text(text->reveal()),
        {.is_forced = is_forced, .is_only_field = plan_->shown() == 1},
        sink
    );
    return {};
}

Outcome CopyOut::answer_units(SessionState& state, wire::ByteView bytes, wire::Output& client) {
    while (!bytes.empty()) {
        const auto unit =
            copy::next_unit(bytes, expects_header_, plan_->columns.size(), binary_fields_);
        if (!unit.has_value() || !*unit) {
            return mismatch("data of COPY that is not in binary format");
        }
        expects_header_ = false;
        if ((*unit)->kind != copy::BinaryUnit::Kind::kRow) {
            client.append(bytes.first((*unit)->size));
        } else if (Outcome done = answer_row(state, client); !done.has_value()) {
            return done;
        }
        bytes = bytes.subspan((*unit)->size);
    }
    return {};
}

Outcome CopyOut::answer_row(SessionState& state, wire::Output& client) {
    cells_.clear();
    for (const copy::BinaryField& field : binary_fields_) {
        cells_.push_back({field, wire::Format::kBinary});
    }
    client.append_int16(static_cast<std::uint16_t>(plan_->shown()));
    for (std::size_t i = 0; i < plan_->shown(); ++i) {
        if (plan_->columns[i].column == nullptr || !cells_[i].cell) {
            wire::append_cell(client, cells_[i].cell);
            continue;
        }
        const auto opened = open_value(state, *segment_, plan_->columns, i, cells_);
        if (!opened.has_value()) {
            return opened.error();
        }
        wire::append_cell(client, *opened);
    }
    return {};
}

}  // namespace pgveil::relay
