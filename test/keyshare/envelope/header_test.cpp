#include "keyshare/envelope/header.hpp"

#include "keyshare/core/lp.hpp"
#include "test/keyshare/envelope/memory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace pgveil::envelope {
namespace {

using testing::HasSubstr;

const Policy& for_the_auditors() {
    static const Policy kPolicy{
        .who = {"audit", "dr. Grey"}, .until_s = 1'900'000'000, .purpose = "yearly audit"};
    return kPolicy;
}

class EnvelopeHeader : public testing::Test {
protected:
    FreshFile fresh(const Policy& policy) const {
        auto made = make_header(group_.public_key, policy, core::system_random());
        EXPECT_TRUE(made);
        return *std::move(made);
    }

    /// Why the header opens no key; empty if it does.
    std::string refusal(core::ByteView bytes) const {
        const auto header = parse_header(bytes);
        if (!header) {
            return header.error().message;
        }
        const auto key = open_keys(*header, core::ecdh_x(group_.key, header->point)->reveal());
        return key ? "" : key.error().message;
    }

    Group group_;
};

TEST_F(EnvelopeHeader, C5_CarriesItsPolicy) {
    const FreshFile file = fresh(for_the_auditors());
    const auto header = parse_header(file.header.bytes);
    ASSERT_TRUE(header);
    EXPECT_EQ(header->policy, for_the_auditors());
    EXPECT_EQ(header->group, group_.public_key.fingerprint());
    EXPECT_EQ(header->point, file.header.point);
    EXPECT_EQ(refusal(file.header.bytes), "");
    const auto key = open_keys(*header, core::ecdh_x(group_.key, header->point)->reveal());
    EXPECT_TRUE(core::equal_in_constant_time(key->reveal(), file.body_key.reveal()));
}

TEST_F(EnvelopeHeader, C5_EveryFlippedBitIsNoticed) {
    const core::Bytes sound = fresh(for_the_auditors()).header.bytes;
    for (std::size_t bit = 0; bit < sound.size() * 8; bit += 3) {
        core::Bytes altered = sound;
        altered[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        EXPECT_NE(refusal(altered), "") << "bit " << bit;
    }
}

TEST_F(EnvelopeHeader, EveryOtherLengthIsRefused) {
    core::Bytes bytes = fresh({}).header.bytes;
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_NE(refusal(core::ByteView(bytes).first(size)), "") << size;
    }
    bytes.push_back(0);
    EXPECT_THAT(refusal(bytes), HasSubstr("it is cut off"));
}

TEST_F(EnvelopeHeader, ASizeOutOfBoundsIsNotRead) {
    core::Bytes start = fresh({}).header.bytes;
    start.resize(kHeaderStartSize);
    ASSERT_TRUE(header_size(start));
    start[18] = 0xff;
    EXPECT_THAT(header_size(start).error().message, HasSubstr("out of bounds"));
}

/// What somebody can do who has a file but not its scalar: put other fields before its point.
core::Bytes with_policy(const Header& from, const Policy& policy) {
    const auto until = core::big_endian64(static_cast<std::uint64_t>(policy.until_s));
    std::vector<core::ByteView> parts = {
        from.group, from.point.bytes(), from.prefix, until, core::as_bytes(policy.purpose)};
    for (const std::string& name : policy.who) {
        parts.push_back(core::as_bytes(name));
    }
    const core::Bytes fields = core::length_prefixed(parts);
    const core::ByteView old(from.bytes);
    core::Bytes bytes = core::to_bytes(old.first(kHeaderStartSize - 4));
    core::append(bytes, core::big_endian32(static_cast<std::uint32_t>(fields.size())));
    core::append(bytes, fields);
    core::append(bytes, old.last(core::kSignatureSize + core::kSha256Size));
    return bytes;
}

TEST_F(EnvelopeHeader, C5_AnotherPolicyBeforeTheSamePointIsRefusedWithoutAnyKey) {
    const Header header = fresh(for_the_auditors()).header;
    EXPECT_EQ(with_policy(header, for_the_auditors()), header.bytes);  // the forger writes soundly
    Policy wider = for_the_auditors();
    wider.who.clear();
    EXPECT_THAT(
        parse_header(with_policy(header, wider)).error().message,
        HasSubstr("its policy is not the one it was made with")
    );
    Policy longer = for_the_auditors();
    longer.until_s = 0;
    EXPECT_FALSE(parse_header(with_policy(header, longer)));
}

TEST_F(EnvelopeHeader, C5_AnotherGroupsKeyDoesNotFit) {
    const FreshFile file = fresh({});
    const Group other;
    const auto key = open_keys(file.header, core::ecdh_x(other.key, file.header.point)->reveal());
    ASSERT_FALSE(key);
    EXPECT_THAT(key.error().message, HasSubstr("sealed to another group"));
}

TEST_F(EnvelopeHeader, PoliciesHaveOneForm) {
    const auto refused = [&](const Policy& policy) {
        return !make_header(group_.public_key, policy, core::system_random());
    };
    EXPECT_FALSE(refused(for_the_auditors()));
    EXPECT_TRUE(refused({.who = {"b", "a"}, .until_s = 0, .purpose = ""}));
    EXPECT_TRUE(refused({.who = {"a", "a"}, .until_s = 0, .purpose = ""}));
    EXPECT_TRUE(refused({.who = {""}, .until_s = 0, .purpose = ""}));
    EXPECT_TRUE(refused({.who = {}, .until_s = -1, .purpose = ""}));
    EXPECT_TRUE(refused({.who = {}, .until_s = 0, .purpose = "two\nlines"}));
    EXPECT_TRUE(refused({.who = {}, .until_s = 0, .purpose = std::string(201, 'x')}));
    Policy many;
    for (int number = 100; number < 100 + 65; ++number) {
        many.who.push_back(std::to_string(number));
    }
    EXPECT_TRUE(refused(many));
    many.who.pop_back();
    EXPECT_FALSE(refused(many));
}

// The vector was made from docs/FORMATS.md by another implementation, in another language.
TEST(EnvelopeVector, ReadsAndWritesWhatAnotherProgramDoes) {
    std::ifstream file(PGVEIL_VECTORS "/protected-file.json");
    const auto vector = nlohmann::json::parse(file);
    const auto bytes_at = [&](const char* name) {
        return *core::from_hex(vector.at(name).get<std::string>());
    };
    const auto header = parse_header(bytes_at("header"));
    ASSERT_TRUE(header) << header.error().message;
    EXPECT_EQ(header->policy.who, vector.at("who").get<std::vector<std::string>>());
    EXPECT_EQ(header->policy.until_s, vector.at("until").get<std::int64_t>());
    EXPECT_EQ(header->policy.purpose, vector.at("purpose").get<std::string>());
    const core::Scalar group = *core::Scalar::from(bytes_at("group_private_key"));
    const auto shared = core::ecdh_x(group, header->point);
    EXPECT_EQ(core::to_bytes(shared->reveal()), bytes_at("shared_x"));
    auto key = open_keys(*header, shared->reveal());
    ASSERT_TRUE(key);
    EXPECT_EQ(core::to_bytes(key->reveal()), bytes_at("body_key"));
    const FreshFile sealed{*header, *std::move(key)};
    for (const auto& body : vector.at("bodies")) {
        core::Bytes content(body.at("size").get<std::size_t>());
        for (std::size_t at = 0; at < content.size(); ++at) {
            content[at] = static_cast<std::uint8_t>(at * 31);
        }
        MemorySource source(content);
        MemorySink sink;
        ASSERT_TRUE(seal_body(source, sink, sealed));
        EXPECT_EQ(
            core::to_hex(core::sha256(sink.bytes())), body.at("body_sha256").get<std::string>()
        );
    }
}

}  // namespace
}  // namespace pgveil::envelope
