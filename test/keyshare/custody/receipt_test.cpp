#include "keyshare/custody/receipt.hpp"

#include "test/keyshare/quorum/ceremony.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

// Who took part when a secret was fetched: shown afterwards, and not to be made up.

namespace pgveil::custody {
namespace {

class ReceiptTest : public ::testing::Test {
protected:
    void SetUp() override { run_.run(); }

    /// Of a request that these members answered.
    Receipt receipt_of(const std::vector<std::uint32_t>& members) const {
        const auto asked = quorum::ask(run_.group, run_.group.public_key(), "nurse", "fetch");
        Receipt receipt{core::sha256(core::as_bytes("deposit")), asked->request, {}};
        for (const std::uint32_t index : members) {
            const auto sealed =
                quorum::answer(run_.group, run_.shares[index - 1], run_.key(index), asked->request);
            receipt.participations.push_back(
                quorum::open_answer(run_.group, *asked, index, *sealed)->participation
            );
        }
        return receipt;
    }

    PinnedGroup pinned() const { return {run_.group, {"north", "east", "south"}}; }

    quorum::testing::Ceremony run_{{2, 3}};
};

TEST_F(ReceiptTest, K4_NamesThoseWhoTookPart) {
    const auto read = parse_receipt("it", write_receipt(receipt_of({3, 1})));
    ASSERT_TRUE(read.has_value());
    const auto names = took_part(*read, pinned());
    ASSERT_TRUE(names.has_value()) << names.error().message;
    EXPECT_EQ(*names, (std::vector<std::string>{"south", "north"}));
}

TEST_F(ReceiptTest, K4_OneAlteredByteAnywhereIsNoticed) {
    const std::string text = write_receipt(receipt_of({1, 2}));
    std::size_t noticed = 0;
    const std::size_t start = text.find("request");
    for (std::size_t at = start; at < text.size(); ++at) {
        std::string altered = text;
        altered[at] = altered[at] == 'A' ? 'B' : 'A';
        const auto read = parse_receipt("it", altered);
        noticed += !read.has_value() || !took_part(*read, pinned()).has_value() ? 1U : 0U;
    }
    EXPECT_EQ(noticed, text.size() - start);
}

TEST_F(ReceiptTest, K4_FewerThanTheThresholdOrOneTwiceShowNothing) {
    EXPECT_EQ(took_part(receipt_of({2}), pinned()).error().code, ErrorCode::kTooFew);
    Receipt twice = receipt_of({2});
    twice.participations.push_back(twice.participations.front());
    EXPECT_EQ(took_part(twice, pinned()).error().code, ErrorCode::kCheating);
    Receipt stranger = receipt_of({1, 2});
    stranger.participations.back().index = 9;
    EXPECT_EQ(took_part(stranger, pinned()).error().code, ErrorCode::kCheating);
}

TEST_F(ReceiptTest, AnotherGroupOrEpochIsSaid) {
    PinnedGroup later = pinned();
    ++later.group.epoch;
    EXPECT_EQ(took_part(receipt_of({1, 2}), later).error().code, ErrorCode::kSettings);
}

TEST_F(ReceiptTest, NothingElseIsAReceipt) {
    const std::string whole = write_receipt(receipt_of({1, 2}));
    for (const std::string& text :
         {std::string(),
          std::string("{}"),
          std::string("[1]"),
          whole.substr(0, whole.size() / 2),
          whole + " ",
          std::string(100'000, '[')}) {
        EXPECT_FALSE(parse_receipt("it", text).has_value());
    }
}

}  // namespace
}  // namespace pgveil::custody
