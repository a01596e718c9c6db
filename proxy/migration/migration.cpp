#include "proxy/migration/migration.hpp"

#include "config/migrating.hpp"
#include "proxy/migration/expansion.hpp"
#include "proxy/migration/obstacles.hpp"
#include "proxy/migration/plan_text.hpp"
#include "proxy/migration/steps.hpp"
#include "proxy/migration/switchover.hpp"

#include <chrono>
#include <iostream>
#include <optional>
#include <utility>

namespace pgveil::migration {

namespace {

/// One run. The table is read anew after each step.
class Migration {
public:
    Migration(
        Connection database,
        config::PolicyName name,
        const config::TablePolicy& policy,
        std::chrono::milliseconds absence
    )
        : database_(std::move(database)),
          name_(std::move(name)),
          policy_(policy),
          absence_(absence) {}

    Result<void> run(const Request& request, Goal goal);

private:
    Result<void> look();
    Result<void> become_owner();
    Result<void> open_proxy(const Request& request);
    Result<void> expand();
    Result<void> set_defaults();
    Result<void> fill();
    Result<void> reach(Goal goal);
    Result<void> plan(Goal goal);
    Result<void> drop();
    Result<void> undo(Goal goal);
    Result<void> tell_end(Goal goal);

    bool is_at(Goal goal) const { return table_.is_veiled == (goal == Goal::kVeiled); }

