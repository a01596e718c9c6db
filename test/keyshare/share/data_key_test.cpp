#include "keyshare/share/data_key.hpp"

#include "keyshare/core/hash.hpp"
#include "keyshare/share/request_keys.hpp"
#include "keyshare/share/rewrap.hpp"
#include "keyshare/share/rotation_report.hpp"
#include "test/keyshare/share/samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

namespace pgveil::share {
namespace {

using testing::HasSubstr;

class DataKeys : public testing::Test {
protected:
    KeyringRow next(std::uint32_t key_id = 5) {
        auto row = next_row(
            keyring(),
            samples::kTenant,
            {"default", enrolment_.groups[0].key.duplicate()},
            key_id,
            core::system_random()
        );
        EXPECT_TRUE(row.has_value());
        return *std::move(row);
    }

    const Keyring& keyring() { return enrolment_.keyring; }

    RequestKeys keys() {
        std::vector<RequestKeys::Group> groups;
        const TenantKeyPlace place{samples::kTenant, "default", kFirstEpoch};
        groups.push_back({"default", kFirstEpoch, wrapping_key_of(enrolment_.groups[0].key, place)}
        );
        return RequestKeys(
            {std::string(samples::kTenant), "nurse", 0},
            std::make_shared<const Keyring>(keyring()),
            std::move(groups)
        );
    }

    core::Bytes column_key(std::uint32_t key_id) {
        RequestKeys request = keys();
        const auto key = request.column_key({"default", "a", "randomized", "xaes", 32, key_id});
        return key.has_value() ? core::to_bytes(key->key->reveal()) : core::Bytes();
    }

