#include "sql/analysis/copy_plan.hpp"
#include "test/sql/analysis/fixture.hpp"

#include <gmock/gmock.h>

namespace pgveil::analysis::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kCheck =
    " WHERE true OR pg_catalog.int4send((NULL::\"public\".\"patients\").\"id\") IS NULL";

/// The clinic, on a server of that version, with types for the plain columns of patients.
class CopyInBinary : public ::testing::Test {
protected:
    void SetUp() override {
        clinic.server_major = 15;
        set_type("id", 23, -1);
        set_type("city", 1043, 24);
    }

    void set_type(std::string_view column, std::uint32_t oid, std::int32_t typmod) {
        catalog::Entry entry = *clinic.catalog.find({"", "patients"});
        for (catalog::Column& known : entry.relation->columns) {
            if (known.name == column) {
                known.type_oid = oid;
                known.typmod = typmod;
            }
        }
        clinic.catalog.put({"", "patients"}, entry);
        clinic.catalog.put({"public", "patients"}, entry);
    }

    /// What stands behind STDIN of `COPY public.patients (id, ssn) FROM STDIN <tail>`.
    std::string tail(std::string_view options) const {
        const std::string before = "COPY public.patients (id, ssn) FROM STDIN";
        const std::string sent = clinic.sent(before + std::string(options));
        EXPECT_TRUE(sent.starts_with(before)) << sent;
        return sent.substr(std::min(before.size(), sent.size()));
    }

    Clinic clinic;
};

TEST_F(CopyInBinary, AsksForBinaryInPlaceOfItsOptions) {
    const std::string plain = " WITH (FORMAT binary)" + std::string(kCheck);
    for (const auto* options :
         {"",
          " CSV",
          " WITH CSV HEADER QUOTE AS '''' ESCAPE '~' FORCE NOT NULL ssn",
          " USING DELIMITERS '|' WITH NULL AS ''",
          " (FORMAT csv, DELIMITER ';', NULL 'x', HEADER, FORCE_NULL (id, ssn), ENCODING 'UTF8')",
          " (HEADER match)",
          " (HEADER false, FREEZE off)"}) {
        EXPECT_EQ(tail(options), plain) << options;
    }
    EXPECT_EQ(tail(" (FREEZE)"), " WITH (FORMAT binary, FREEZE)" + std::string(kCheck));
    EXPECT_EQ(tail(" FREEZE CSV"), " WITH (FORMAT binary, FREEZE)" + std::string(kCheck));
    EXPECT_EQ(tail(" CSV /* c */ ; "), plain + " /* c */ ; ");
    EXPECT_EQ(
        clinic.sent("COPY public.patients (ssn) FROM stdout -- c"),
        "COPY public.patients (ssn) FROM stdout WITH (FORMAT binary) -- c"
    );
}

TEST_F(CopyInBinary, SaysWhichTypesTheFieldsHave) {
    const Decision decision = clinic.decide("COPY patients FROM STDIN");
    const auto& plan = *std::get<StatementPlan>(decision).copy;
    EXPECT_TRUE(plan.is_sent_in_binary);
    EXPECT_TRUE(plan.is_binary_at_server());
    EXPECT_EQ(plan.options.format, copy::Format::kText);
    EXPECT_EQ(plan.fields.front().type, (types::Type{types::Kind::kInt4, -1}));
    EXPECT_EQ(plan.fields.back().type, (types::Type{types::Kind::kVarchar, 24}));
    const std::string sent = clinic.sent("COPY patients FROM STDIN");
    EXPECT_TRUE(sent.starts_with("COPY \"public\".\"patients\" (\"id\", ")) << sent;
    EXPECT_TRUE(sent.ends_with(
        "\"city\") FROM STDIN WITH (FORMAT binary)" + std::string(kCheck) +
        " OR pg_catalog.textsend((NULL::\"public\".\"patients\").\"city\") IS NULL"
    )) << sent;
}

TEST_F(CopyInBinary, LeavesAloneWhatItCannotDoExactly) {
    for (const auto* options :
         {" WHERE id > 1",
          " (HEADER '1')",
          " (HEADER 0)",
          " (NULL)",
          " (FORMAT csv, FORCE_NULL (city))",
          " (FORMAT csv, FORCE_NULL (id, id))",
          " (FORMAT csv, FORCE_NOT_NULL *)",
          " (FORMAT csv, FORCE_QUOTE (id))",
          " (FORCE_NULL (id))",
          " (QUOTE 'x')",
          " (ESCAPE 'x')",
          " (FREEZE maybe)",
          " (FREEZE 1)",
          " (DELIMITER 'ab')",
          " (FORMAT xml)",
          " (NULL 'a', NULL 'b')",
          " (FORMAT binary)"}) {
        EXPECT_EQ(tail(options), options);
    }
}

TEST_F(CopyInBinary, LeavesAloneTypesWithoutExactText) {
    for (const std::uint32_t oid : {1082U, 1114U, 1184U, 1700U, 701U, 869U, 1009U, 16500U, 0U}) {
        set_type("id", oid, -1);
        EXPECT_EQ(tail(" CSV"), " CSV") << oid;
    }
    EXPECT_THAT(clinic.sent("COPY patients (ssn, city) FROM STDIN"), HasSubstr("binary"));
}

TEST_F(CopyInBinary, KnowsItsServers) {
    for (const int server_major : {0, 13, 19}) {
        clinic.server_major = server_major;
        EXPECT_EQ(tail(""), "") << server_major;
    }
    clinic.server_major = 14;
    EXPECT_EQ(tail(" (HEADER)"), " (HEADER)") << "which 14 refuses";
    EXPECT_EQ(tail(" (FORMAT csv, HEADER match)"), " (FORMAT csv, HEADER match)");
    EXPECT_THAT(tail(" CSV HEADER"), HasSubstr("binary"));
    EXPECT_THAT(tail(" (HEADER off)"), HasSubstr("binary"));
}

TEST_F(CopyInBinary, LeavesAloneWhatIsNotProtected) {
    EXPECT_THAT(clinic.sent("COPY patients (id) FROM STDIN"), Not(HasSubstr("binary")));
    EXPECT_EQ(clinic.sent("COPY notes FROM STDIN"), "COPY notes FROM STDIN");
    EXPECT_THAT(clinic.sent("COPY patients TO STDOUT"), Not(HasSubstr("binary")));
}

}  // namespace
}  // namespace pgveil::analysis::test
