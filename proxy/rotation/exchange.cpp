#include "proxy/rotation/exchange.hpp"

#include "config/migrating.hpp"
#include "proxy/migration/expansion.hpp"
#include "proxy/migration/obstacles.hpp"
#include "proxy/migration/steps.hpp"
#include "proxy/migration/views.hpp"

#include <utility>

namespace pgveil::rotation {

namespace {

using migration::Names;
using migration::Table;

Result<void> become(Connection& database, const std::string& owner) {
    const auto done = database.run("SET ROLE " + owner);
    return done ? Result<void>()
                : Result<void>(migration::unusable(
                      "--direct has to log in as the owner of the tables, " + owner +
                      ", or as one who may become it: " + done.error().message
                  ));
}

Result<void> step_back(Connection& database) {
    const auto done = database.run("RESET ROLE");
    return done ? Result<void>() : Result<void>(done.error());
}

std::string shown(const config::PolicyName& name) {
    return name.schema + "." + name.name;
}

}  // namespace

Result<Table> Exchange::read(const config::PolicyName& name) {
    return migration::read_table(database_, name, *policy_.find(name.schema, name.name), rekeying_);
}

Result<void> Exchange::drop_former(const config::PolicyName& name) {
    const Names names(name);
    const auto found = database_.ask(
        "SELECT pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(c.relowner)) FROM "
        "pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass($1) AND EXISTS (SELECT 1 FROM "
        "pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped AND a.atttypid "
        "= pg_catalog.to_regtype('pgveil.ciphertext')) AND pg_catalog.to_regclass($2) IS NOT NULL",
        {names.plain, names.table}
    );
    if (!found) {
        return found.error();
    }
    if (found->empty()) {
        return {};
    }
    const auto table =
        migration::read_table(database_, name, *policy_.find(name.schema, name.name));
    if (!table) {
        return table.error();
    }
    const auto views = migration::read_views(database_, names.plain);
    if (!views) {
        return views.error();
    }
    if (!views->empty()) {
        return migration::unusable(
            "view " + views->front() + " shows the former " + names.plain +
            ", because it could not be defined anew (the server's log says why): drop it, run this "
            "again, and create it through pgveil under its own name"
        );
    }
    if (const auto owner = become(database_, found->front()[0]); !owner) {
        return owner;
    }
    if (const auto dropped = migration::run_with_lock(database_, removal_sql(*table)); !dropped) {
        return dropped;
    }
    progress_.say("dropped " + names.plain + ", which stood under the former key");
    return step_back(database_);
}

Result<void> Exchange::end_former() {
    for (const config::TablePolicy& entry : policy_.tables()) {
        const config::PolicyName name{entry.schema, entry.name};
        if (!config::is_migrating(policy_, name.schema, name.name)) {
            continue;
        }
        const auto alone =
            migration::keep_alone(database_, progress_, migration::kTableLock, Names(name).table);
        if (!alone) {
            return alone;
        }
        if (const auto done = migration::Switchover::finish(database_, name); !done) {
            return done.error();
        }
        if (const auto back = step_back(database_); !back) {
            return back;
        }
        if (const auto dropped = drop_former(name); !dropped) {
            return dropped;
        }
    }
    return {};
}

Result<std::vector<std::string>> Exchange::obstacles(const Bundle& bundle) {
    std::vector<std::string> all;
    for (const StoredTable& stored : bundle) {
        const config::PolicyName& name = stored.name;
        const auto* const entry = policy_.find(name.schema, name.name);
        if (name != stored.root || entry == nullptr) {
            all.push_back(
                shown(name) + ": partitions and children cannot be rotated: detach it first"
            );
            continue;
        }
        if (!config::is_migrating(policy_, name.schema, name.name)) {
            all.push_back(
                shown(name) +
                ": the policy does not list it under \"migrating\": add it there, and "
                "reload every proxy (SIGHUP)"
            );
        }
        const auto table = read(name);
        if (!table) {
            all.push_back(shown(name) + ": " + table.error().message);
            continue;
        }
        if (table->has_sibling) {
            continue;  // begun, after nothing was in the way
        }
        const auto found = migration::find_obstacles(database_, *table, *entry);
        if (!found) {
            return found.error();
        }
        for (const std::string& obstacle : *found) {
            all.push_back(shown(name) + ": " + obstacle);
        }
    }
    return all;
}

Result<void> Exchange::prepare(Table& table, Connection& proxy, migration::Filling& filling) {
    const Names names(table.name);
    const config::TablePolicy& entry = *policy_.find(table.name.schema, table.name.name);
    if (const auto owner = become(database_, table.owner); !owner) {
        return owner;
    }
    if (!table.has_sibling) {
        progress_.say("making " + names.veiled + " and the triggers that mark rows");
        const auto made = migration::run_with_lock(database_, expansion_sql(table, entry));
        if (!made) {
            return made;
        }
        auto again = read(table.name);
        if (!again) {
            return again.error();
        }
        table = std::move(*again);
    }
    const auto seen = proxy.run("SELECT 1 FROM " + names.veiled + " LIMIT 0");
    if (!seen) {
        return migration::unusable(
            seen.error().message +
            "; the running proxy needs the policy with the table under \"migrating\": reload it "
            "(SIGHUP)"
        );
    }
    const auto filled = migration::bring_over(database_, filling, progress_, table, entry);
    return filled ? step_back(database_) : filled;
}

Result<void> Exchange::run(
    const Bundle& bundle,
    Connection& proxy,
    migration::Filling& filling,
    std::chrono::milliseconds absence
) {
    std::vector<Table> tables;
    for (const StoredTable& stored : bundle) {
        auto table = read(stored.name);
        if (!table) {
            return table.error();
        }
        if (const auto prepared = prepare(*table, proxy, filling); !prepared) {
            return prepared;
        }
        tables.push_back(std::move(*table));
    }
    progress_.say("switching: the tables are away for " + std::to_string(absence.count()) + " ms");
    migration::Switchover switchover(database_, filling, progress_, absence);
    if (const auto switched = switchover.run(tables); !switched) {
        return switched;
    }
    for (const Table& table : tables) {
        // A definition that comes through the proxy makes all its sessions look at the table again.
        (void)proxy.run(
            "ALTER TABLE " + Names(table.name).table + " ALTER COLUMN " + table.key.front() +
            " SET NOT NULL"
        );
        progress_.say(Names(table.name).table + " stands under the next key now");
        if (const auto validated = switchover.validate(table); !validated) {
            return validated;
        }
    }
    for (const Table& table : tables) {
        if (const auto dropped = drop_former(table.name); !dropped) {
            return dropped;
        }
    }
    return {};
}

}  // namespace pgveil::rotation