    Connection database_;
    config::PolicyName name_;
    const config::TablePolicy& policy_;
    std::chrono::milliseconds absence_;
    Progress progress_;
    Table table_;
    std::optional<Connection> proxy_;
    std::optional<MaintenanceUser> user_;
    std::optional<Filling> filling_;
};

Result<void> Migration::look() {
    auto table = read_table(database_, name_, policy_);
    if (!table) {
        return table.error();
    }
    table_ = std::move(*table);
    return {};
}

Result<void> Migration::become_owner() {
    const auto done = database_.run(
        "SET statement_timeout = 0; SET standard_conforming_strings = on; SET ROLE " + table_.owner
    );
    if (!done) {
        return unusable(
            "--direct has to log in as the owner of the table, " + table_.owner +
            ", or as one who may become it: " + done.error().message
        );
    }
    return {};
}

Result<void> Migration::open_proxy(const Request& request) {
    auto user = MaintenanceUser::open(request.user);
    if (!user) {
        return user.error();
    }
    user_ = std::move(*user);
    for (const config::ColumnPolicy& column : policy_.columns) {
        // Who lacks it may be shown NULL, and would write that.
        if (!user_->has_group(column.group)) {
            return unusable(
                "user " + user_->id() + " lacks the key group " + column.group + " of column " +
                column.name + ": take the files of another user, or let the tenant grant it"
            );
        }
    }
    auto proxy = Connection::open(request.proxy, "the proxy");
    if (!proxy) {
        return proxy.error();
    }
    proxy_ = std::move(*proxy);
    filling_.emplace(*proxy_, *user_, progress_, request.pace);
    if (const auto prepared = filling_->prepare(); !prepared) {
        return prepared;
    }
    if (const auto renewed = user_->renew(*proxy_); !renewed) {
        return renewed;
    }
    // The running proxy has to have the policy that was read here.
    const auto seen = proxy_->run("SELECT 1 FROM " + Names(name_).table + " LIMIT 0");
    return seen ? Result<void>()
                : Result<void>(unusable(
                      seen.error().message +
                      "; the running proxy needs the policy with the table under \"migrating\": "
                      "reload it (SIGHUP)"
                  ));
}

Result<void> Migration::expand() {
    const auto obstacles = find_obstacles(database_, table_, policy_);
    if (!obstacles) {
        return obstacles.error();
    }
    if (!obstacles->empty()) {
        std::string list = "nothing was changed, because";
        for (const std::string& obstacle : *obstacles) {
            list += "\n  " + obstacle;
        }
        return unusable(list);
    }
    progress_.say("making " + table_.sibling(Names(name_)) + " and the triggers that mark rows");
    const auto done = run_with_lock(database_, expansion_sql(table_, policy_));
    return done ? look() : done;
}

/// A default is sealed by the proxy. One that was sealed cannot be shown again.
Result<void> Migration::set_defaults() {
    for (const Column& column : table_.columns) {
        const bool is_lost = column.veil != nullptr && !column.default_text.empty();
        if (is_lost && table_.is_veiled) {
            progress_.say("column " + column.name + " loses its default: set it again afterwards");
        } else if (is_lost) {
            const auto set = proxy_->run(
                "ALTER TABLE " + table_.sibling(Names(name_)) + " ALTER COLUMN " + column.name +
                " SET DEFAULT " + column.default_text
            );
            if (!set) {
                return set.error();
            }
        }
    }
    return {};
}

Result<void> Migration::fill() {
    const auto set = table_.is_enqueued ? Result<void>() : set_defaults();
    return set ? bring_over(database_, *filling_, progress_, table_, policy_) : set;
}

Result<void> Migration::reach(Goal goal) {
    if (is_at(goal)) {
        return {};
    }
    if (!table_.has_sibling) {
        if (const auto expanded = expand(); !expanded) {
            return expanded;
        }
    }
    if (const auto filled = fill(); !filled) {
        return filled;
    }
    progress_.say("switching: the table is away for " + std::to_string(absence_.count()) + " ms");
    Switchover switchover(database_, *filling_, progress_, absence_);
    if (const auto switched = switchover.run({table_}); !switched) {
        return switched;
    }
    // A definition that comes through the proxy makes all its sessions look at the table again.
    (void)proxy_->run(
        "ALTER TABLE " + Names(name_).table + " ALTER COLUMN " + table_.key.front() +
        " SET NOT NULL"
    );
    progress_.say(
        Names(name_).table + (goal == Goal::kVeiled ? " is encrypted now" : " is plain now")
    );
    const auto validated = switchover.validate(table_);
    return validated ? look() : validated;
}

Result<void> Migration::plan(Goal goal) {
    const auto obstacles = find_obstacles(database_, table_, policy_);
    if (!obstacles) {
        return obstacles.error();
    }
    std::cout << plan_text(table_, policy_, goal, *obstacles) << std::flush;
    return obstacles->empty() ? Result<void>() : Result<void>(unusable("see above"));
}

Result<void> Migration::drop() {
    const Names names(name_);
    const std::string dropped = table_.sibling(names);
    const auto done = run_with_lock(database_, removal_sql(table_));
    if (!done) {
        return done;
    }
    progress_.say("dropped " + dropped + ", the marks and the triggers");
    return look();
}

/// Back to the shape that is not the goal, then without what the way to the goal has left.
Result<void> Migration::undo(Goal goal) {
    const bool is_veiled = goal == Goal::kVeiled;
    if (is_at(goal) && !table_.has_sibling) {
        return unusable(
            std::string("there is nothing to go back to: the other table was dropped; use `pgveil "
            ) +
            (is_veiled ? "unmigrate" : "migrate") + "`"
        );
    }
    const auto reached = reach(is_veiled ? Goal::kPlain : Goal::kVeiled);
    if (!reached || !table_.has_sibling) {
        return reached;
    }
    return drop();
}

Result<void> Migration::tell_end(Goal goal) {
    const Names names(name_);
    const bool is_veiled = goal == Goal::kVeiled;
    const std::string verb = is_veiled ? "migrate" : "unmigrate";
    if (table_.has_sibling) {
        progress_.say(
            table_.sibling(names) + " keeps the table as it was" +
            (is_veiled ? ", unencrypted" : "") + ". `pgveil " + verb +
            " --drop` ends this, `--back` undoes it"
        );
    } else {
        progress_.say(
            names.table + (is_veiled ? " is encrypted" : " is plain") +
            (is_veiled ? ": take it out of \"migrating\" in the policy, and reload. Old WAL, "
                         "backups and, until VACUUM FULL, pg_statistic still hold what was "
                         "stored before"
                       : ": take it out of the policy, and reload")
        );
    }
    return {};
}

Result<void> Migration::run(const Request& request, Goal goal) {
    if (request.plan) {
        const auto looked = look();
        return looked ? plan(goal) : looked;
    }
    const auto alone = keep_alone(database_, progress_, kTableLock, Names(name_).table);
    if (!alone) {
        return alone;
    }
    if (const auto finished = Switchover::finish(database_, name_); !finished) {
        return finished.error();
    }
    if (const auto looked = look(); !looked) {
        return looked;
    }
    if (const auto owner = become_owner(); !owner) {
        return owner;
    }
    if (const auto opened = open_proxy(request); !opened) {
        return opened;
    }
    if (request.back) {
        return undo(goal);
    }
    if (const auto reached = reach(goal); !reached) {
        return reached;
    }
    if (request.drop && table_.has_sibling) {
        if (const auto dropped = drop(); !dropped) {
            return dropped;
        }
    }
    return tell_end(goal);
}

Result<void> begin(const config::Policy& policy, const Request& request, Goal goal) {
    const auto name = parse_table_name(request.table);
    if (!name) {
        return name.error();
    }
    const auto* const entry = policy.find(name->schema, name->name);
    if (entry == nullptr || entry->schema != name->schema) {
        return unusable(
            "the policy has no entry for " + name->schema + "." + name->name +
            ": add one that says which columns are to be encrypted"
        );
    }
    if (!config::is_migrating(policy, name->schema, name->name)) {
        return unusable(
            "the policy does not list " + name->schema + "." + name->name +
            " under \"migrating\": add it there, and reload every proxy (SIGHUP)"
        );
    }
    auto database = Connection::open(request.direct, "the database");
    if (!database) {
        return database.error();
    }
    constexpr std::int64_t kMoreMs = 250;
    const std::chrono::milliseconds absence(request.catalog_ttl_ms * 3 / 2 + kMoreMs);
    Migration migration(std::move(*database), *name, *entry, absence);
    return migration.run(request, goal);
}

}  // namespace

int run(const config::Policy& policy, const Request& request, Goal goal) {
    const auto done = begin(policy, request, goal);
    if (done) {
        return static_cast<int>(user::Exit::kOk);
    }
    std::cerr << "pgveil: " << done.error().message << '\n';
    return static_cast<int>(done.error().code);
}

}  // namespace pgveil::migration
