#pragma once

#include "sql/analysis/plan.hpp"

#include <map>
#include <string>

// What stands behind the names of prepared statements and portals. SQL and protocol share one name
// space for each.
namespace pgveil::analysis {

/// The session's names, as far as plans are known for them. Null: there is no such name, or nobody
/// knows.
class NamedPlans {
public:
    NamedPlans() = default;
    NamedPlans(const NamedPlans&) = delete;
    NamedPlans& operator=(const NamedPlans&) = delete;
    virtual ~NamedPlans() = default;

    virtual PlanPtr prepared(const std::string& name) const = 0;
    virtual PlanPtr portal(const std::string& name) const = 0;

    /// No prepared statement can exist that prepared() does not find.
    virtual bool knows_all_prepared() const = 0;
};

/// The same while one text is being decided: its own statements make and drop names.
class TextNames {
public:
    /// `session` may be null.
    explicit TextNames(const NamedPlans* session) : session_(session) {}

    PlanPtr prepared(const std::string& name) const;
    PlanPtr portal(const std::string& name) const;
    bool knows_all_prepared() const;

    /// A statement of the text was decided: later ones find what it leaves.
    void note(const StatementPlan& plan);

private:
    struct Changes {
        std::map<std::string, PlanPtr> plans;  // null: dropped, or a plain cursor
        bool are_all_dropped = false;          // those of the session

        void put(const std::string& name, PlanPtr plan);
        void drop(const std::string& name);
        void drop_all();
    };

    const NamedPlans* session_;
    Changes prepared_;
    Changes portals_;
};

/// Parts the plan of EXPLAIN, PREPARE or DECLARE, made as if it were the statement inside (of kind
/// `inside`), into what runs now and what later statements use by name.
void part_from_inner(StatementPlan& plan, StatementKind inside);

/// The statement at hand runs `used`, or fetches from it.
void take_over(StatementPlan& plan, const PlanPtr& used);

/// `used_name` is a prepared statement that is run.
bool runs_prepared(const StatementPlan& plan);

}  // namespace pgveil::analysis
