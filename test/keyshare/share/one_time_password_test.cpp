#include "keyshare/share/one_time_password.hpp"

#include "keyshare/core/base64url.hpp"

#include <gtest/gtest.h>

#include <set>

namespace pgveil::share {
namespace {

TEST(OneTimePassword, VerifierFollowsTheExampleOfRfc7677) {
    const auto salt = core::base64_decode("W22ZaJ0SNY7soEsUEjb6gQ==");
    ASSERT_TRUE(salt.has_value());
    EXPECT_EQ(
        scram_verifier(core::as_bytes("pencil"), *salt, 4096),
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    );
}

TEST(OneTimePassword, IsReadableAndNeverRepeats) {
    std::set<std::string> seen;
    for (int round = 0; round < 20; ++round) {
        const OneTimePassword made = make_one_time_password(core::system_random());
        const std::string text(core::as_text(made.text.reveal()));
        EXPECT_EQ(text.size(), 30U) << text;
        EXPECT_EQ(text.find_first_not_of("0123456789ABCDEFGHJKMNPQRSTVWXYZ-"), std::string::npos);
        EXPECT_TRUE(made.verifier.starts_with("SCRAM-SHA-256$4096:"));
        EXPECT_EQ(made.verifier.find(text), std::string::npos);
        EXPECT_TRUE(seen.insert(text).second);
    }
}

// A source that gives the same byte for ever.
class Constant final : public core::RandomSource {
public:
    explicit Constant(std::uint8_t byte) : byte_(byte) {}

    void fill(core::MutableByteView out) override {
        for (auto& one : out) {
            one = byte_;
        }
    }

private:
    std::uint8_t byte_;
};

TEST(OneTimePassword, CarriesAllRandomBits) {
    Constant zeros(0x00);
    Constant ones(0xFF);
    EXPECT_EQ(
        core::as_text(make_one_time_password(zeros).text.reveal()), "00000-00000-00000-00000-000000"
    );
    // 25 characters of five bits and one of three bits and two zeros.
    EXPECT_EQ(
        core::as_text(make_one_time_password(ones).text.reveal()), "ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZW"
    );
}

}  // namespace
}  // namespace pgveil::share
