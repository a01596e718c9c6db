#include "proxy/relay/copy_in.hpp"

#include "proxy/relay/copy_data_message.hpp"
#include "proxy/relay/output_sink.hpp"
#include "sql/types/text.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace pgveil::relay {

namespace {

using copy::Format;
using Outcome = CopyIn::Outcome;

/// PostgreSQL 18 and later take `\.` in csv for a value.
constexpr int kMarkerIsValue = 18;

/// PostgreSQL finds it before it knows of columns: when it undoes escapes, or reads the bytes.
constexpr std::string_view kBadEncoding = "22021";

constexpr std::uint8_t kBinaryResponse = 1;

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
      ) {
    if (plan_->is_sent_in_binary) {
        sent_ = std::make_shared<CopiedRows>();
    }
}

Outcome CopyIn::take(wire::ByteView bytes, wire::Output& upstream) {
    if (is_over_ && plan_->options.format != Format::kBinary) {
        return {};  // PostgreSQL reads on and drops it, too
    }
    begin(upstream);
    const CopyDataMessage message(upstream);
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
    result.where = copy_context(*plan_, std::max(lines_.line(), std::uint64_t{1}), line);
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

/// In csv PostgreSQL up to 17 wants a line end behind it, too.
bool CopyIn::is_end_marker(std::string_view line, std::size_t end_size) const {
    const bool is_value = plan_->options.format == Format::kCsv &&
                          (end_size == 0 || state_->settings.server_major() >= kMarkerIsValue);
    return line == "\\." && !is_value;
}

Outcome CopyIn::take_line(std::string_view bytes, std::size_t end_size, wire::Output& upstream) {
    const std::string_view line = bytes.substr(0, bytes.size() - end_size);
    const std::string_view end = bytes.substr(line.size());
    if (is_end_marker(line, end_size)) {
        is_over_ = true;
        return end_size == 0 ? Outcome(at_line(lines_.bad_marker())) : Outcome();
    }
    if (sent_ != nullptr) {
        return take_row_for_binary(line, upstream);
    }
    if (expects_header_) {
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
    Outcome checked = check_header(line);
    if (checked.has_value()) {
        upstream.append_text(plan_->options.header == copy::Header::kMatch ? line : "");
        upstream.append_text(end);
    }
    return checked;
}

Outcome CopyIn::check_header(std::string_view line) {
    expects_header_ = false;
    if (plan_->options.header != copy::Header::kMatch) {
        return {};
    }
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
                "22P04", before + "null value (\"" + plan_->options.null_text + "\")" + after, line
            );
        }
        if (wire::as_text(name.bytes()) != plan_->fields[i].name) {
            const std::string got(wire::as_text(name.bytes()));
            return in_line("22P04", before + "\"" + got + "\"" + after, line);
        }
    }
    return {};
}

/// The values of the line, for as many columns as it has fields.
Outcome CopyIn::read_fields(std::string_view line) {
    if (auto split = copy::split_line(plan_->options, line, fields_); !split.has_value()) {
        return in_line(split.error().sqlstate, split.error().message, line);
    }
    if (fields_.size() > plan_->columns.size()) {
        return in_line("22P04", "extra data after last expected column", line);
    }
    values_.read(*plan_, fields_);
    return {};
}

Refusal CopyIn::missing_field(std::size_t index, std::string_view line) const {
    const std::string& name = plan_->fields[index].name;
    return in_line("22P04", "missing data for column \"" + name + "\"", line);
}

Outcome CopyIn::take_fields(std::string_view line, wire::Output& upstream) {
    if (Outcome read = read_fields(line); !read.has_value()) {
        return read;
    }
    for (std::size_t i = 0; i < plan_->columns.size(); ++i) {
        if (i >= fields_.size()) {
            return missing_field(i, line);
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

boost::system::result<core::ByteView, Refusal> CopyIn::seal_field(
    std::size_t index, std::string_view line
) {
    auto envelope = sealer_.seal(index, values_.all(), lines_.line());
    if (!envelope.has_value()) {
        return in_encoding(std::move(envelope.error()), index, line);
    }
    return envelope;
}

/// `refusal` of that field; bytes that are no UTF-8 are not shown.
Refusal CopyIn::in_encoding(Refusal refusal, std::size_t index, std::string_view line) const {
    if (refusal.sqlstate == kBadEncoding) {
        refusal.where = types::check_utf8(fields_[index].raw).has_value()
                            ? copy_context(*plan_, lines_.line(), line)
                            : copy_context(*plan_, lines_.line());
    }
    return refusal;
}

Outcome CopyIn::take_field(std::size_t index, std::string_view line, wire::Output& upstream) {
    const std::string_view raw = fields_[index].raw;
    if (plan_->columns[index].column == nullptr || !values_[index]) {
        upstream.append_text(raw);
        return {};
    }
    const auto envelope = seal_field(index, line);
    if (!envelope.has_value()) {
        return envelope.error();
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

Outcome CopyIn::finish(wire::Output& upstream) {
    if (plan_->options.format == Format::kBinary) {
        return finish_units(upstream);
    }
    const auto ended = lines_.finish();
    if (!ended.has_value()) {
        return at_line(ended.error());
    }
    begin(upstream);
    const CopyDataMessage message(upstream);
    Outcome done;
    if (!begun_.empty() && !is_over_) {
        done = take_line(core::as_text(begun_.bytes()), lines_.end_size(), upstream);
    }
    if (sent_ == nullptr || !done.has_value()) {
        return done;
    }
    if (expects_header_) {
        done = check_header("");  // PostgreSQL looks for it even where there is no line
    }
    if (done.has_value()) {
        upstream.append_int16(copy::kTrailer);
    }
    return done;
}

bool begin_copy_in(SessionState& state, const wire::CopyResponse& response, Outgoing& upstream) {
    const std::size_t columns = response.column_formats.size();
    Expected& expected = *state.pending.front();
    std::shared_ptr<const Portal> portal = expected.portals[expected.current];
    const analysis::CopyPlan* const plan = portal->planned.plan()->copy.get();
    const bool fits = plan != nullptr && plan->is_from && !plan->is_refused_by_server &&
                      plan->columns.size() == columns && expected.segment->keys &&
                      plan->is_binary_at_server() == (response.format == kBinaryResponse);
    if (!fits) {
        const std::string what = "COPY asks for " + std::to_string(columns) + " columns";
        refuse_copy(state, refusal(Reason::kRowMismatch, what), upstream);
        return false;
    }
    state.copying = std::make_shared<CopyIn>(state, std::move(portal), expected.segment);
    expected.copied_rows = state.copying->sent_rows();
    return true;
}

}  // namespace pgveil::relay
