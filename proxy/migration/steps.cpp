#include "proxy/migration/steps.hpp"

#include "proxy/migration/expansion.hpp"

#include <chrono>
#include <thread>
#include <utility>

namespace pgveil::migration {

namespace {

constexpr int kLockAttempts = 30;

Result<void> mark_all(Connection& database, const Table& table) {
    const auto enqueued =
        table.is_enqueued ? Result<Rows>(Rows()) : database.run(enqueue_sql(table));
    return enqueued ? Result<void>() : Result<void>(enqueued.error());
}

Result<void> build_indexes(Connection& database, Progress& progress, const Table& table) {
    const auto statements = database.run(index_statements_query(table));
    if (!statements) {
        return statements.error();
    }
    for (const Row& row : *statements) {
        progress.say(row[0]);
        const auto built = database.run(row[0]);
        if (!built) {
            return built.error();
        }
    }
    const auto analyzed = database.run("ANALYZE " + table.sibling(Names(table.name)));
    return analyzed ? Result<void>() : Result<void>(analyzed.error());
}

}  // namespace

Result<void> run_with_lock(Connection& database, const std::string& sql) {
    for (int i = 1;; ++i) {
        const auto done = database.run(sql);
        if (done) {
            return {};
        }
        (void)database.run("ROLLBACK");  // the first error says what is wrong
        const bool is_waiting =
            done.error().sqlstate == "55P03" || done.error().sqlstate == "40P01";
        if (!is_waiting || i == kLockAttempts) {
            return done.error();
        }
        std::this_thread::sleep_for(std::chrono::seconds(1));
    }
}

Result<void> keep_alone(
    Connection& database, Progress& progress, int number, const std::string& what
) {
    for (int i = 0; i < kLockAttempts; ++i) {
        const auto taken = database.ask(
            "SELECT pg_catalog.pg_try_advisory_lock(" + std::to_string(number) +
                ", pg_catalog.hashtext($1))",
            {what}
        );
        if (!taken) {
            return taken.error();
        }
        if (taken->front()[0] == "t") {
            return {};
        }
        if (i == 0) {
            progress.say("another run is at work on " + what + ": waiting for its end");
        }
        std::this_thread::sleep_for(std::chrono::seconds(1));
    }
    return unusable("another run is still at work on " + what + ": wait for its end");
}

Result<void> bring_over(
    Connection& database,
    Filling& filling,
    Progress& progress,
    Table& table,
    const config::TablePolicy& policy
) {
    if (const auto marked = mark_all(database, table); !marked) {
        return marked;
    }
    const auto left = database.run("SELECT count(*) FROM " + Names(table.name).marks);
    if (!left) {
        return left.error();
    }
    progress.say(Names(table.name).table + ": " + left->front()[0] + " rows to bring over");
    if (const auto filled = filling.run(table, std::stoll(left->front()[0])); !filled) {
        return filled;
    }
    if (const auto built = build_indexes(database, progress, table); !built) {
        return built;
    }
    auto again = read_table(database, table.name, policy, table.rekeying);
    if (!again) {
        return again.error();
    }
    table = std::move(*again);
    return filling.run(table, 0);
}

}  // namespace pgveil::migration
