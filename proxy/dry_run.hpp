#pragma once

#include "config/policy.hpp"
#include "proxy/mirror/database.hpp"
#include "sql/analysis/plan.hpp"

#include <memory>
#include <string_view>

namespace pgveil::proxy {

/// What pgveil would decide for a text in one database, found out without sending it. Asks the
/// database for the relations that the text names, as the proxy's own role and under its
/// search_path, and remembers the answers. One thread.
class DryRun {
public:
    /// `assume_protected`: a plain column that the policy names counts as encrypted already.
    DryRun(
        mirror::Database database,
        std::shared_ptr<const config::Policy> policy,
        bool assume_protected = false
    );

    /// An error: the database does not answer.
    mirror::Result<analysis::Analysis> analyze(std::string_view sql);

private:
    mirror::Result<void> look_up(const std::vector<catalog::RelationName>& names);
    void protect(catalog::Entry& entry) const;

    mirror::Database database_;
    std::shared_ptr<const config::Policy> policy_;
    bool assume_protected_;
    catalog::Catalog catalog_;
};

}  // namespace pgveil::proxy
