#include "keyshare/share/command.hpp"

#include "keyshare/share/first_row.hpp"
#include "keyshare/share/rewrap.hpp"
#include "test/keyshare/share/samples.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace pgveil::share {
namespace {

using samples::kNow;

class CommandTest : public testing::Test {
protected:
    UserShares nurse() const {
        return *make_user(enrolment_, "nurse", {"default", "medical"}, 1, core::system_random());
    }

    std::string add() { return *make_add_user(enrolment_, identity_, nurse(), {kNow, kNow + 600}); }

    std::string create(const std::string& group, std::uint32_t key_id) {
        return *make_create_group(
            enrolment_, identity_, {group, key_id}, {kNow, kNow + 600}, core::system_random()
        );
    }

    struct RenewalOfTk {
        GroupKey key;
        std::string jws;
    };

    // Of group default, which clerk and nurse have.
    RenewalOfTk renew_tk() {
        RenewalOfTk renewal{*next_key(enrolment_, "default", core::system_random()), {}};
        const UserShares doctor = nurse();
        const UserShares clerk =
            *make_user(enrolment_, "clerk", {"default"}, 1, core::system_random());
        std::vector<RenewedUser> users;
        for (const UserShares* held : {&doctor, &clerk}) {
            const UserKey kept = user_key_of(*held, enrolment_);
            users.push_back(renewed_user(
                enrolment_, *renew_user(enrolment_, renewal.key, kept, 2, core::system_random())
            ));
        }
        renewal.jws = *make_renew_tk(
            enrolment_,
            identity_,
            renewal.key,
            std::move(users),
            {kNow, kNow + 600},
            core::system_random()
        );
        return renewal;
    }

    Result<Command> verify(std::string_view jws) const {
        return verify_command(jws, identity_.signing.verifying_key(), "acme");
    }

    // The payload of `jws` after a textual change, signed again with the tenant's own key.
    std::string signed_again(std::string_view jws, std::string_view from, std::string_view to)
        const {
        const auto parts = core::parse_jws(jws);
        std::string payload(core::as_text(parts->payload));
        const std::size_t at = payload.find(from);
        EXPECT_NE(at, std::string::npos);
        payload.replace(at, from.size(), to);
        return core::sign_jws(identity_.signing, "pgveil-command", core::as_bytes(payload));
    }

