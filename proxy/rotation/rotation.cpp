#include "proxy/rotation/rotation.hpp"

#include "keyshare/share/rotation_report.hpp"
#include "keyshare/user/fresh_token.hpp"
#include "keyshare/user/private_file.hpp"
#include "proxy/migration/steps.hpp"
#include "proxy/migration/table.hpp"
#include "proxy/rotation/group_keys.hpp"
#include "proxy/rotation/older_transactions.hpp"
#include "proxy/rotation/rewriting.hpp"
#include "proxy/rotation/searchable.hpp"
#include "proxy/rotation/survey.hpp"
#include "sql/schema/inspection.hpp"

#include <chrono>
#include <iostream>
#include <optional>
#include <set>
#include <thread>
#include <utility>

namespace pgveil::rotation {

namespace {

using migration::unusable;

constexpr int kPasses = 10;
/// Of the advisory locks for one key group.
constexpr int kGroupLock = 1885828710;

/// One run.
class Rotation {
public:
    Rotation(
        const config::Policy& policy,
        const Request& request,
        Connection database,
        migration::MaintenanceUser user
    )
        : policy_(policy),
          request_(request),
          database_(std::move(database)),
          user_(std::move(user)) {}

    Result<void> run(const Mirror& mirror);

private:
    Result<void> read_keys(const Mirror& mirror);
    Result<void> await_next_key(const Mirror& mirror);
    Result<void> keep_alone();
    Result<void> open_proxy();
    Result<std::vector<Task>> tasks();
    Result<void> rewrite_all();
    Result<std::int64_t> rewrite_once(Rewriting& rewriting);
    Result<void> exchange_searchable();
    Searchable searchable();
    Result<void> look_everywhere();
    Result<void> tell_end(const std::vector<std::string>& databases);

    bool is_asked_for(const StoredTable& table) const;

