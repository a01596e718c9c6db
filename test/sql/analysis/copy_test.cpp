#include "sql/analysis/copy_plan.hpp"
#include "test/sql/analysis/fixture.hpp"

namespace pgveil::analysis::test {
namespace {

/// The fields of a COPY, "-" for plain ones, and what stands out among its options.
std::string copied(std::string_view sql) {
    const Decision decision = Clinic().decide(sql);
    if (const auto* const rejection = std::get_if<Rejection>(&decision)) {
        return rendered(*rejection);
    }
    const CopyPlan* const plan = std::get<StatementPlan>(decision).copy.get();
    if (plan == nullptr) {
        return "plain";
    }
    std::string shown = plan->is_from ? "from" : "to";
    for (std::size_t i = 0; i < plan->columns.size(); ++i) {
        const ResultColumn& column = plan->columns[i];
        shown += " " + (column.column == nullptr ? "-" : column.column->name);
        if (i < plan->fields.size()) {
            shown += plan->fields[i].is_never_null ? "!" : "";
            shown += plan->fields[i].may_be_quoted_null ? "?" : "";
        }
    }
    return shown + (plan->is_refused_by_server ? " refused" : "");
}

/// "text d=\t n=\N q=" e=" h=0"
std::string options(std::string_view tail) {
    const Decision decision =
        Clinic().decide("COPY patients (ssn) FROM STDIN " + std::string(tail));
    const auto* const plan = std::get_if<StatementPlan>(&decision);
    if (plan == nullptr || plan->copy == nullptr) {
        return "!";
    }
    const copy::Options& read = plan->copy->options;
    constexpr std::string_view kFormats[] = {"text", "csv", "binary"};
    return std::string(kFormats[static_cast<int>(read.format)]) + " d=" + read.delimiter +
           " n=" + read.null_text + " q=" + read.quote + " e=" + read.escape +
           " h=" + std::to_string(static_cast<int>(read.header)) +
           (plan->copy->is_refused_by_server ? " refused" : "");
}

TEST(Copy, ColumnsAreWrittenOut) {
    const Clinic clinic;
    EXPECT_EQ(
        clinic.sent("COPY patients (id, ssn) FROM STDIN"),
        "COPY \"public\".\"patients\" (id, ssn) FROM STDIN"
    );
    const std::string sent = clinic.sent("COPY patients/*x*/TO STDOUT");
    EXPECT_TRUE(sent.starts_with("COPY \"public\".\"patients\" (\"id\", ")) << sent;
    EXPECT_TRUE(sent.ends_with(")/*x*/TO STDOUT")) << sent;
    EXPECT_EQ(clinic.sent("COPY notes FROM STDIN"), "COPY notes FROM STDIN");
    EXPECT_EQ(
        clinic.sent("COPY (SELECT ssn FROM patients) TO STDOUT"),
        "COPY (SELECT ssn FROM \"public\".\"patients\") TO STDOUT"
    );
}

TEST(Copy, GeneratedColumnsAreNotAmongThem) {
    Clinic clinic;
    catalog::Entry entry = *clinic.catalog.find({"", "patients"});
    entry.relation->columns[0].is_generated = true;
    clinic.catalog.put({"", "patients"}, entry);
    const std::string sent = clinic.sent("COPY patients TO STDOUT");
    EXPECT_EQ(sent.find("\"id\""), std::string::npos) << sent;
}

TEST(Copy, FieldsThatAreProtected) {
    EXPECT_EQ(copied("COPY patients (id, ssn, name) FROM STDIN"), "from - ssn name");
    EXPECT_EQ(copied("COPY patients (id) FROM STDIN"), "plain");
    EXPECT_EQ(copied("COPY (SELECT id, ssn AS x FROM patients p) TO STDOUT"), "to - ssn");
    EXPECT_EQ(copied("COPY (SELECT id FROM patients) TO STDOUT"), "plain");
    EXPECT_EQ(copied("COPY (DELETE FROM patients RETURNING ssn) TO STDOUT"), "to ssn");
    EXPECT_EQ(
        copied("COPY patients (id, ssn, name) FROM STDIN CSV FORCE NOT NULL ssn FORCE NULL name, id"
        ),
        "from -? ssn! name?"
    );
}

TEST(Copy, Options) {
    EXPECT_EQ(options(""), "text d=\t n=\\N q=\" e=\" h=0");
    EXPECT_EQ(options("CSV"), "csv d=, n= q=\" e=\" h=0");
    EXPECT_EQ(
        options("WITH (FORMAT csv, QUOTE '''', NULL 'x', HEADER)"), "csv d=, n=x q=' e=' h=1"
    );
    EXPECT_EQ(
        options("(NULL 'x', ESCAPE '~', FORMAT csv, HEADER match)"), "csv d=, n=x q=\" e=~ h=2"
    );
    EXPECT_EQ(options("USING DELIMITERS '|' WITH NULL AS ''"), "text d=| n= q=\" e=\" h=0");
    EXPECT_EQ(options("BINARY"), "binary d=\t n=\\N q=\" e=\" h=0");
    EXPECT_EQ(options("(HEADER 0, FREEZE, ENCODING 'Utf-8')"), "text d=\t n=\\N q=\" e=\" h=0");
    for (const std::string_view wrong :
         {"(DELIMITER 'ab')",
          "(DELIMITER '')",
          "(DELIMITER 'a')",
          "(DELIMITER E'\\n')",
          "(HEADER maybe)",
          "(FORMAT xml)",
          "(NULL 'a', NULL 'b')",
          "(FORMAT csv, QUOTE ',')",
          "(NULL E'\\t')",
          "(FORMAT csv, NULL '\"')"}) {
        EXPECT_TRUE(options(wrong).ends_with(" refused")) << wrong << options(wrong);
    }
}

TEST(Copy, Refused) {
    EXPECT_EQ(
        copied("COPY patients FROM '/tmp/x'"),
        "!0A000 patients: COPY of a file or program at the server"
    );
    EXPECT_EQ(
        copied("COPY (SELECT ssn FROM patients) TO PROGRAM 'cat'"),
        "!0A000 a query of encrypted columns: COPY of a file or program at the server"
    );
    EXPECT_EQ(
        copied("COPY patients FROM STDIN (ON_ERROR ignore)"),
        "!0A000 encrypted columns: COPY with the option on_error"
    );
    EXPECT_EQ(
        copied("COPY patients FROM STDIN ENCODING 'latin1'"),
        "!0A000 encrypted columns: COPY with ENCODING latin1"
    );
    EXPECT_TRUE(copied("COPY patients (nothing) FROM STDIN").starts_with("!42703"));
    EXPECT_EQ(copied("COPY patients FROM STDIN WHERE name = 'x'").substr(0, 7), "!0A000 ");
    EXPECT_EQ(copied("COPY patients (ssn) FROM STDIN WHERE ssn = 'x'"), "from ssn");
}

TEST(Copy, InATextOfSeveralStatements) {
    const Clinic clinic;
    const auto refused = [&clinic](std::string_view sql) {
        const Analysis analysis = clinic.analyze(sql);
        return std::holds_alternative<Rejection>(analysis.statements.at(1));
    };
    EXPECT_FALSE(refused("COPY patients TO STDOUT; COPY visits TO STDOUT"));
    EXPECT_TRUE(refused("COPY patients TO STDOUT; DELETE FROM notes"));
    EXPECT_TRUE(refused("COPY patients TO STDOUT; COPY notes FROM STDIN"));
    EXPECT_TRUE(refused("SELECT ssn FROM patients; COPY (DELETE FROM notes RETURNING id) TO STDOUT")
    );
}

}  // namespace
}  // namespace pgveil::analysis::test
