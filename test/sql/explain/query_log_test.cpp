#include "sql/explain/query_log.hpp"

#include <gtest/gtest.h>

#include <sstream>
#include <vector>

namespace pgveil::explain {
namespace {

/// "line/database: text", one per statement.
std::vector<std::string> read(const std::string& log) {
    std::istringstream stream(log);
    std::vector<std::string> found;
    read_query_log(stream, [&](const LoggedStatement& statement) {
        found.push_back(
            std::to_string(statement.line) + "/" + statement.database + ": " + statement.text
        );
    });
    return found;
}

using Found = std::vector<std::string>;

TEST(QueryLog, FindsStatementsInTheDefaultFormat) {
    EXPECT_EQ(
        read("2026-11-21 20:00:00.000 UTC [7] LOG:  statement: SELECT 1\n"
             "2026-11-21 20:00:00.001 UTC [7] LOG:  execute <unnamed>: SELECT $1\n"
             "2026-11-21 20:00:00.001 UTC [7] DETAIL:  parameters: $1 = 'x'\n"
             "2026-11-21 20:00:00.002 UTC [7] LOG:  duration: 0.250 ms  statement: SELECT 2\n"
             "2026-11-21 20:00:00.002 UTC [7] LOG:  duration: 0.250 ms  parse s1: SELECT 3\n"
             "2026-11-21 20:00:00.002 UTC [7] LOG:  duration: 0.250 ms  execute s1: SELECT 3\n"
             "2026-11-21 20:00:00.003 UTC [7] LOG:  00000: statement: SELECT 4\n"
             "2026-11-21 20:00:00.003 UTC [7] LOCATION:  exec_simple_query, postgres.c:1019\n"
             "2026-11-21 20:00:00.003 UTC [7] LOG:  checkpoint starting: time\n"),
        (Found{"1/: SELECT 1", "2/: SELECT $1", "4/: SELECT 2", "6/: SELECT 3", "7/: SELECT 4"})
    );
}

TEST(QueryLog, FollowsAStatementOverLines) {
    EXPECT_EQ(
        read("x LOG:  statement: SELECT 1,\n\t\t2\n\n\t3\nx ERROR:  no\nx STATEMENT:  SELECT 9\n"),
        (Found{"1/: SELECT 1,\n\t2"})
    );
}

TEST(QueryLog, ReadsCsv) {
    EXPECT_EQ(
        read("2026-11-21 20:00:00.000 "
             "UTC,\"app\",\"clinic\",7,\"::1:5\",6.1,1,\"idle\",t,2/3,0,LOG,00000,"
             "\"statement: SELECT \"\"a\"\",\n 'b, c'\",,,,,,,,,\"psql\"\n"
             "2026-11-21 20:00:00.000 UTC,,,7,,6.1,1,,t,,0,LOG,00000,\"checkpoint\",,,,,,,,,\"\"\n"
             "2026-11-21 20:00:00.000 "
             "UTC,\"app\",\"other\",7,\"::1:5\",6.1,1,\"idle\",t,2/3,0,LOG,00000,"
             "\"execute s: SELECT 2\",,,,,,,,,\"psql\"\n"),
        (Found{"1/clinic: SELECT \"a\",\n 'b, c'", "4/other: SELECT 2"})
    );
}

TEST(QueryLog, ReadsJson) {
    EXPECT_EQ(
        read(R"({"dbname":"clinic","error_severity":"LOG","message":"statement: SELECT 'ä\n'"})"
             "\n{\"message\":7}\n{broken\n"
             R"({"message":"duration: 1.5 ms  statement: SELECT 2"})"),
        (Found{"1/clinic: SELECT 'ä\n'", "4/: SELECT 2"})
    );
}

TEST(QueryLog, FindsNothingInOtherBytes) {
    EXPECT_EQ(read(""), Found{});
    EXPECT_EQ(read(std::string("\0\"\n\t\n,,,\n{\n", 11)), Found{});
    EXPECT_EQ(statement_of_message("duration: 1"), "");
    EXPECT_EQ(statement_of_message("execute x"), "");
}

}  // namespace
}  // namespace pgveil::explain