    samples::Proxy proxy_;
    TenantIdentity identity_ = TenantIdentity::generate();
    Enrolment enrolment_ = samples::enrol(proxy_);
};

TEST_F(CommandTest, CarriesTheProxyPartsToTheCommandKeyOnly) {
    const UserShares shares = nurse();
    const std::string jws = *make_add_user(enrolment_, identity_, shares, {kNow, kNow + 600});
    const auto command = verify(jws);
    ASSERT_TRUE(command.has_value());
    EXPECT_EQ(command->sequence, 1U);
    EXPECT_EQ(command->previous, Digest{9});
    const auto parts = open_parts(*command, proxy_.command_key);
    ASSERT_TRUE(parts.has_value());
    ASSERT_EQ(parts->size(), 2U);
    EXPECT_TRUE(
        std::ranges::equal((*parts)[1].part.reveal(), shares.groups[1].triple.proxy.reveal())
    );
    EXPECT_FALSE(open_parts(*command, core::HpkeKeyPair::generate()).has_value());
}

TEST_F(CommandTest, SealedPartsDoNotOpenForAnotherUserEpochOrNumber) {
    const Command command = *verify(add());
    ASSERT_TRUE(open_parts(command, proxy_.command_key).has_value());
    Command other = command;
    other.user_id = "clerk";
    EXPECT_FALSE(open_parts(other, proxy_.command_key).has_value());
    other = command;
    other.epoch = 2;
    EXPECT_FALSE(open_parts(other, proxy_.command_key).has_value());
    other = command;
    other.sequence = 2;
    EXPECT_FALSE(open_parts(other, proxy_.command_key).has_value());
}

TEST_F(CommandTest, ContinuesTheChain) {
    const std::string first = add();
    const std::string second = *make_withdraw_user(enrolment_, identity_, "nurse", kNow);
    const auto command = verify(second);
    ASSERT_TRUE(command.has_value());
    EXPECT_EQ(command->sequence, 2U);
    EXPECT_EQ(command->previous, *core::jws_hash(first));
    EXPECT_EQ(enrolment_.head.hash, *core::jws_hash(second));
}

TEST_F(CommandTest, EveryFlippedBitIsRefused) {
    const std::string jws = add();
    ASSERT_TRUE(verify(jws).has_value());
    for (std::size_t at = 0; at < jws.size(); ++at) {
        ASSERT_FALSE(verify(samples::flip(jws, at, at % 8)).has_value()) << at;
    }
}

TEST_F(CommandTest, AnotherTenantsSignatureOrNameIsRefused) {
    const std::string jws = add();
    const TenantIdentity other = TenantIdentity::generate();
    EXPECT_FALSE(verify_command(jws, other.signing.verifying_key(), "acme").has_value());
    EXPECT_FALSE(verify_command(jws, identity_.signing.verifying_key(), "other").has_value());
}

TEST_F(CommandTest, AnUnknownOperationIsRefusedByName) {
    const auto refused = verify(signed_again(add(), "add_user", "burn_user"));
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
    EXPECT_NE(refused.error().message.find("burn_user"), std::string::npos);
}

TEST_F(CommandTest, UnknownMissingOrOddlyWrittenFieldsAreRefused) {
    const std::string jws = add();
    ASSERT_TRUE(verify(signed_again(jws, "\"seq\":1", "\"seq\":1")).has_value());
    EXPECT_FALSE(verify(signed_again(jws, "\"seq\":1", "\"seq\":1,\"more\":1")).has_value());
    EXPECT_FALSE(verify(signed_again(jws, "\"seq\":1,", "")).has_value());
    EXPECT_FALSE(verify(signed_again(jws, "\"seq\":1", "\"seq\":1.0")).has_value());
    EXPECT_FALSE(verify(signed_again(jws, "\"seq\":1", "\"seq\": 1")).has_value());
    EXPECT_FALSE(verify(signed_again(jws, "\"seq\":1", "\"seq\":0")).has_value());
    EXPECT_FALSE(verify(signed_again(jws, "\"seq\":1", "\"seq\":-1")).has_value());
    EXPECT_FALSE(verify(signed_again(jws, "nurse", "nu\\u0072se")).has_value());
}

TEST_F(CommandTest, CreateGroupCarriesAWrapUnderATKThatTheTenantKeeps) {
    const std::string jws = create("lab", 3);
    const auto command = verify(jws);
    ASSERT_TRUE(command.has_value());
    EXPECT_EQ(command->operation, Operation::kCreateGroup);
    ASSERT_EQ(command->wraps.size(), 1U);
    const KeyringRow& row = command->wraps.front();
    EXPECT_TRUE(has_first_row_form(row));
    ASSERT_EQ(enrolment_.groups.size(), 3U);
    EXPECT_EQ(enrolment_.groups.back().group, "lab");
    EXPECT_FALSE(check_keys(enrolment_).has_value());  // P does not have it yet
    enrolment_.keyring = with_rows(enrolment_.keyring, {row});
    EXPECT_TRUE(check_keys(enrolment_).has_value());
}

TEST_F(CommandTest, CreateGroupNeedsANewNameAndAnId) {
    core::RandomSource& random = core::system_random();
    const CommandTimes times{kNow, kNow + 600};
    for (const char* name : {"medical", "Lab", "", "1"}) {
        EXPECT_FALSE(make_create_group(enrolment_, identity_, {name, 3}, times, random).has_value())
            << name;
    }
    EXPECT_FALSE(make_create_group(enrolment_, identity_, {"lab", 0}, times, random).has_value());
    EXPECT_FALSE(
        make_create_group(enrolment_, identity_, {"lab", 3}, {kNow, kNow}, random).has_value()
    );
    EXPECT_EQ(enrolment_.groups.size(), 2U);
    EXPECT_EQ(enrolment_.head.sequence, 0U);
}

TEST_F(CommandTest, ARowOfAnotherFormThanAFirstOneIsRefused) {
    const std::string jws = create("lab", 3);
    ASSERT_TRUE(verify(signed_again(jws, "\"key_id\":3", "\"key_id\":4")).has_value());
    for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
             {"\"key_id\":3", "\"key_id\":0"},
             {"\"tk_epoch\":1", "\"tk_epoch\":2"},
             {"\"dek_epoch\":1", "\"dek_epoch\":2"},
             {"\"state\":\"live\"", "\"state\":\"retired\""},
             {"\"version\":0", "\"version\":1"},
             {"\"wrap\":\"", "\"wrap\":\"AAAA"},
             {"\"zero\":\"", "\"zero\":\"AAAA"},
             {"\"uid\":\"\"", "\"uid\":\"nurse\""},
             {"\"groups\":[\"lab\"]", "\"groups\":[\"default\"]"},
             {"create_group", "withdraw_user"}}) {
        EXPECT_FALSE(verify(signed_again(jws, from, to)).has_value()) << from;
    }
    EXPECT_FALSE(
        verify(signed_again(add(), "\"commitments\"", "\"wraps\":[],\"commitments\"")).has_value()
    );
}

