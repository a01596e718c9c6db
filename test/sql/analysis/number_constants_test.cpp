// Constants and parameters for numeric, float and char columns, and N'...'.
#include "test/sql/analysis/fixture.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pgveil::analysis::test {
namespace {

/// What stands in place of `constant` behind `column =`, or the refusal.
std::string compared(std::string_view column, std::string_view constant) {
    const Clinic clinic;
    const std::string start = "SELECT id FROM public.readings WHERE " + std::string(column) + " = ";
    const std::string sent = clinic.sent(start + std::string(constant));
    return sent.starts_with(start) ? sent.substr(start.size()) : sent;
}

std::string assigned(std::string_view column, std::string_view constant) {
    const Clinic clinic;
    const std::string start = "UPDATE public.readings SET " + std::string(column) + " = ";
    const std::string sent = clinic.sent(start + std::string(constant));
    return sent.starts_with(start) ? sent.substr(start.size()) : sent;
}

bool is_refused(const std::string& sent) {
    return sent.starts_with("!0A000");
}

TEST(NumberConstants, ReachANumericColumnAtItsScale) {
    EXPECT_EQ(compared("price", "12.5"), "{price=12.50}");
    EXPECT_EQ(compared("price", "12.500"), "{price=12.50}");
    EXPECT_EQ(compared("price", "7"), "{price=7.00}");
    EXPECT_EQ(compared("price", "-1e3"), "{price=-1000.00}");
    EXPECT_EQ(compared("price", "99999999999999999999"), "{price=99999999999999999999.00}");
    EXPECT_EQ(compared("price", "0.1::float8"), "{price=0.10}::pg_catalog.bytea");
    EXPECT_TRUE(is_refused(compared("price", "0.1::float4")));
    EXPECT_EQ(assigned("price", "0.005"), "{price=0.01}");
    EXPECT_EQ(assigned("level", "1.500"), "{level=1.500}");
    EXPECT_EQ(assigned("price", "999999.995"), "!22003 numeric field overflow");
}

TEST(NumberConstants, AreComparedWithAFloatInDoublePrecision) {
    EXPECT_EQ(compared("ratio", "0.5"), "{ratio=0.5}");
    // 0.1 is another number as float4 than as float8; only the untyped literal is a float4.
    EXPECT_TRUE(is_refused(compared("ratio", "0.1")));
    EXPECT_EQ(compared("ratio", "'0.1'"), "{ratio=0.1}");
    EXPECT_TRUE(is_refused(compared("ratio", "16777217")));
    EXPECT_EQ(compared("dose", "0.1"), "{dose=0.1}");
    EXPECT_EQ(compared("dose", "'-0'"), "{dose=0}");
    EXPECT_TRUE(is_refused(assigned("dose", "'-0'")));
    EXPECT_EQ(assigned("ratio", "0.1"), "{ratio=0.1}");
    EXPECT_EQ(assigned("ratio", "1e39::float8"), "!22003 value out of range: overflow");
}

TEST(NumberConstants, ReachAnIntegerColumnOnlyWhenWhole) {
    EXPECT_EQ(compared("big", "2.0"), "{big=2}");
    EXPECT_TRUE(is_refused(compared("big", "2.5")));
    EXPECT_EQ(compared("big", "1e3::float8"), "{big=1000}::pg_catalog.bytea");
    // 9007199254740992 and 9007199254740993 are one float8.
    EXPECT_TRUE(is_refused(compared("big", "9007199254740992::float8")));
    EXPECT_EQ(assigned("big", "2.5"), "{big=3}");
    EXPECT_EQ(assigned("big", "2.5::float8"), "{big=2}::pg_catalog.bytea");
    EXPECT_EQ(assigned("big", "1e19"), "!22003 bigint out of range");
}

TEST(NumberConstants, InAListAreReadInOneType) {
    const Clinic clinic;
    const auto in = [&clinic](std::string_view column, std::string_view list) {
        const std::string sql = "SELECT id FROM public.readings WHERE " + std::string(column) +
                                " IN (" + std::string(list) + ")";
        return is_refused(clinic.sent(sql));
    };
    EXPECT_FALSE(in("price", "'1.5', 2, 2.5"));
    EXPECT_FALSE(in("ratio", "'0.1', 2, 0.5"));
    EXPECT_TRUE(in("ratio", "'0.1', 0.5::float8"));
    EXPECT_TRUE(in("price", "'1.5', 0.5::float8"));
    EXPECT_TRUE(in("price", "1.5, 0.5::float8"));
    EXPECT_FALSE(in("price", "1.5::float8, 0.5::float8"));
    EXPECT_TRUE(in("big", "9007199254740993, 1::float8"));
    EXPECT_TRUE(in("big", "'1', 2.0"));
    EXPECT_FALSE(in("code", "'a', N'b', 'c'::varchar"));
    EXPECT_TRUE(in("code", "'a', 'b'::text"));
}

TEST(NumberParameters, KeepTheTypeTheClientDeclared) {
    const Clinic clinic;
    const auto parameters =
        [&clinic](std::string_view condition, std::vector<std::uint32_t> declared = {}) {
            return clinic.parameters(
                "SELECT 1 FROM readings WHERE " + std::string(condition), std::move(declared)
            );
        };
    EXPECT_EQ(parameters("price = $1"), "1:price compared 17/1700");
    EXPECT_EQ(parameters("price = $1", {701}), "1:price compared 17/701");
    EXPECT_EQ(parameters("big = $1", {1700}), "1:big compared 17/1700");
    EXPECT_EQ(parameters("ratio = $1"), "1:ratio compared 17/700");
    EXPECT_EQ(parameters("code = $1"), "1:code compared 17/1042");
    EXPECT_TRUE(is_refused(parameters("price = $1", {25})));
    // -0 is stored in no searchable column and compared as 0: two different needs.
    EXPECT_EQ(
        clinic.parameters("UPDATE readings SET dose = $1 WHERE dose = $1"),
        "1:dose compared 17/701,2 from 1:dose assigned 17/701"
    );
}

TEST(NationalConstants, AreCharacterConstantsOfAnyLength) {
    const Clinic clinic;
    EXPECT_EQ(
        clinic.sent("INSERT INTO public.patients (id, name, note) VALUES (1, N'ab  ', n'x ')"),
        "INSERT INTO public.patients (id, name, note) VALUES (1, {name=ab}, {note=x})"
    );
    EXPECT_EQ(
        clinic.sent("UPDATE public.patients SET name = N'longer than ten'"),
        "!22001 value too long for type character varying(10)"
    );
    EXPECT_EQ(compared("code", "N'ab  '"), "{code=ab}");
    EXPECT_EQ(
        clinic.sent("SELECT 1 FROM public.patients WHERE ssn = N'ab '"),
        "SELECT 1 FROM public.patients WHERE ssn = {ssn=ab}"
    );
    EXPECT_TRUE(is_refused(clinic.sent("SELECT 1 FROM public.patients WHERE email = N'ab'")));
    EXPECT_TRUE(is_refused(clinic.sent("UPDATE public.patients SET born = N'2020-01-01'")));
}

TEST(CharConstants, FollowTheLengthOfTheColumn) {
    EXPECT_EQ(compared("code", "'ab'"), "{code=ab}");
    EXPECT_EQ(compared("code", "'ab '"), "{code=ab}");
    EXPECT_EQ(compared("code", "'abcdef'::char(2)"), "{code=ab}::pg_catalog.bytea");
    EXPECT_EQ(compared("code", "char 'abcdef'"), "{code=abcdef}");
    EXPECT_EQ(assigned("code", "'abcd'"), "!22001 value too long for type character(3)");
    EXPECT_EQ(assigned("code", "12"), "{code=12}");
    EXPECT_TRUE(is_refused(compared("code", "'ab '::text")));
    EXPECT_TRUE(is_refused(compared("code", "'a'::\"char\"")));
}

TEST(CharColumns, OfTwoLengthsAreComparedButNotMerged) {
    const Clinic clinic;
    const auto sent = [&clinic](std::string_view sql) {
        return is_refused(clinic.sent(sql));
    };
    EXPECT_FALSE(sent("SELECT 1 FROM readings a JOIN readings b ON a.code = b.code5"));
    EXPECT_TRUE(sent("SELECT code FROM readings UNION ALL SELECT code5 FROM readings"));
    EXPECT_FALSE(sent("SELECT code FROM readings UNION ALL SELECT code FROM readings"));
    EXPECT_TRUE(
        sent("SELECT * FROM (SELECT code FROM readings) a JOIN "
             "(SELECT code5 AS code FROM readings) b USING (code)")
    );
    EXPECT_FALSE(
        sent("SELECT * FROM (SELECT code FROM readings) a JOIN "
             "(SELECT code FROM readings) b USING (code)")
    );
    EXPECT_TRUE(sent("UPDATE readings SET code = code5"));
}

}  // namespace
}  // namespace pgveil::analysis::test
