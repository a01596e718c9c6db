#include "proxy/relay/copy_in.hpp"

#include "proxy/relay/output_sink.hpp"
#include "proxy/wire/frontend.hpp"
#include "sql/types/text.hpp"

#include <algorithm>
#include <iterator>

namespace pgveil::relay {

namespace {

using copy::Format;
using Outcome = CopyIn::Outcome;

/// PostgreSQL 18 and later take `\.` in csv for a value.
constexpr int kMarkerIsValue = 18;

/// PostgreSQL finds it before it knows of columns: when it undoes escapes, or reads the bytes.
constexpr std::string_view kBadEncoding = "22021";

/// A CopyData message around what is appended while it lives; none if that is nothing.
class DataMessage {
public:
    explicit DataMessage(wire::Output& out)
        : out_(&out), start_(out.open_message(wire::FrontendType::kCopyData)), body_(out.size()) {}

    DataMessage(const DataMessage&) = delete;
    DataMessage& operator=(const DataMessage&) = delete;

    ~DataMessage() {
        if (out_->size() == body_) {
            out_->truncate(start_);
        } else {
            out_->close_message(start_);
        }
    }

private:
    wire::Output* out_;
    std::size_t start_;
    std::size_t body_;
};

Refusal row_too_long() {
    Refusal result;
    result.sqlstate = "54000";
    result.message = "a row of COPY is larger than pgveil puts together (" +
                     std::to_string(CopyIn::kRowMax) + " bytes, or limits.message_bytes)";
    result.hint = "Send the row by INSERT, or raise the limit.";
    return result;
}

}  // namespace

CopyIn::CopyIn(SessionState& state, std::shared_ptr<const Portal> portal, SegmentPtr segment)
    : state_(&state),
      portal_(std::move(portal)),
      segment_(std::move(segment)),
      plan_(portal_->planned.plan()->copy.get()),
      sealer_(state, *segment_, *plan_),
      lines_(plan_->options, state.settings.server_major()),
      expects_header_(
          plan_->options.format == Format::kBinary || plan_->options.header != copy::Header::kNone
      ) {}

Outcome CopyIn::take(wire::ByteView bytes, wire::Output& upstream) {
    if (is_over_ && plan_->options.format != Format::kBinary) {
        return {};  // PostgreSQL reads on and drops it, too
    }
    const DataMessage message(upstream);
    return plan_->options.format == Format::kBinary ? take_units(bytes, upstream)
                                                    : take_lines(core::as_text(bytes), upstream);
}

Outcome CopyIn::keep(wire::ByteView bytes) {
    const std::uint64_t limit = state_->environment->limits.message_bytes;
    if (begun_.size() + bytes.size() > kRowMax || begun_.size() + bytes.size() > limit) {
        return row_too_long();
    }
    begun_.append(bytes);
    return {};
}

Refusal CopyIn::at_line(const types::Error& error) const {
    Refusal result = refusal(error);
    const bool is_binary = plan_->options.format == Format::kBinary;
    result.where = copy_context(*plan_, is_binary ? rows_ : lines_.line());
    return result;
}

Refusal CopyIn::in_line(std::string sqlstate, std::string message, std::string_view line) const {
    Refusal result;
    result.sqlstate = std::move(sqlstate);
    result.message = std::move(message);
    result.where = copy_context(*plan_, lines_.line(), line);
    return result;
}

// ---- text and csv ----

Outcome CopyIn::take_lines(std::string_view bytes, wire::Output& upstream) {
    while (!bytes.empty() && !is_over_) {
        const auto progress = lines_.take(bytes);
        if (!progress.has_value()) {
            return at_line(progress.error());
        }
        const std::string_view piece = bytes.substr(0, progress->used);
        bytes.remove_prefix(progress->used);
        Outcome done;
        if (!progress->is_complete) {
            done = keep(core::as_bytes(piece));
        } else if (begun_.empty()) {
            done = take_line(piece, lines_.end_size(), upstream);
        } else {
            done = keep(core::as_bytes(piece));
            if (done.has_value()) {
                done = take_line(core::as_text(begun_.bytes()), lines_.end_size(), upstream);
                begun_.clear();
            }
        }
        if (!done.has_value()) {
            return done;
        }
    }
    return {};
}

bool CopyIn::is_end_marker(std::string_view line) const {
    const bool is_value =
        plan_->options.format == Format::kCsv && state_->settings.server_major() >= kMarkerIsValue;
    return line == "\\." && !is_value;
}

Outcome CopyIn::take_line(std::string_view bytes, std::size_t end_size, wire::Output& upstream) {
    const std::string_view line = bytes.substr(0, bytes.size() - end_size);
    const std::string_view end = bytes.substr(line.size());
    if (is_end_marker(line)) {
        is_over_ = true;
        return {};
    }
    if (expects_header_) {
        expects_header_ = false;
        return take_header(line, end, upstream);
    }
    const std::size_t start = upstream.size();
    Outcome done = take_fields(line, upstream);
    if (done.has_value()) {
        upstream.append_text(end);
    } else {
        upstream.truncate(start);
    }
    return done;
}

/// A header that nobody checks may hold anything: an empty line goes in its place.
Outcome CopyIn::take_header(std::string_view line, std::string_view end, wire::Output& upstream) {
    if (plan_->options.header == copy::Header::kMatch) {
        if (auto split = copy::split_line(plan_->options, line, fields_); !split.has_value()) {
            return at_line(split.error());
        }
        const std::size_t expected = plan_->fields.size();
        if (fields_.size() != expected) {
            return in_line(
                "22P04",
                "wrong number of fields in header line: got " + std::to_string(fields_.size()) +
                    ", expected " + std::to_string(expected),
                line
            );
        }
        for (std::size_t i = 0; i < expected; ++i) {
            wire::Output name;
            OutputSink sink(name);
            copy::append_value(plan_->options, fields_[i], sink);
            const std::string before =
                "column name mismatch in header line field " + std::to_string(i + 1) + ": got ";
            const std::string after = ", expected \"" + plan_->fields[i].name + "\"";
            if (fields_[i].is_null) {
                return in_line(
                    "22P04",
                    before + "null value (\"" + plan_->options.null_text + "\")" + after,
                    line
                );
            }
            if (wire::as_text(name.bytes()) != plan_->fields[i].name) {
                const std::string got(wire::as_text(name.bytes()));
                return in_line("22P04", before + "\"" + got + "\"" + after, line);
            }
        }
        upstream.append_text(line);
    }
    upstream.append_text(end);
    return {};
}

Outcome CopyIn::take_fields(std::string_view line, wire::Output& upstream) {
    if (auto split = copy::split_line(plan_->options, line, fields_); !split.has_value()) {
        return in_line(split.error().sqlstate, split.error().message, line);
    }
    if (fields_.size() > plan_->columns.size()) {
        return in_line("22P04", "extra data after last expected column", line);
    }
    values_.read(*plan_, fields_);
    for (std::size_t i = 0; i < plan_->columns.size(); ++i) {
        if (i >= fields_.size()) {
            const std::string& name = plan_->fields[i].name;
            return in_line("22P04", "missing data for column \"" + name + "\"", line);
        }
        if (i > 0) {
            upstream.append_text({&plan_->options.delimiter, 1});
        }
        Outcome done = take_field(i, line, upstream);
        if (!done.has_value()) {
            return done;
        }
    }
    return {};
}

Outcome CopyIn::take_field(std::size_t index, std::string_view line, wire::Output& upstream) {
    const std::string_view raw = fields_[index].raw;
    if (plan_->columns[index].column == nullptr || !values_[index]) {
        upstream.append_text(raw);
        return {};
    }
    const auto envelope = sealer_.seal(index, values_.all(), lines_.line());
    if (!envelope.has_value()) {
        Refusal refusal = envelope.error();
        if (refusal.sqlstate == kBadEncoding) {
            refusal.where = types::check_utf8(raw).has_value()
                                ? copy_context(*plan_, lines_.line(), line)
                                : copy_context(*plan_, lines_.line());
        }
        return refusal;
    }
    std::string text = "\\x" + core::to_hex(*envelope);
    if (fields_[index].is_quoted) {
        // bytea reads over blanks; so the server's count of lines stays that of the client.
        std::copy_if(raw.begin(), raw.end(), std::back_inserter(text), [](char letter) {
            return letter == '\n' || letter == '\r';
        });
    }
    OutputSink sink(upstream);
    copy::append_field(plan_->options, text, {.is_forced = true}, sink);
    return {};
}

// ---- binary ----

Outcome CopyIn::take_units(wire::ByteView bytes, wire::Output& upstream) {
    if (Outcome kept = keep(bytes); !kept.has_value()) {
        return kept;
    }
    std::size_t used = 0;
    for (;;) {
        const wire::ByteView rest = begun_.bytes().subspan(used);
        if (rest.empty()) {
            break;
        }
        if (is_over_) {
            return at_line(types::invalid_value("22P04", "received copy data after EOF marker"));
        }
        rows_ += expects_header_ ? 0U : 1U;
        const auto unit =
            copy::next_unit(rest, expects_header_, plan_->columns.size(), binary_fields_);
        if (!unit.has_value()) {
            return expects_header_ ? refusal(unit.error()) : at_field(unit.error());
        }
        if (!*unit) {
            rows_ -= expects_header_ ? 0U : 1U;
            break;
        }
        used += (*unit)->size;
        if ((*unit)->kind == copy::BinaryUnit::Kind::kRow) {
            if (Outcome done = take_row(upstream); !done.has_value()) {
                return done;
            }
            continue;
        }
        expects_header_ = false;
        is_over_ = (*unit)->kind == copy::BinaryUnit::Kind::kTrailer;
        upstream.append(rest.first((*unit)->size));
    }
    if (used > 0) {
        wire::Output left;
        left.append(begun_.bytes().subspan(used));
        begun_ = std::move(left);
    }
    return {};
}

Outcome CopyIn::take_row(wire::Output& upstream) {
    cells_.clear();
    for (const copy::BinaryField& field : binary_fields_) {
        cells_.push_back({field, wire::Format::kBinary});
    }
    const std::size_t start = upstream.size();
    upstream.append_int16(static_cast<std::uint16_t>(cells_.size()));
    for (std::size_t i = 0; i < cells_.size(); ++i) {
        if (plan_->columns[i].column == nullptr || !cells_[i].cell) {
            wire::append_cell(upstream, cells_[i].cell);
            continue;
        }
        const auto envelope = sealer_.seal(i, cells_, rows_);
        if (!envelope.has_value()) {
            upstream.truncate(start);
            return envelope.error();
        }
        wire::append_cell(upstream, wire::ByteView(*envelope));
    }
    return {};
}

/// What is left of a header, or of the count of a row's fields, the server judges.
Outcome CopyIn::finish_units(wire::Output& upstream) {
    if (expects_header_ || begun_.size() < 2) {
        const DataMessage message(upstream);
        upstream.append(begun_.bytes());
        return {};
    }
    ++rows_;
    return at_field(types::invalid_value("22P04", "unexpected EOF in COPY data"));
}

/// The field that could not be read is the one behind those that could.
Refusal CopyIn::at_field(const types::Error& error) const {
    Refusal result = at_line(error);
    if (error.message.find("field count") == std::string::npos) {
        result.where += ", column " + plan_->fields[binary_fields_.size()].name;
    }
    return result;
}

Outcome CopyIn::finish(wire::Output& upstream) {
    if (plan_->options.format == Format::kBinary) {
        return finish_units(upstream);
    }
    const auto ended = lines_.finish();
    if (!ended.has_value()) {
        return at_line(ended.error());
    }
    if (begun_.empty() || is_over_) {
        return {};
    }
    const DataMessage message(upstream);
    return take_line(core::as_text(begun_.bytes()), lines_.end_size(), upstream);
}

bool begin_copy_in(SessionState& state, std::size_t columns, Outgoing& upstream) {
    const Expected& expected = *state.pending.front();
    std::shared_ptr<const Portal> portal = expected.portals[expected.current];
    const analysis::CopyPlan* const plan = portal->planned.plan()->copy.get();
    const bool fits = plan != nullptr && plan->is_from && !plan->is_refused_by_server &&
                      plan->columns.size() == columns && expected.segment->keys;
    if (!fits) {
        const std::string what = "COPY asks for " + std::to_string(columns) + " columns";
        refuse_copy(state, refusal(Reason::kRowMismatch, what), upstream);
        return false;
    }
    state.copying = std::make_shared<CopyIn>(state, std::move(portal), expected.segment);
    return true;
}

}  // namespace pgveil::relay