TEST_F(CommandTest, RenewTkCarriesTheSameKeysUnderAnotherTKAndThePartsOfEverybody) {
    const RenewalOfTk renewal = renew_tk();
    const auto command = verify(renewal.jws);
    ASSERT_TRUE(command.has_value());
    ASSERT_EQ(command->wraps.size(), 1U);
    EXPECT_TRUE(has_rewrapped_form(command->wraps));
    EXPECT_EQ(objection_to_rewrap(enrolment_.keyring, command->wraps), "");
    const auto parts = open_parts_of_users(*command, proxy_.command_key);
    ASSERT_TRUE(parts.has_value());
    ASSERT_EQ(parts->size(), 2U);
    EXPECT_EQ(command->users[0].user_id, "clerk");
    EXPECT_EQ(command->users[1].user_id, "nurse");
    EXPECT_EQ((*parts)[1].size(), 2U);
    EXPECT_FALSE(open_parts(*command, proxy_.command_key).has_value());
    EXPECT_FALSE(open_parts_of_users(*command, core::HpkeKeyPair::generate()).has_value());

    EXPECT_TRUE(check_keys(enrolment_).has_value());
    enrolment_.keyring = with_rewrapped(enrolment_.keyring, command->wraps);
    EXPECT_FALSE(check_keys(enrolment_).has_value());
    take_over(enrolment_, {renewal.key.group, renewal.key.tk_epoch, renewal.key.key.duplicate()});
    EXPECT_TRUE(check_keys(enrolment_).has_value());
    EXPECT_NE(objection_to_rewrap(enrolment_.keyring, command->wraps), "");  // not a second time
}

TEST_F(CommandTest, ARenewTkOfAnotherFormIsRefused) {
    const std::string jws = renew_tk().jws;
    ASSERT_TRUE(verify(signed_again(jws, "\"tk_epoch\":2", "\"tk_epoch\":3")).has_value());
    for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
             {"\"tk_epoch\":2", "\"tk_epoch\":1"},
             {"\"state\":\"live\"", "\"state\":\"retired\""},
             {"\"version\":0", "\"version\":1"},
             {"\"wrap\":\"", "\"wrap\":\"AAAA"},
             {"\"zero\":\"", "\"zero\":\"AAAA"},
             {"\"uid\":\"\"", "\"uid\":\"nurse\""},
             {"\"uid\":\"clerk\"", "\"uid\":\"nurse\""},
             {"\"uid\":\"clerk\"", "\"uid\":\"zoe\""},
             {"\"group\":\"default\",\"user_epoch\"", "\"group\":\"doctor\",\"user_epoch\""},
             {"\"epoch\":2", "\"epoch\":0"},
             {"\"groups\":[\"default\"]", "\"groups\":[\"medical\"]"},
             {"renew_tk", "create_group"}}) {
        EXPECT_FALSE(verify(signed_again(jws, from, to)).has_value()) << from;
    }
}

TEST_F(CommandTest, TheArgumentHoldsSeveralSeparatedByCommas) {
    const std::string first = add();
    const std::string second = *make_withdraw_user(enrolment_, identity_, "nurse", kNow);
    const std::string argument = join_commands({first, second});
    const auto split = split_commands(argument);
    ASSERT_TRUE(split.has_value());
    EXPECT_EQ(*split, (std::vector<std::string_view>{first, second}));
    EXPECT_FALSE(split_commands("").has_value());
    EXPECT_FALSE(split_commands(first + ",").has_value());
    EXPECT_FALSE(split_commands("," + first).has_value());
    EXPECT_FALSE(split_commands(std::string(1001, ',')).has_value());
}

}  // namespace
}  // namespace pgveil::share