    const config::Policy& policy_;
    const Request& request_;
    migration::Progress progress_;
    Connection database_;
    migration::MaintenanceUser user_;
    std::optional<Connection> proxy_;
    GroupKeys keys_;
    std::set<config::PolicyName> asked_;
};

Result<void> Rotation::read_keys(const Mirror& mirror) {
    const auto rows = mirror();
    if (!rows) {
        return rows.error();
    }
    auto keys = group_keys(*rows, user_, request_.group);
    if (!keys) {
        return keys.error();
    }
    keys_ = std::move(*keys);
    return {};
}

Result<void> Rotation::await_next_key(const Mirror& mirror) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    auto read = read_keys(mirror);
    const bool is_wanted = !request_.check;
    while (read && is_wanted && keys_.next == 0 && std::chrono::steady_clock::now() < end) {
        std::this_thread::sleep_for(std::chrono::milliseconds(250));
        read = read_keys(mirror);
    }
    if (!read || !is_wanted || keys_.next != 0) {
        return read;
    }
    return unusable(
        "key group " + request_.group +
        " has no next data key: the tenant makes one with `pgveil-tenant data-key new "
        "--group " +
        request_.group +
        " --apply URL`; if that is done, see in the proxy's log whether it reaches its home "
        "database"
    );
}

Result<void> Rotation::keep_alone() {
    const auto set = database_.run(
        "SET statement_timeout = 0; SET standard_conforming_strings = on; SET row_security = off"
    );
    if (!set) {
        return set.error();
    }
    return migration::keep_alone(database_, progress_, kGroupLock, request_.group);
}

Result<void> Rotation::open_proxy() {
    if (!user_.has_group(request_.group)) {
        return unusable(
            "user " + user_.id() + " lacks the key group " + request_.group +
            ": take the files of another user, or let the tenant grant it"
        );
    }
    auto proxy = Connection::open(request_.proxy, "the proxy");
    if (!proxy) {
        return proxy.error();
    }
    proxy_ = std::move(*proxy);
    if (const auto exact = migration::make_exact(*proxy_); !exact) {
        return exact;
    }
    return user_.renew(*proxy_);
}

bool Rotation::is_asked_for(const StoredTable& table) const {
    return asked_.empty() || asked_.contains(table.name) || asked_.contains(table.root);
}

/// What of the database is to be written anew: randomized columns of the group.
Result<std::vector<Task>> Rotation::tasks() {
    auto tables = stored_tables(database_, policy_);
    if (!tables) {
        return tables.error();
    }
    std::vector<Task> tasks;
    std::set<config::PolicyName> unknown = asked_;
    for (StoredTable& table : *tables) {
        unknown.erase(table.name);
        unknown.erase(table.root);
        Task task{std::move(table), {}, {}};
        std::set<std::string> keys;
        for (const StoredColumn& column : task.table.columns) {
            const bool is_randomized =
                column.veil != nullptr && (column.veil->scheme == config::Scheme::kRandomized ||
                                           column.veil->scheme == config::Scheme::kPadded);
            if (is_randomized && column.veil->group == request_.group) {
                task.columns.push_back(column.name);
                keys.insert(column.veil->bind_to.begin(), column.veil->bind_to.end());
            }
        }
        task.keys.assign(keys.begin(), keys.end());
        if (!task.table.is_view && !task.columns.empty() && is_asked_for(task.table)) {
            tasks.push_back(std::move(task));
        }
    }
    if (!unknown.empty()) {
        return unusable(
            "there is no table " + unknown.begin()->schema + "." + unknown.begin()->name +
            " with encrypted columns in this database"
        );
    }
    return tasks;
}

/// How many rows are left; those that were there before this have been written.
Result<std::int64_t> Rotation::rewrite_once(Rewriting& rewriting) {
    const auto found = tasks();
    if (!found) {
        return found.error();
    }
    std::int64_t written = 0;
    std::int64_t still = 0;
    for (const Task& task : *found) {
        const auto left = rewriting.count(task, keys_.former);
        if (!left) {
            return left.error();
        }
        if (*left == 0) {
            continue;
        }
        progress_.say(
            task.table.name.schema + "." + task.table.name.name + ": " + std::to_string(*left) +
            " rows to encrypt anew"
        );
        const auto done = rewriting.pass(task, keys_.former, *left);
        if (!done) {
            return done.error();
        }
        written += *done;
        still += *left;
    }
    if (still > 0 && written == 0) {
        return Error{
            std::to_string(still) +
                " rows cannot be read through the proxy as this login: look for row security, and "
                "at the rights of the login of --proxy",
            {}};
    }
    return still;
}

Result<void> Rotation::rewrite_all() {
    Rewriting rewriting(database_, *proxy_, user_, progress_, request_.pace);
    for (int pass = 0; pass < kPasses; ++pass) {
        const auto found = rewrite_once(rewriting);
        if (!found) {
            return found.error();
        }
        if (*found == 0) {
            return {};
        }
    }
    return Error{
        "values under the former key keep coming back: does every proxy run, and reach its share "
        "store?",
        {}};
}

Searchable Rotation::searchable() {
    return {database_, progress_, policy_, user_, {request_.group, keys_.next}};
}

Result<void> Rotation::exchange_searchable() {
    constexpr std::int64_t kMoreMs = 250;
    const std::chrono::milliseconds absence(request_.catalog_ttl_ms * 3 / 2 + kMoreMs);
    migration::Filling filling(*proxy_, user_, progress_, request_.pace);
    return searchable().run(asked_, *proxy_, filling, absence);
}

/// The tenant's key ids may stand in every database of the server.
Result<void> Rotation::look_everywhere() {
    const auto databases = database_.run(schema::databases_query());
    if (!databases) {
        return databases.error();
    }
    const Survey survey(progress_, policy_, request_.group, keys_);
    std::vector<std::string> seen;
    std::int64_t left = 0;
    for (const migration::Row& row : *databases) {
        const auto found = survey.left_in(request_.direct, row[0]);
        if (!found) {
            return found.error();
        }
        left += *found;
        seen.push_back(row[0]);
    }
    if (left > 0) {
        return Error{
            "the former key of key group " + request_.group + " is needed still, see above", {}};
    }
    return tell_end(seen);
}

Result<void> Rotation::tell_end(const std::vector<std::string>& databases) {
    progress_.say("no value of key group " + request_.group + " is left under a former key");
    if (request_.report.empty()) {
        return {};
    }
    const share::RotationReport report{
        user_.tenant(), request_.group, keys_.next, databases, user::seconds_now()};
    const auto saved = user::create_file(
        request_.report, core::as_bytes(share::serialize(report) + "\n"), user::Audience::kAnybody
    );
    if (!saved) {
        return Error{saved.error().message, {}, saved.error().code};
    }
    progress_.say(
        "wrote " + request_.report +
        ": with it the tenant may destroy the former key, by "
        "`pgveil-tenant data-key retire --group " +
        request_.group + " --report FILE --apply URL`"
    );
    return {};
}

Result<void> Rotation::run(const Mirror& mirror) {
    for (const std::string& table : request_.tables) {
        auto name = migration::parse_table_name(table);
        if (!name) {
            return name.error();
        }
        asked_.insert(std::move(*name));
    }
    if (!request_.report.empty() && user::exists(request_.report)) {
        return unusable(request_.report + " is there already: take it away, or name another file");
    }
    if (const auto read = await_next_key(mirror); !read) {
        return read;
    }
    if (const auto alone = keep_alone(); !alone) {
        return alone;
    }
    if (request_.check) {
        return look_everywhere();
    }
    if (request_.plan) {
        return searchable().plan(asked_);
    }
    const auto older = OlderTransactions::see(database_);
    if (!older) {
        return older.error();
    }
    if (const auto opened = open_proxy(); !opened) {
        return opened;
    }
    if (const auto exchanged = exchange_searchable(); !exchanged) {
        return exchanged;
    }
    if (const auto rewritten = rewrite_all(); !rewritten) {
        return rewritten;
    }
    if (const auto outlasted = older->outlast(database_, progress_); !outlasted) {
        return outlasted;
    }
    if (const auto rewritten = rewrite_all(); !rewritten) {
        return rewritten;
    }
    return look_everywhere();
}

Result<void> begin(const config::Policy& policy, const Mirror& mirror, const Request& request) {
    auto user = migration::MaintenanceUser::open(request.user);
    if (!user) {
        return user.error();
    }
    auto database = Connection::open(request.direct, "the database");
    if (!database) {
        return database.error();
    }
    Rotation rotation(policy, request, std::move(*database), std::move(*user));
    return rotation.run(mirror);
}

}  // namespace

int run(const config::Policy& policy, const Mirror& mirror, const Request& request) {
    const auto done = begin(policy, mirror, request);
    if (done) {
        return static_cast<int>(user::Exit::kOk);
    }
    std::cerr << "pgveil: " << done.error().message << '\n';
    return static_cast<int>(done.error().code);
}

}  // namespace pgveil::rotation
