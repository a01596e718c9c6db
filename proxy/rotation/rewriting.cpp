#include "proxy/rotation/rewriting.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

namespace pgveil::rotation {

namespace {

constexpr int kAttempts = 20;
/// Of one question for rows that are to be written anew.
constexpr std::int64_t kBlocks = 128;

std::string any_under(const Task& task, const std::vector<std::uint32_t>& former) {
    std::string condition;
    for (const std::string& column : task.columns) {
        condition += (condition.empty() ? "" : " OR ") + is_under(column, former);
    }
    return "(" + condition + ")";
}

std::string list_of(const std::vector<std::string>& names) {
    std::string list;
    for (const std::string& name : names) {
        list += ", " + quoted(name);
    }
    return list;
}

std::string range_of(std::int64_t block) {
    return " WHERE ctid >= '(" + std::to_string(block) + ",0)' AND ctid < '(" +
           std::to_string(block + kBlocks) + ",0)' AND ";
}

std::string place_list(const std::vector<std::string>& places) {
    std::string list;
    for (const std::string& place : places) {
        list += (list.empty() ? "'" : ", '") + place + "'";
    }
    return list;
}

}  // namespace

void Rewriting::wait_for_pace(std::int64_t rows) const {
    constexpr std::int64_t kMicrosecondsOfSecond = 1'000'000;
    if (pace_.rows_per_second > 0) {
        std::this_thread::sleep_for(
            std::chrono::microseconds(kMicrosecondsOfSecond * rows / pace_.rows_per_second)
        );
    }
}

Result<std::int64_t> Rewriting::count(const Task& task, const std::vector<std::uint32_t>& former) {
    const auto rows = database_.run(
        "SELECT count(*) FROM ONLY " + task.table.quoted + " WHERE " + any_under(task, former)
    );
    return rows ? Result<std::int64_t>(std::stoll(rows->front()[0])) : rows.error();
}

Result<std::int64_t> Rewriting::pass(
    const Task& task, const std::vector<std::uint32_t>& former, std::int64_t left
) {
    std::int64_t done = 0;
    for (std::int64_t block = 0; block < task.table.blocks; block += kBlocks) {
        const auto found = database_.run(
            "SELECT ctid FROM ONLY " + task.table.quoted + range_of(block) + any_under(task, former)
        );
        if (!found) {
            return found.error();
        }
        std::vector<std::string> places;
        for (const migration::Row& row : *found) {
            places.push_back(row[0]);
            const bool is_last = &row == &found->back();
            if (!is_last && std::ssize(places) < pace_.batch_rows) {
                continue;
            }
            const auto written = batch(task, places);
            if (!written) {
                return written.error();
            }
            done += *written;
            progress_.rows(done, std::max<std::int64_t>(left - done, 0));
            wait_for_pace(*written);
            places.clear();
        }
    }
    return done;
}

Result<std::int64_t> Rewriting::batch(const Task& task, const std::vector<std::string>& places) {
    for (int attempt = 1;; ++attempt) {
        if (const auto renewed = user_.renew(proxy_); !renewed) {
            return renewed.error();
        }
        auto done = transaction(task, places);
        if (done) {
            return done;
        }
        (void)proxy_.run("ROLLBACK");  // the first error says what is wrong
        if (attempt == kAttempts || !migration::is_passing(done.error())) {
            return done;
        }
    }
}

Result<std::int64_t> Rewriting::transaction(
    const Task& task, const std::vector<std::string>& places
) {
    if (const auto begun = proxy_.run("BEGIN ISOLATION LEVEL READ COMMITTED"); !begun) {
        return begun.error();
    }
    const auto rows = proxy_.cells(
        "SELECT ctid" + list_of(task.keys) + list_of(task.columns) + " FROM ONLY " +
            task.table.quoted + " WHERE ctid IN (" + place_list(places) + ") FOR NO KEY UPDATE",
        {}
    );
    if (!rows) {
        return rows.error();
    }
    for (const migration::Cells& row : *rows) {
        if (const auto written = write(task, row); !written) {
            return written.error();
        }
    }
    const auto committed = proxy_.run("COMMIT");
    return committed ? Result<std::int64_t>(std::ssize(*rows)) : committed.error();
}

Result<void> Rewriting::write(const Task& task, const migration::Cells& row) {
    migration::Row parameters;
    const auto parameter = [&parameters](const std::string& value) {
        parameters.push_back(value);
        return " = $" + std::to_string(parameters.size());
    };
    std::string set;
    std::vector<std::string> names;
    migration::Cells values;
    for (std::size_t i = 0; i < task.columns.size(); ++i) {
        const auto& value = row[1 + task.keys.size() + i];
        if (value) {  // NULL is stored as NULL
            set += (set.empty() ? "" : ", ") + quoted(task.columns[i]) + parameter(*value);
            names.push_back(task.columns[i]);
            values.push_back(value);
        }
    }
    if (names.empty()) {
        return {};
    }
    std::string place = " WHERE ctid" + parameter(*row[0]);
    for (std::size_t i = 0; i < task.keys.size(); ++i) {
        place += " AND " + quoted(task.keys[i]) + parameter(row[1 + i].value_or(""));
    }
    const auto stored = proxy_.cells(
        "UPDATE ONLY " + task.table.quoted + " SET " + set + place + " RETURNING " +
            list_of(names).substr(2),
        parameters
    );
    if (!stored) {
        return stored.error();
    }
    if (stored->size() != 1 || stored->front() != values) {
        return Error{
            "what is stored in " + task.table.quoted +
                " differs from what was written, or was not "
                "stored: look for triggers, rules and row security on that table; nothing of this "
                "batch "
                "was kept",
            {}};
    }
    return {};
}

}  // namespace pgveil::rotation
