#include "proxy/relay/audited_statement.hpp"

#include "sql/parse/placeholders.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace pgveil::relay {

AuditedStatement::AuditedStatement(
    const std::function<void(audit::Record)>& report, audit::Record begun
)
    : report_(&report), record_(std::move(begun)) {}

AuditedStatement::~AuditedStatement() {
    if (!is_reported_) {
        give("unanswered");
    }
}

void AuditedStatement::add_column(const std::string& qualified_name) {
    auto& columns = record_.columns;
    if (std::find(columns.begin(), columns.end(), qualified_name) == columns.end()) {
        columns.push_back(qualified_name);
    }
}

void AuditedStatement::completed(std::string_view tag) {
    const std::size_t blank = tag.rfind(' ');
    std::uint64_t rows = 0;
    if (blank != std::string_view::npos) {
        const std::string_view digits = tag.substr(blank + 1);
        std::from_chars(digits.data(), digits.data() + digits.size(), rows);
    }
    record_.affected += rows;
    if (tag.starts_with("COPY ")) {
        record_.opened = std::min(record_.opened, rows);  // a header is no row
    }
}

void AuditedStatement::failed(std::string_view sqlstate) {
    if (record_.result.empty()) {
        record_.result = sqlstate;
    }
}

void AuditedStatement::end() {
    if (!is_reported_) {
        give("ok");
    }
}

void AuditedStatement::give(std::string_view result) {
    is_reported_ = true;
    const bool has_failed = !record_.result.empty();
    if (!has_failed) {
        record_.result = result;
    }
    if (shown_ != nullptr) {
        record_.statement =
            audit::fingerprint_of(has_failed ? parse::without_quoted_names(*shown_) : *shown_);
    }
    (*report_)(std::move(record_));
}

}  // namespace pgveil::relay