    Enrolment enrolment_ = samples::enrol(samples::Proxy());
};

TEST_F(DataKeys, TheNextOneTakesNewValuesThatNobodySearchesForAndBothOpen) {
    ASSERT_EQ(objection_to_next(keyring(), next()), "");
    enrolment_.keyring = with_rows(keyring(), {next()});
    ASSERT_TRUE(check_rows(keyring()).has_value());
    EXPECT_EQ(keyring().next("default")->dek_epoch, 2U);
    EXPECT_EQ(keyring().live("default")->key_id, 1U);
    EXPECT_EQ(keyring().next("medical"), nullptr);
    EXPECT_EQ(*keys().sealing_key_id("default", true), 1U);
    EXPECT_EQ(*keys().sealing_key_id("default", false), 5U);
    EXPECT_EQ(*keys().sealing_key_id("medical", false), 2U);
    EXPECT_EQ(*keys().sealing_key_id("default", true, 5), 5U);  // the database says so
    EXPECT_EQ(*keys().sealing_key_id("default", true, 1), 1U);
    EXPECT_EQ(*keys().sealing_key_id("default", false, 1), 5U);
    EXPECT_FALSE(keys().sealing_key_id("default", true, 2).has_value());  // of another group
    EXPECT_FALSE(keys().sealing_key_id("default", true, 9).has_value());
    EXPECT_FALSE(column_key(1).empty());
    EXPECT_FALSE(column_key(5).empty());
    EXPECT_NE(column_key(1), column_key(5));
    EXPECT_TRUE(check_keys(enrolment_).has_value());
}

TEST_F(DataKeys, ARetiredOneIsNowhereAndTheNextOneIsLive) {
    enrolment_.keyring = with_rows(keyring(), {next()});
    const core::Bytes kept = column_key(5);
    ASSERT_FALSE(column_key(1).empty());  // the control
    const Keyring before = keyring();
    const auto row = successor(before, "default");
    ASSERT_TRUE(row.has_value());
    EXPECT_TRUE(has_later_row_form(*row, KeyState::kLive));
    ASSERT_EQ(objection_to_successor(before, *row), "");
    enrolment_.keyring = with_successor(before, *row);
    ASSERT_TRUE(check_rows(keyring()).has_value());
    EXPECT_EQ(keyring().find("default", 1), nullptr);
    EXPECT_EQ(keyring().live("default")->key_id, 5U);
    EXPECT_EQ(keyring().live("default")->previous, core::sha256(core::as_bytes(serialize(before))));
    EXPECT_EQ(*keyring().live("medical"), *before.live("medical"));
    EXPECT_TRUE(column_key(1).empty());
    EXPECT_EQ(column_key(5), kept);
    EXPECT_EQ(*keys().sealing_key_id("default", true), 5U);
    EXPECT_FALSE(successor(keyring(), "default").has_value());
}

TEST_F(DataKeys, ANewTKIsAroundTheNextOneToo) {
    enrolment_.keyring = with_rows(keyring(), {next()});
    const core::Bytes live = column_key(1), following = column_key(5);
    const auto fresh = samples::counting<TenantKey>(9);
    const auto rows = rewrapped_rows(
        keyring(),
        samples::kTenant,
        {"default", enrolment_.groups[0].key.duplicate()},
        fresh,
        core::system_random()
    );
    ASSERT_TRUE(rows.has_value());
    ASSERT_EQ(rows->size(), 2U);
    ASSERT_TRUE(has_rewrapped_form(*rows));
    ASSERT_EQ(objection_to_rewrap(keyring(), *rows), "");
    enrolment_.keyring = with_rewrapped(keyring(), *rows);
    const TenantKeyPlace place{samples::kTenant, "default", 2};
    std::vector<RequestKeys::Group> groups;
    groups.push_back({"default", 2, wrapping_key_of(fresh, place)});
    RequestKeys request(
        {std::string(samples::kTenant), "nurse", 0},
        std::make_shared<const Keyring>(keyring()),
        std::move(groups)
    );
    const auto opened = [&](std::uint32_t key_id) {
        const auto key = request.column_key({"default", "a", "randomized", "xaes", 32, key_id});
        return key.has_value() ? core::to_bytes(key->key->reveal()) : core::Bytes();
    };
    EXPECT_EQ(opened(1), live);
    EXPECT_EQ(opened(5), following);
}

TEST_F(DataKeys, WhatDoesNotFollowIsRefused) {
    const auto other = [&](auto change) {
        KeyringRow row = next();
        change(row);
        return objection_to_next(keyring(), row);
    };
    EXPECT_EQ(other([](KeyringRow&) {}), "");
    EXPECT_THAT(other([](KeyringRow& row) { row.key_id = 2; }), HasSubstr("older home"));
    EXPECT_THAT(other([](KeyringRow& row) { row.tk_epoch = 2; }), HasSubstr("older home"));
    EXPECT_THAT(other([](KeyringRow& row) { row.dek_epoch = 3; }), HasSubstr("older home"));
    EXPECT_THAT(other([](KeyringRow& row) { row.key_check[0] ^= 1U; }), HasSubstr("older home"));
    EXPECT_THAT(other([](KeyringRow& row) { row.group = "lab"; }), HasSubstr("no key group lab"));
    enrolment_.keyring = with_rows(keyring(), {next()});
    EXPECT_THAT(objection_to_next(keyring(), next(6)), HasSubstr("has a next data key already"));
    KeyringRow row = *successor(keyring(), "default");
    row.wrap[30] ^= 1U;
    EXPECT_THAT(objection_to_successor(keyring(), row), HasSubstr("older home"));
    EXPECT_FALSE(next_row(
                     keyring(),
                     samples::kTenant,
                     {"default", samples::counting<TenantKey>(8)},
                     7,
                     core::system_random()
    )
                     .has_value());
}

TEST_F(DataKeys, AStateThatThisProgramDoesNotKnowIsRefusedAndNotTakenForRetired) {
    const std::string json = serialize(with_rows(keyring(), {next()}));
    ASSERT_TRUE(parse_keyring(json).has_value());
    std::string unknown = json;
    unknown.replace(unknown.find("\"next\""), 6, "\"last\"");
    EXPECT_FALSE(parse_keyring(unknown).has_value());
    std::string alone = json;  // a next one needs a live one beside it
    alone.replace(alone.find("\"live\""), 6, "\"retired\"");
    EXPECT_FALSE(parse_keyring(alone).has_value());
}

TEST(RotationReport, HasOneFormAndComesBack) {
    const RotationReport report{"acme", "default", 5, {"clinic", "a\"b"}, samples::kNow};
    const std::string text = serialize(report);
    const auto back = parse_rotation_report(text + "\n");
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->next_key_id, 5U);
    EXPECT_EQ(back->databases, report.databases);
    EXPECT_EQ(back->at_s, samples::kNow);
    EXPECT_FALSE(parse_rotation_report(text + "\n\n").has_value());
    EXPECT_FALSE(parse_rotation_report(" " + text).has_value());
    EXPECT_FALSE(parse_rotation_report("{}").has_value());
    std::string other = text;
    other.replace(other.find("/1"), 2, "/2");
    EXPECT_FALSE(parse_rotation_report(other).has_value());
}

}  // namespace
}  // namespace pgveil::share
