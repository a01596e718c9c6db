#include "proxy/relay/key_groups.hpp"

#include "sql/analysis/copy_plan.hpp"
#include "test/keyshare/share/samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgveil::relay {

namespace {

using analysis::ColumnPtr;
using analysis::StatementPlan;
using testing::HasSubstr;

ColumnPtr column(std::string name, std::string group, bool is_null_without_key = false) {
    auto made = std::make_shared<field::ProtectedColumn>();
    made->schema = "public";
    made->table = "patients";
    made->name = std::move(name);
    made->group = std::move(group);
    made->is_null_without_key = is_null_without_key;
    return made;
}

/// The keys of nurse, who has group default of a tenant with default (key id 1) and medical (2).
class KeyGroups : public testing::Test {
protected:
    std::string sqlstate(const StatementPlan& plan) const {
        const auto missing = missing_group(keys_, plan);
        return missing ? missing->sqlstate : "";
    }

    std::string message(const StatementPlan& plan) const {
        const auto missing = missing_group(keys_, plan);
        return missing ? missing->message + " / " + missing->hint : "";
    }

    share::samples::Proxy proxy_;
    share::RequestKeys keys_ = [this] {
        const share::Enrolment enrolment = share::samples::enrol(proxy_);
        std::vector<share::RequestKeys::Group> groups;
        groups.push_back({"default", 1, share::WrappingKey()});
        return share::RequestKeys(
            {"acme", "nurse", 0},
            std::make_shared<const share::Keyring>(enrolment.keyring),
            std::move(groups)
        );
    }();
    const ColumnPtr name_ = column("name", "default");
    const ColumnPtr born_ = column("born", "medical");
    const ColumnPtr note_ = column("note", "medical", true);
};

analysis::ParameterPlan parameter_of(const ColumnPtr& column) {
    analysis::ParameterPlan parameter;
    parameter.number = 1;
    parameter.column = column;
    return parameter;
}

StatementPlan showing(const ColumnPtr& column, const std::vector<ColumnPtr>& others = {}) {
    StatementPlan plan;
    plan.results.push_back({column, {}, {}, {}, others});
    return plan;
}

TEST_F(KeyGroups, WhatTheSharesCoverNeedsNothingElse) {
    StatementPlan plan = showing(name_);
    plan.compared = {name_};
    plan.parameters.push_back(parameter_of(name_));
    EXPECT_EQ(sqlstate(plan), "");
    EXPECT_EQ(sqlstate(StatementPlan()), "");
}

TEST_F(KeyGroups, AResultOfAMissingGroupIsRefusedByNameBeforeAnythingIsSent) {
    EXPECT_EQ(sqlstate(showing(born_)), "42501");
    EXPECT_EQ(
        message(showing(born_)),
        "user nurse does not have key group medical, which reading public.patients.born needs / "
        "Leave the column out, or have the tenant administrator grant the group (pgveil-tenant "
        "group grant nurse medical) and use the new shares."
    );
    EXPECT_EQ(sqlstate(showing(name_, {born_})), "42501");
}

TEST_F(KeyGroups, AGroupThatTheTenantHasNotMadeIsSaidToBeMissing) {
    EXPECT_THAT(
        message(showing(column("x", "lab"))), HasSubstr("lab, which the tenant has not made")
    );
    EXPECT_THAT(message(showing(column("x", "lab"))), HasSubstr("group create lab"));
}

TEST_F(KeyGroups, AHiddenColumnMayBeShownAndNothingElse) {
    EXPECT_EQ(sqlstate(showing(note_)), "");
    EXPECT_EQ(sqlstate(showing(name_, {note_})), "");
    StatementPlan compared = showing(note_);
    compared.compared = {note_};
    EXPECT_THAT(message(compared), HasSubstr("comparing or sorting public.patients.note"));
    StatementPlan written;
    written.guarded = {note_};
    EXPECT_THAT(message(written), HasSubstr("writing public.patients.note"));
    StatementPlan with_parameter;
    with_parameter.parameters.push_back(parameter_of(note_));
    EXPECT_EQ(sqlstate(with_parameter), "42501");
    StatementPlan with_literal;
    with_literal.splices.push_back(
        {0, 1, analysis::SealedLiteral{note_, core::SecretBytes(), {}, {}}}
    );
    EXPECT_EQ(sqlstate(with_literal), "42501");
}

TEST_F(KeyGroups, ACopyOutMayHideAndACopyInMayNot) {
    const auto copying = [](bool is_from, const ColumnPtr& column) {
        auto copy = std::make_shared<analysis::CopyPlan>();
        copy->is_from = is_from;
        copy->columns.push_back({column, {}, {}});
        StatementPlan plan;
        plan.copy = std::move(copy);
        return plan;
    };
    EXPECT_EQ(sqlstate(copying(false, note_)), "");
    EXPECT_EQ(sqlstate(copying(false, born_)), "42501");
    EXPECT_EQ(sqlstate(copying(true, note_)), "42501");
    EXPECT_EQ(sqlstate(copying(true, born_)), "42501");
    EXPECT_EQ(sqlstate(copying(true, name_)), "");
}

TEST_F(KeyGroups, OnlyAValueUnderAKeyOfTheMissingGroupIsHidden) {
    EXPECT_TRUE(is_hidden(keys_, *note_, 2));
    EXPECT_FALSE(is_hidden(keys_, *note_, 1));
    EXPECT_FALSE(is_hidden(keys_, *note_, 3));
    EXPECT_FALSE(is_hidden(keys_, *born_, 2));
    EXPECT_FALSE(is_hidden(keys_, *column("name", "default", true), 1));
}

}  // namespace

}  // namespace pgveil::relay
