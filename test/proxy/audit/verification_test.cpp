#include "keyshare/core/p256.hpp"
#include "test/proxy/audit/audit_log.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

namespace pgveil::audit {
namespace {

class VerificationTest : public testing::Test {
protected:
    std::string look() const { return verdict(verified(files_, log_.trusted())); }

    std::vector<std::string>& lines() { return files_.front(); }

    /// Writes line `index` anew with another member, and a hash that fits.
    void forge(std::size_t index, const char* member, const share::Json& value) {
        const auto line = parse_line(lines()[index]);
        share::Json fields = line->fields;
        fields[member] = value;
        fields.erase("n");
        fields.erase("prev");
        fields.erase("hash");
        Link last{line->sequence - 1, line->previous};
        lines()[index] = make_line(last, kTenant, fields);
    }

    core::SigningKey key_ = core::SigningKey::generate();
    AuditLog log_{key_};
    std::vector<std::vector<std::string>> files_ = log_.files();
};

// Lines: 1 segment, 2 nurse, 3 doctor, 4 head, 5 nurse, 6 head.

TEST_F(VerificationTest, AnUntouchedLogIsInOrderAndSaysHowFarItIsSigned) {
    const Verification verification = verified(files_, log_.trusted());
    EXPECT_EQ(verdict(verification), "in order");
    EXPECT_EQ(verification.proof().first, 1U);
    EXPECT_EQ(verification.proof().last, 6U);
    EXPECT_EQ(verification.proof().signed_up_to, 5U);
}

TEST_F(VerificationTest, EveryEditedFieldIsFoundInItsLine) {
    const auto whole = files_;
    for (std::size_t index = 0; index < whole.front().size(); ++index) {
        const auto line = parse_line(whole.front()[index]);
        ASSERT_TRUE(line);
        for (const auto& [member, value] : line->fields.items()) {
            files_ = whole;
            std::string& text = lines()[index];
            const std::string written = value.dump();
            const std::size_t at = text.find("\"" + member + "\":" + written) + member.size() + 3;
            // The first letter or digit of the value becomes another one.
            const std::size_t letter = text.find_first_of(
                "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", at
            );
            text[letter] = text[letter] == '7' ? '8' : '7';
            EXPECT_EQ(look(), "edited 1:" + std::to_string(index + 1)) << member;
        }
    }
}

TEST_F(VerificationTest, AnEditedLineWithANewHashIsFoundByTheLineBehindIt) {
    forge(1, "user", "somebody");
    EXPECT_EQ(look(), "edited 1:2");
}

TEST_F(VerificationTest, ALogWrittenAnewIsFoundByTheSignedHead) {
    Link last = parse_line(lines()[0])->link();
    for (std::size_t index = 1; index < lines().size(); ++index) {
        share::Json fields = parse_line(lines()[index])->fields;
        fields.erase("n");
        fields.erase("prev");
        fields.erase("hash");
        if (index == 1) {
            fields["user"] = "somebody";
        }
        lines()[index] = make_line(last, kTenant, fields);
    }
    EXPECT_EQ(look(), "edited 1:4");
}

TEST_F(VerificationTest, EveryDeletedLineIsFound) {
    const auto whole = files_;
    for (std::size_t index = 1; index + 1 < whole.front().size(); ++index) {
        files_ = whole;
        lines().erase(lines().begin() + static_cast<std::ptrdiff_t>(index));
        EXPECT_EQ(look(), "deleted 1:" + std::to_string(index + 1));
    }
    files_ = whole;
    lines().erase(lines().begin());
    EXPECT_EQ(look(), "deleted 1:1");
}

TEST_F(VerificationTest, EverySwapIsFound) {
    const auto whole = files_;
    for (std::size_t index = 1; index + 1 < whole.front().size(); ++index) {
        files_ = whole;
        std::swap(lines()[index], lines()[index + 1]);
        EXPECT_EQ(look(), "reordered 1:" + std::to_string(index + 1));
    }
}

TEST_F(VerificationTest, EveryDuplicateIsFound) {
    const auto whole = files_;
    for (std::size_t index = 0; index < whole.front().size(); ++index) {
        files_ = whole;
        lines().insert(lines().begin() + static_cast<std::ptrdiff_t>(index), lines()[index]);
        EXPECT_EQ(look(), "duplicated 1:" + std::to_string(index + 2));
    }
}

TEST_F(VerificationTest, EveryTruncationIsFoundByAHeadThatWasKept) {
    Trusted trusted = log_.trusted();
    trusted.last_head = verified(files_, trusted).proof().last_head;
    ASSERT_EQ(verdict(verified(files_, trusted)), "in order");
    const auto whole = files_;
    for (std::size_t left = 1; left < 5; ++left) {
        files_ = whole;
        lines().resize(left);
        EXPECT_EQ(verdict(verified(files_, trusted)), "truncated 1:" + std::to_string(left + 1));
        // What it does not promise: nothing in the files themselves shows a missing end.
        EXPECT_EQ(look(), "in order");
    }
}

TEST_F(VerificationTest, EveryTruncationBeforeALaterFileIsFound) {
    log_.begin_file();
    log_.add("nurse");
    log_.sign();
    files_ = log_.files();
    ASSERT_EQ(look(), "in order");
    const auto whole = files_;
    for (std::size_t left = 1; left < 6; ++left) {
        files_ = whole;
        lines().resize(left);
        EXPECT_EQ(look(), "truncated 1:" + std::to_string(left + 1));
    }
}

TEST_F(VerificationTest, ALineOfAnotherLogIsFound) {
    AuditLog second(key_);
    Link last = parse_line(second.lines()[1])->link();
    last.hash[0] ^= 1U;
    lines()[2] = make_line(last, kTenant, fields_of(AuditLog::record("somebody")));
    EXPECT_EQ(look(), "edited 1:3");
}

TEST_F(VerificationTest, ALogOfAnotherProxyIsFound) {
    const auto other_key = core::SigningKey::generate();
    AuditLog other(other_key);
    files_ = other.files();
    EXPECT_EQ(look(), "foreign key 1:1");
}

TEST_F(VerificationTest, AHeadOfAnotherKeyIsFound) {
    const auto other_key = core::SigningKey::generate();
    const auto line = parse_line(lines()[5]);
    const auto before = parse_line(lines()[4]);
    forge(
        5,
        "head",
        share::sign_audit_head(
            {std::string(kTenant), before->sequence, before->hash, kBegin / 1000}, other_key
        )
    );
    EXPECT_EQ(look(), "foreign key 1:6");
}

TEST_F(VerificationTest, AHeadWithAWrongSignatureIsFound) {
    std::string head = parse_line(lines()[5])->text("head");
    char& letter = head[head.rfind('.') + 2];
    letter = letter == 'A' ? 'B' : 'A';
    forge(5, "head", head);
    EXPECT_EQ(look(), "bad signature 1:6");
}

TEST_F(VerificationTest, AReceiptIsNoHead) {
    const auto line = parse_line(lines()[4]);
    forge(5, "head", core::sign_jws(key_, "pgveil-receipt", core::as_bytes("{}")));
    EXPECT_EQ(look(), "bad signature 1:6");
}

TEST_F(VerificationTest, ATornLastLineIsNoTamperingButOneInTheMiddleIs) {
    Verification verification(log_.trusted());
    verification.take("1", joined(lines()) + R"({"n":7,"prev":"abc)");
    verification.finish();
    EXPECT_EQ(verdict(verification), "in order");
    EXPECT_GT(verification.proof().torn_bytes, 0U);
    log_.begin_file();  // which says that nothing was torn
    Verification second(log_.trusted());
    second.take("1", joined(lines()) + "torn");
    second.take("2", joined(log_.lines()));
    EXPECT_EQ(verdict(second), "edited 1:7");
}

TEST_F(VerificationTest, TwoHoursWithoutAHeadAreFound) {
    Record late = AuditLog::record("nurse");
    log_.add("nurse");
    late.at_ms = kBegin + 2 * 3600 * 1000;
    log_.append(log_.chain().add(late, late.at_ms));
    files_ = log_.files();
    EXPECT_EQ(look(), "in order");
    late.at_ms += 1;
    log_.append(log_.chain().add(late, late.at_ms));
    files_ = log_.files();
    EXPECT_EQ(look(), "unsigned 1:9");
}

TEST(Harmless, ShowsNoShareAndNoControlCharacter) {
    EXPECT_EQ(harmless("psql"), "psql");
    EXPECT_EQ(harmless("a\nb\xC3"), "a?b?");
    EXPECT_EQ(harmless("pgva1.abc"), "(not shown)");
    EXPECT_EQ(harmless("x pgvt1.abc"), "(not shown)");
    EXPECT_EQ(harmless(std::string(100, 'a')).size(), 64U);
}

}  // namespace
}  // namespace pgveil::audit
