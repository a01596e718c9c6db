#include "proxy/relay/copy_data_message.hpp"
#include "proxy/relay/copy_in.hpp"
#include "proxy/relay/output_sink.hpp"
#include "sql/types/exact_text.hpp"
#include "sql/types/text.hpp"

#include <utility>

// COPY FROM whose data comes in text or csv and leaves in binary.
namespace pgveil::relay {

using Outcome = CopyIn::Outcome;

void CopyIn::begin(wire::Output& upstream) {
    if (sent_ != nullptr && !std::exchange(has_begun_, true)) {
        const CopyDataMessage message(upstream);
        upstream.append(copy::plain_header());
    }
}

/// The server would look at the bytes of the line before anything else.
Outcome CopyIn::take_row_for_binary(std::string_view line, wire::Output& upstream) {
    if (const auto checked = types::check_utf8(line); !checked.has_value()) {
        return at_line(checked.error());
    }
    if (expects_header_) {
        sent_->skip(lines_.line());
        return check_header(line);
    }
    const std::size_t start = upstream.size();
    Outcome done = append_row(line, upstream);
    if (done.has_value()) {
        sent_->add(lines_.line());
    } else {
        upstream.truncate(start);
    }
    return done;
}

Outcome CopyIn::append_row(std::string_view line, wire::Output& upstream) {
    if (Outcome read = read_fields(line); !read.has_value()) {
        return read;
    }
    upstream.append_int16(static_cast<std::uint16_t>(plan_->columns.size()));
    for (std::size_t i = 0; i < plan_->columns.size(); ++i) {
        Outcome done =
            i < fields_.size() ? append_field(i, line, upstream) : Outcome(missing_field(i, line));
        if (!done.has_value()) {
            return done;
        }
    }
    return {};
}

Outcome CopyIn::append_field(std::size_t index, std::string_view line, wire::Output& upstream) {
    if (!values_[index]) {
        wire::append_cell(upstream, {});
        return {};
    }
    if (plan_->columns[index].column == nullptr) {
        return append_plain(index, line, upstream);
    }
    const auto envelope = seal_field(index, line);
    if (!envelope.has_value()) {
        return envelope.error();
    }
    wire::append_cell(upstream, *envelope);
    return {};
}

Outcome CopyIn::append_plain(std::size_t index, std::string_view line, wire::Output& upstream) {
    const std::size_t start = upstream.size();
    upstream.append_int32(0);
    OutputSink sink(upstream);
    const auto written = types::append_send_form(
        plan_->fields[index].type,
        core::as_text(*values_[index]),
        state_->settings.server_major(),
        sink
    );
    if (!written.has_value()) {
        Refusal refused =
            sealer_.located(refusal(written.error()), index, values_.all()[index], lines_.line());
        return in_encoding(std::move(refused), index, line);
    }
    const std::size_t size = upstream.size() - start - sizeof(std::uint32_t);
    upstream.patch_int32(start, static_cast<std::uint32_t>(size));
    return {};
}

}  // namespace pgveil::relay
