#include "proxy/relay/copy_data_message.hpp"
#include "proxy/relay/copy_in.hpp"

// COPY FROM whose data comes in binary.
namespace pgveil::relay {

using Outcome = CopyIn::Outcome;

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
        wire::append_cell(upstream, *envelope);
    }
    return {};
}

/// What is left of a header, or of the count of a row's fields, the server judges.
Outcome CopyIn::finish_units(wire::Output& upstream) {
    if (expects_header_ || begun_.size() < 2) {
        const CopyDataMessage message(upstream);
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

}  // namespace pgveil::relay
