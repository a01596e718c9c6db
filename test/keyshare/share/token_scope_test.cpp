#include "keyshare/share/token_scope.hpp"

#include "keyshare/share/binary_fields.hpp"
#include "keyshare/share/challenge.hpp"
#include "keyshare/share/token.hpp"
#include "test/keyshare/share/samples.hpp"

#include <gtest/gtest.h>

namespace pgveil::share {
namespace {

TokenScope everything() {
    return {
        true, {"*.labels", "public.patients"}, "clinic", 3, 40, Nonce{1, 2, 3}, true, Digest{4}};
}

std::string bytes_of(FieldWriter writer) {
    const core::SecretBytes bytes = std::move(writer).finish();
    return std::string(core::as_text(bytes.reveal()));
}

FieldWriter scope_of(std::uint32_t restrictions) {
    FieldWriter writer("pgveil/1 token scope");
    writer.u32(restrictions);
    return writer;
}

ErrorCode code_of(std::string_view bytes) {
    const auto parsed = parse_token_scope(bytes);
    EXPECT_FALSE(parsed.has_value());
    return parsed.has_value() ? ErrorCode::kFailed : parsed.error().code;
}

TEST(TokenScope, ComesBackFromItsBytes) {
    for (const TokenScope& scope :
         {everything(),
          TokenScope{.read_only = true},
          TokenScope{.tables = {"public.patients"}},
          TokenScope{.role = "clinic"},
          TokenScope{.uses = 1},
          TokenScope{.challenge = Nonce{}},
          TokenScope{.maintain = true},
          TokenScope{.tls = Digest{7}},
          TokenScope{.statements = 4'000'000'000}}) {
        const auto bytes = serialize(scope);
        ASSERT_TRUE(bytes.has_value());
        EXPECT_FALSE(bytes->empty());
        const auto back = parse_token_scope(*bytes);
        ASSERT_TRUE(back.has_value()) << back.error().message;
        EXPECT_EQ(*back, scope);
    }
    EXPECT_EQ(*serialize(TokenScope()), "") << "an unrestricted token is what it always was";
}

TEST(TokenScope, HasTheBytesThatTheFormatSays) {
    TokenScope scope{.read_only = true};
    scope.tables = {"*.a"};
    FieldWriter expected = scope_of(2);
    expected.text("read_only").bytes({}).text("tables").u32(1).text("*.a");
    EXPECT_EQ(*serialize(scope), bytes_of(std::move(expected)));
}

TEST(TokenScope, ARestrictionThatNobodyKnowsIsRefused) {
    FieldWriter known_first = scope_of(2);
    known_first.text("read_only").bytes({}).text("zebra").text("x");
    EXPECT_EQ(code_of(bytes_of(std::move(known_first))), ErrorCode::kUnsupported);
}

TEST(TokenScope, OnlyTheCanonicalFormIsAScope) {
    const std::string whole = *serialize(everything());
    ASSERT_TRUE(parse_token_scope(whole).has_value());
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_EQ(code_of(whole.substr(0, size)), ErrorCode::kMalformed) << size;
    }
    EXPECT_EQ(code_of(whole + "x"), ErrorCode::kMalformed);
    EXPECT_EQ(code_of("read-only"), ErrorCode::kMalformed);
    EXPECT_EQ(code_of(bytes_of(scope_of(0))), ErrorCode::kMalformed);
    FieldWriter twice = scope_of(2);
    twice.text("uses").u32(1).text("uses").u32(2);
    EXPECT_EQ(code_of(bytes_of(std::move(twice))), ErrorCode::kMalformed);
    FieldWriter unordered = scope_of(2);
    unordered.text("uses").u32(1).text("read_only").bytes({});
    EXPECT_EQ(code_of(bytes_of(std::move(unordered))), ErrorCode::kMalformed);
    FieldWriter none_left = scope_of(1);
    none_left.text("statements").u32(0);
    EXPECT_EQ(code_of(bytes_of(std::move(none_left))), ErrorCode::kMalformed);
    FieldWriter short_channel = scope_of(1);
    short_channel.text("tls").text("x");
    EXPECT_EQ(code_of(bytes_of(std::move(short_channel))), ErrorCode::kMalformed);
    FieldWriter tables = scope_of(1);
    tables.text("tables").u32(2).text("public.b").text("public.a");
    EXPECT_EQ(code_of(bytes_of(std::move(tables))), ErrorCode::kMalformed);
}

TEST(Challenges, TheTwoNewestAreKeptUntilTheyAreForgotten) {
    Challenges challenges;
    const Nonce first = challenges.give(core::system_random(), 10);
    const Nonce second = challenges.give(core::system_random(), 11);
    EXPECT_EQ(challenges.given_at_s(first), 10);
    EXPECT_EQ(challenges.given_at_s(second), 11);
    const Nonce third = challenges.give(core::system_random(), 12);
    EXPECT_EQ(challenges.given_at_s(first), std::nullopt);
    EXPECT_EQ(challenges.given_at_s(second), 11);
    EXPECT_EQ(challenges.given_at_s(third), 12);
    EXPECT_FALSE(challenges.is_open_to(Nonce{}, Digest{}));
    challenges.forget();
    EXPECT_EQ(challenges.given_at_s(third), std::nullopt);
    EXPECT_FALSE(challenges.is_open_to(third, Digest{}));
}

TEST(Challenges, OneTokenAnswersEach) {
    Challenges challenges;
    const Nonce challenge = challenges.give(core::system_random(), 10);
    EXPECT_TRUE(challenges.is_open_to(challenge, Digest{1}));
    challenges.spend(challenge, Digest{1});
    EXPECT_TRUE(challenges.is_open_to(challenge, Digest{1}));
    EXPECT_FALSE(challenges.is_open_to(challenge, Digest{2}));
    challenges.spend(challenge, Digest{2});
    EXPECT_FALSE(challenges.is_open_to(challenge, Digest{2}));
}

TEST(Challenges, ComeBackFromTheirText) {
    const Nonce challenge{1, 2, 3};
    const std::string text = challenge_text(challenge);
    EXPECT_TRUE(text.starts_with("pgvc1."));
    EXPECT_EQ(*parse_challenge(text), challenge);
    for (const std::string& wrong :
         {std::string(), std::string("pgvc1."), text + "A", text.substr(1), text.substr(0, 20)}) {
        EXPECT_FALSE(parse_challenge(wrong).has_value()) << wrong;
    }
}

TEST(TokenScope, TablesAreReadAsPeopleWriteThem) {
    using Tables = std::vector<std::string>;
    EXPECT_EQ(*parse_scope_tables("b, a,public.c,a"), (Tables{"*.a", "*.b", "public.c"}));
    EXPECT_EQ(*parse_scope_tables("*.a"), Tables{"*.a"});
    for (const char* const wrong : {"", "a,", ".a", "a.", "a.b.c", "a.*", "*.*", "*"}) {
        EXPECT_FALSE(parse_scope_tables(wrong).has_value()) << wrong;
    }
    std::string many = "t0";
    for (std::size_t i = 1; i <= kScopeTablesMax; ++i) {
        many += ",t" + std::to_string(i);
    }
    EXPECT_FALSE(parse_scope_tables(many).has_value());
}

TEST(TokenScope, CoversTheTablesThatItNames) {
    const TokenScope scope = everything();
    EXPECT_TRUE(scope.covers_table("public", "patients"));
    EXPECT_FALSE(scope.covers_table("other", "patients"));
    EXPECT_TRUE(scope.covers_table("other", "labels"));
    EXPECT_FALSE(scope.covers_table("public", "label"));
    EXPECT_TRUE(TokenScope().covers_table("any", "table"));
}

TEST(TokenScope, IsSealedInTheToken) {
    const samples::Proxy proxy;
    const core::HpkeKeyPair pair = core::HpkeKeyPair::generate();
    UserKey user{"acme", "nurse", 1, proxy.identity.verifying_key().point(), {}};
    user.groups.push_back({"default", samples::counting<UserPart>(40)});
    const auto text = make_token(
        user, {77, pair.point}, {samples::kNow, 60}, core::system_random(), everything()
    );
    ASSERT_TRUE(text.has_value());
    const auto contents = open_token(*parse_token(text->reveal()), pair, "acme");
    ASSERT_TRUE(contents.has_value());
    EXPECT_EQ(*parse_token_scope(contents->scope), everything());
    TokenScope impossible;
    impossible.tables = {"patients"};
    EXPECT_FALSE(
        make_token(user, {77, pair.point}, {samples::kNow, 60}, core::system_random(), impossible)
            .has_value()
    );
}

}  // namespace
}  // namespace pgveil::share
