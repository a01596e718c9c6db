#include "proxy/rotation/searchable.hpp"

#include <iostream>

namespace pgveil::rotation {

namespace {

/// What a run does with a bundle, on standard output.
void print_plan(const Bundle& bundle, const std::vector<std::string>& obstacles) {
    std::cout << "together:";
    for (const StoredTable& table : bundle) {
        std::cout << ' ' << table.name.schema << '.' << table.name.name;
    }
    std::cout
        << "\n  each is copied through the proxy into another table (T__veiled) under the "
           "next key, while triggers note what\n  changes; then all are renamed in one "
           "transaction (EXCLUSIVE for the last rows, ACCESS EXCLUSIVE for a moment),\n"
           "  are away for 1.5 x catalog_ttl_ms (statements fail: 42P01), and the former ones "
           "are dropped.\n  It takes the disk of the tables once more, and as much WAL\n";
    for (const std::string& obstacle : obstacles) {
        std::cout << "  in the way: " << obstacle << '\n';
    }
    std::cout << std::flush;
}

}  // namespace

Result<std::vector<Bundle>> Searchable::find(const std::set<config::PolicyName>& asked) {
    const auto tables = stored_tables(database_, policy_);
    if (!tables) {
        return tables.error();
    }
    return bundles(*tables, rekeying_.group, rekeying_.key_id, asked);
}

/// The user's groups included: who lacks one may be shown NULL, and would write that.
Result<std::vector<std::string>> Searchable::obstacles(const Bundle& bundle) {
    auto found = exchange_.obstacles(bundle);
    if (!found) {
        return found;
    }
    for (const StoredTable& table : bundle) {
        for (const StoredColumn& column : table.columns) {
            if (column.veil != nullptr && !user_.has_group(column.veil->group)) {
                found->push_back(
                    table.name.schema + "." + table.name.name + ": user " + user_.id() +
                    " lacks the key group " + column.veil->group + " of column " + column.name +
                    ": take the files of another user, or let the tenant grant it"
                );
            }
        }
    }
    return found;
}

Result<void> Searchable::run(
    const std::set<config::PolicyName>& asked,
    Connection& proxy,
    migration::Filling& filling,
    std::chrono::milliseconds absence
) {
    if (const auto ended = exchange_.end_former(); !ended) {
        return ended;
    }
    const auto found = find(asked);
    if (!found) {
        return found.error();
    }
    for (const Bundle& bundle : *found) {
        const auto lines = obstacles(bundle);
        if (!lines) {
            return lines.error();
        }
        for (const std::string& line : *lines) {
            progress_.say("in the way: " + line);
        }
        // What stays under the former key is named in the end.
        const auto done =
            lines->empty() ? exchange_.run(bundle, proxy, filling, absence) : Result<void>();
        if (!done) {
            return done;
        }
    }
    return {};
}

Result<void> Searchable::plan(const std::set<config::PolicyName>& asked) {
    const auto found = find(asked);
    if (!found) {
        return found.error();
    }
    bool is_free = true;
    for (const Bundle& bundle : *found) {
        const auto lines = obstacles(bundle);
        if (!lines) {
            return lines.error();
        }
        print_plan(bundle, *lines);
        is_free = is_free && lines->empty();
    }
    return is_free ? Result<void>() : Result<void>(migration::unusable("see above"));
}

}  // namespace pgveil::rotation
