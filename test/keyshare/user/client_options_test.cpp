#include "keyshare/user/client_options.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pgveil::user {

namespace {

std::string text_of(const core::SecretBytes& bytes) {
    return {bytes.reveal().begin(), bytes.reveal().end()};
}

/// What the server makes of `options`: pg_split_opts of utils/init/postinit.c, retold.
std::vector<std::string> split_as_postgresql_does(const std::string& options) {
    std::vector<std::string> words;
    bool in_word = false;
    for (std::size_t at = 0; at < options.size(); ++at) {
        const bool is_space = std::string(" \t\n\v\f\r").find(options[at]) != std::string::npos;
        if (is_space) {
            in_word = false;
            continue;
        }
        if (!in_word) {
            words.emplace_back();
            in_word = true;
        }
        if (options[at] == '\\' && ++at == options.size()) {
            break;
        }
        words.back() += options[at];
    }
    return words;
}

std::string extended(
    const std::string& existing,
    const std::string& user,
    const std::string& token = "pgvt1.T",
    const std::string& share = "pgva1.A"
) {
    return text_of(extended_options(existing, {user, core::as_bytes(token), core::as_bytes(share)})
    );
}

}  // namespace

TEST(ClientOptions, NamesTheThreeParameters) {
    EXPECT_EQ(
        extended("", "nurse"),
        "-c pgveil.user_id=nurse -c pgveil.user_token=pgvt1.T -c pgveil.app_share=pgva1.A"
    );
}

TEST(ClientOptions, KeepsExistingOptionsInFront) {
    EXPECT_TRUE(
        extended("-c work_mem=4MB", "nurse").starts_with("-c work_mem=4MB -c pgveil.user_id=")
    );
}

TEST(ClientOptions, ValuesSurviveTheServersSplitting) {
    const std::string odd = "a b\\c\td\ne\\\\ -c x=y";
    const auto words = split_as_postgresql_does(extended("-c geqo=off", odd, odd, odd));
    const std::vector<std::string> expected = {
        "-c",
        "geqo=off",
        "-c",
        "pgveil.user_id=" + odd,
        "-c",
        "pgveil.user_token=" + odd,
        "-c",
        "pgveil.app_share=" + odd};
    EXPECT_EQ(words, expected);
}

TEST(ClientOptions, DanglingEscapeDoesNotSwallowTheFirstWord) {
    const auto words = split_as_postgresql_does(extended("-c a=b\\", "nurse"));
    ASSERT_EQ(words.size(), 8U);
    EXPECT_EQ(words[1], "a=b");
    EXPECT_EQ(words[2], "-c");
    const auto paired = split_as_postgresql_does(extended("-c a=b\\\\", "nurse"));
    EXPECT_EQ(paired[1], "a=b\\");
}

}  // namespace pgveil::user
