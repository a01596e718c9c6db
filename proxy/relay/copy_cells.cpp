#include "proxy/relay/copy_cells.hpp"

#include "proxy/relay/output_sink.hpp"

namespace pgveil::relay {

namespace {

bool is_wanted(const analysis::CopyPlan& plan, std::size_t index) {
    const analysis::ResultColumn& column = plan.columns[index];
    return plan.is_sent_in_binary || column.column != nullptr || column.key_kind;
}

/// As the server will decide it.
bool is_null(
    const analysis::CopyPlan& plan,
    std::size_t index,
    const copy::Field& field,
    std::string_view value
) {
    const bool has_wishes = index < plan.fields.size();
    if (field.is_null) {
        return !has_wishes || !plan.fields[index].is_never_null;
    }
    return has_wishes && plan.fields[index].may_be_quoted_null && field.is_quoted &&
           value == plan.options.null_text;
}

}  // namespace

void CopyCells::read(const analysis::CopyPlan& plan, std::span<const copy::Field> fields) {
    values_.clear();
    starts_.clear();
    cells_.assign(plan.columns.size(), {});
    OutputSink sink(values_);
    for (std::size_t i = 0; i < fields.size(); ++i) {
        starts_.push_back(values_.size());
        if (is_wanted(plan, i) && !copy::stands_as_written(plan.options, fields[i])) {
            copy::append_value(plan.options, fields[i], sink);
        }
    }
    starts_.push_back(values_.size());
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const wire::ByteView value =
            copy::stands_as_written(plan.options, fields[i])
                ? wire::as_bytes(fields[i].raw)
                : values_.bytes().subspan(starts_[i], starts_[i + 1] - starts_[i]);
        if (is_wanted(plan, i) && !is_null(plan, i, fields[i], wire::as_text(value))) {
            cells_[i].cell = value;
        }
    }
}

}  // namespace pgveil::relay
