#include "proxy/migration/filling.hpp"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <thread>

namespace pgveil::migration {

namespace {

constexpr int kAttempts = 20;

/// The first of two texts' lines that differ, up to the end of the key.
std::string key_of_difference(
    std::string_view left, std::string_view right, std::size_t key_columns
) {
    const auto differing = std::mismatch(left.begin(), left.end(), right.begin(), right.end());
    const auto place = static_cast<std::size_t>(differing.first - left.begin());
    const std::size_t before = place == 0 ? std::string_view::npos : left.rfind('\n', place - 1);
    std::string_view line = left.substr(before == std::string_view::npos ? 0 : before + 1);
    std::size_t end = 0;
    for (std::size_t i = 0; i < key_columns; ++i) {
        end = line.find('\t', end == 0 ? 0 : end + 1);
    }
    return std::string(line.substr(0, std::min(end, line.find('\n'))));
}

std::string equal_keys(const Table& table) {
    std::string condition;
    for (const std::string& column : table.key) {
        condition.append(" AND t.").append(column).append(" = m.").append(column);
    }
    return condition;
}

}  // namespace

Result<void> Filling::prepare() {
    return make_exact(proxy_);
}

void Filling::wait_for_pace(std::int64_t rows) const {
    constexpr std::int64_t kMicroseconds = 1'000'000;
    if (pace_.rows_per_second > 0) {
        std::this_thread::sleep_for(
            std::chrono::microseconds(kMicroseconds * rows / pace_.rows_per_second)
        );
    }
}

Result<void> Filling::run(const Table& table, std::int64_t left) {
    // Unique values that rows have exchanged fit only if all these rows are replaced together.
    const std::int64_t limit = table.has_unique && table.is_indexed ? 0 : pace_.batch_rows;
    std::int64_t done = 0;
    for (std::int64_t rows = 1; rows > 0;) {
        const auto marks = batch(table, limit);
        if (!marks) {
            return marks.error();
        }
        rows = *marks < pace_.batch_rows ? 0 : *marks;
        done += *marks;
        progress_.rows(done, std::max<std::int64_t>(left - done, 0));
        wait_for_pace(rows);
    }
    return {};
}

Result<std::int64_t> Filling::batch(const Table& table, std::int64_t limit) {
    for (int attempt = 1;; ++attempt) {
        if (const auto renewed = user_.renew(proxy_); !renewed) {
            return renewed.error();
        }
        auto done = transaction(table, limit);
        if (done) {
            return done;
        }
        (void)proxy_.run("ROLLBACK");  // the first error says what is wrong
        if (attempt == kAttempts || !is_passing(done.error())) {
            return done;
        }
    }
}

Result<std::int64_t> Filling::transaction(const Table& table, std::int64_t limit) {
    const Names names(table.name);
    const std::string oldest =
        "SELECT max(pgveil_number), count(*) FROM (SELECT pgveil_number FROM " + names.marks +
        " ORDER BY pgveil_number" + (limit == 0 ? "" : " LIMIT " + std::to_string(limit)) + ") s";
    // One snapshot: marks that are seen and rows that are seen belong together.
    if (const auto begun = proxy_.run("BEGIN ISOLATION LEVEL REPEATABLE READ"); !begun) {
        return begun.error();
    }
    const auto found = proxy_.run(oldest);
    if (!found) {
        return found.error();
    }
    const std::int64_t count = std::stoll(found->front()[1]);
    const auto replaced = count == 0 ? Result<void>() : replace(table, found->front()[0]);
    if (!replaced) {
        return replaced.error();
    }
    const auto committed = proxy_.run("COMMIT");
    return committed ? Result<std::int64_t>(count) : Result<std::int64_t>(committed.error());
}

Result<void> Filling::replace(const Table& table, const std::string& bound) {
    const Names names(table.name);
    const std::string target = table.sibling(names);
    const std::string marked = " WHERE m.pgveil_number <= " + bound;
    const std::string columns = table.column_list();
    const std::string rows = " WHERE (" + table.key_list() + ") IN (SELECT " +
                             table.key_list("m.") + " FROM " + names.marks + " m" + marked +
                             ") ORDER BY " + table.key_list() + ") TO STDOUT";
    const auto deleted = proxy_.run(
        "DELETE FROM " + target + " t USING " + names.marks + " m" + marked + equal_keys(table)
    );
    if (!deleted) {
        return deleted.error();
    }
    const auto lines = proxy_.copy_out("COPY (SELECT " + columns + " FROM " + names.table + rows);
    if (!lines) {
        return lines.error();
    }
    const auto written = proxy_.copy_in("COPY " + target + " (" + columns + ") FROM STDIN", *lines);
    if (!written) {
        return written.error();
    }
    const auto stored = proxy_.copy_out("COPY (SELECT " + columns + " FROM " + target + rows);
    if (!stored) {
        return stored.error();
    }
    if (*stored != *lines) {
        return Error{
            "what is stored in " + target + " differs from " + names.table +
                " in the row with the key " + key_of_difference(*lines, *stored, table.key.size()) +
                ": nothing was switched; look at that row, then run this again",
            {}};
    }
    const auto cleared = proxy_.run("DELETE FROM " + names.marks + " m" + marked);
    return cleared ? Result<void>() : Result<void>(cleared.error());
}

}  // namespace pgveil::migration
