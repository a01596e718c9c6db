#include "proxy/audit/writer.hpp"

#include "keyshare/core/p256.hpp"
#include "test/proxy/audit/audit_log.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sys/resource.h>
#include <thread>

namespace pgveil::audit {
namespace {

class WriterTest : public testing::Test {
protected:
    WriterTest() {
        std::string name = testing::TempDir() + "auditXXXXXX";
        folder_ = mkdtemp(name.data());
    }

    ~WriterTest() override { std::filesystem::remove_all(folder_); }

    WriterOptions options() {
        WriterOptions options;
        options.folder = folder_;
        options.rotate_bytes = 1U << 20U;
        options.tenant = kTenant;
        options.identity = key_.verifying_key().point().text();
        options.program = "1";
        options.sign_head = log_.sign_head();
        options.now_ms = [] {
            return kBegin;
        };
        options.queue_max = 4;
        return options;
    }

    std::unique_ptr<Writer> open(std::uint64_t rotate_bytes = 1U << 20U) {
        WriterOptions opened = options();
        opened.rotate_bytes = rotate_bytes;
        auto writer = Writer::open(std::move(opened));
        EXPECT_TRUE(writer.has_value()) << (writer.has_value() ? "" : writer.error().message);
        return writer.has_value() ? std::move(*writer) : nullptr;
    }

    std::vector<std::filesystem::path> files() const { return *list_segments(folder_); }

    Verification verified_files() const {
        Verification verification(log_.trusted());
        for (const auto& file : files()) {
            verification.take(file.filename().string(), *read_segment(file));
        }
        verification.finish();
        return verification;
    }

    /// At most a minute.
    template <class Claim>
    static bool comes_true(Claim claim) {
        for (int look = 0; look < 6000; ++look) {
            if (claim()) {
                return true;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        return false;
    }

    core::SigningKey key_ = core::SigningKey::generate();
    AuditLog log_{key_};
    std::filesystem::path folder_;
};

TEST_F(WriterTest, SignsAtItsEndAndGoesOnWithTheChain) {
    open()->offer(AuditLog::record("nurse"));
    open()->offer(AuditLog::record("doctor"));
    const Verification verification = verified_files();
    EXPECT_EQ(verdict(verification), "in order");
    EXPECT_EQ(files().size(), 2U);
    EXPECT_EQ(verification.proof().last, 6U);
    EXPECT_EQ(verification.proof().signed_up_to, 5U);
}

TEST_F(WriterTest, RotatesWithASignedEnd) {
    {
        const auto writer = open(2000);
        for (int count = 0; count < 20; ++count) {
            const std::uint64_t before = writer->status().last;
            writer->offer(AuditLog::record("nurse"));
            ASSERT_TRUE(comes_true([&] { return writer->status().last > before; }));
        }
    }
    EXPECT_GT(files().size(), 3U);
    EXPECT_EQ(verdict(verified_files()), "in order");
}

TEST_F(WriterTest, WhileNobodyCanSignEachHourHasAFileAndThenAllIsCovered) {
    constexpr std::int64_t kHour = 3600 * 1000;
    std::atomic<std::int64_t> now = kBegin;
    std::atomic<bool> is_locked = true;
    {
        WriterOptions locked = options();
        locked.now_ms = [&] {
            return now.load();
        };
        locked.sign_head = [&, sign = log_.sign_head()](auto sequence, auto hash, auto at_s) {
            return is_locked ? std::string() : sign(sequence, hash, at_s);
        };
        const auto writer = *Writer::open(std::move(locked));
        for (std::uint64_t hour = 1; hour <= 3; ++hour) {
            now += kHour;
            ASSERT_TRUE(comes_true([&] { return writer->status().last == hour + 1; }));
        }
        is_locked = false;
    }
    const Verification verification = verified_files();
    EXPECT_EQ(verdict(verification), "in order");
    EXPECT_EQ(files().size(), 4U);
    EXPECT_EQ(verification.proof().last, 5U);
    EXPECT_EQ(verification.proof().signed_up_to, 4U);
}

TEST_F(WriterTest, GoesOnBehindALineThatWasCutShort) {
    open()->offer(AuditLog::record("nurse"));
    std::ofstream(files().back(), std::ios::app) << R"({"n":99,"prev")";
    open()->offer(AuditLog::record("nurse"));
    EXPECT_EQ(verdict(verified_files()), "in order");
    std::filesystem::resize_file(files().front(), std::filesystem::file_size(files().front()) - 5);
    EXPECT_EQ(verdict(verified_files()).substr(0, 9), "truncated");
}

TEST_F(WriterTest, AFileWithoutAWholeLineIsBegunAgain) {
    open()->offer(AuditLog::record("nurse"));
    std::ofstream(folder_ / segment_name(4)) << R"({"n":)";
    open()->offer(AuditLog::record("nurse"));
    EXPECT_EQ(files().size(), 2U);
    EXPECT_EQ(verdict(verified_files()), "in order");
}

TEST_F(WriterTest, RefusesToGoOnBehindALineThatWasEdited) {
    open()->offer(AuditLog::record("nurse"));
    std::ofstream(files().back(), std::ios::app) << "{}\n";
    WriterOptions options;
    options.folder = folder_;
    options.tenant = kTenant;
    EXPECT_FALSE(Writer::open(std::move(options)).has_value());
}

TEST_F(WriterTest, WhenTheDiskIsFullItIsNotReadyAndThenNothingIsMissing) {
    (void)std::signal(SIGXFSZ, SIG_IGN);
    rlimit whole{};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &whole), 0);
    {
        const auto writer = open();
        ASSERT_TRUE(writer->is_ready());
        rlimit full = whole;
        full.rlim_cur = std::filesystem::file_size(files().back()) + 100;
        ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &full), 0);
        writer->offer(AuditLog::record("nurse"));
        EXPECT_TRUE(comes_true([&] { return !writer->is_ready(); }));
        EXPECT_FALSE(writer->status().failure.empty());
        for (int count = 0; count < 20; ++count) {
            writer->offer(AuditLog::record("doctor"));
        }
        ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &whole), 0);
        EXPECT_TRUE(comes_true([&] { return writer->is_ready(); }));
        EXPECT_GT(writer->status().lost, 0U);
    }
    const std::string content = *read_segment(files().back());
    EXPECT_NE(content.find(R"("event":"lost")"), std::string::npos);
    EXPECT_EQ(verdict(verified_files()), "in order");
}

}  // namespace
}  // namespace pgveil::audit
