#pragma once

#include "proxy/audit/record.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace pgveil::relay {

/// What is recorded of one message (Query, Execute) with protected columns: the record is given to
/// `report` when it ends. If it never does, the destructor gives it, as "unanswered": the session
/// ended before, or the server skipped the message. Belongs to its session.
class AuditedStatement {
public:
    /// @param report lives longer
    AuditedStatement(const std::function<void(audit::Record)>& report, audit::Record begun);
    AuditedStatement(const AuditedStatement&) = delete;
    AuditedStatement& operator=(const AuditedStatement&) = delete;
    AuditedStatement(AuditedStatement&&) = delete;
    AuditedStatement& operator=(AuditedStatement&&) = delete;
    ~AuditedStatement();

    /// Its text with placeholders, if nobody has said that yet.
    void name(const std::shared_ptr<const std::string>& shown) {
        shown_ = shown_ == nullptr ? shown : shown_;
    }

    void add_column(const std::string& qualified_name);

    /// A row left for the client with its values opened.
    void opened_row() { ++record_.opened; }

    /// @param tag of CommandComplete
    void completed(std::string_view tag);

    /// The first reason counts.
    void failed(std::string_view sqlstate);

    void end();

private:
    void give(std::string_view result);

    const std::function<void(audit::Record)>* report_;
    audit::Record record_;
    std::shared_ptr<const std::string> shown_;
    bool is_reported_ = false;
};

}  // namespace pgveil::relay
