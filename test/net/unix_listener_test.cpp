#include "net/unix_listener.hpp"

#include "test/net/harness.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace pgveil::net {

namespace {

/// A short path: a socket's name has 107 bytes at most.
class UnixSocket : public testing::Test {
protected:
    UnixSocket() {
        std::string pattern = "/tmp/pgveil-unix-XXXXXX";
        folder_ = ::mkdtemp(pattern.data());
    }

    ~UnixSocket() override { std::filesystem::remove_all(folder_); }

    UnixSocket(const UnixSocket&) = delete;
    UnixSocket& operator=(const UnixSocket&) = delete;
    UnixSocket(UnixSocket&&) = delete;
    UnixSocket& operator=(UnixSocket&&) = delete;

    std::string file() const { return folder_ + "/.s.PGSQL.6543"; }

    std::string folder_;
};

TEST_F(UnixSocket, IsMetByWhoConnectsToItsFolder) {
    auto opened = UnixListener::open(folder_, 6543, 0770);
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    EXPECT_EQ(opened->path(), file());

    struct stat status {};

    ASSERT_EQ(::stat(file().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0770U);
    Harness harness;
    bool was_local = false;
    auto listener =
        Listener::share(harness.loop, opened->socket(), [&](std::unique_ptr<Stream> stream) {
            was_local = stream->is_local();
            harness.loop.spawn([](std::unique_ptr<Stream> client) -> Awaitable<void> {
                co_await echo(*client);
            }(std::move(stream)));
        });
    ASSERT_TRUE(listener.has_value()) << listener.error().message;
    opened->release();
    harness.run([&]() -> Awaitable<void> {
        auto connected = co_await connect(harness.loop, folder_, 6543, kSoon);
        EXPECT_TRUE(connected.has_value()) << connected.error().message;
        Stream& stream = **connected;
        stream.send(bytes_of("hello"));
        Buffer buffer(harness.loop.buffers());
        EXPECT_EQ(co_await read_exactly(stream, buffer, 5), "hello");
        EXPECT_TRUE(stream.is_local());
    });
    EXPECT_TRUE(was_local);
}

TEST_F(UnixSocket, TakesItsFileAlong) {
    {
        const auto opened = UnixListener::open(folder_, 6543, 0777);
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        EXPECT_TRUE(std::filesystem::exists(file()));
    }
    EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(UnixSocket, LeavesTheFileOfSomebodyElse) {
    {
        const auto opened = UnixListener::open(folder_, 6543, 0777);
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        std::filesystem::rename(file(), folder_ + "/moved");
        std::ofstream(file()) << "another";
    }
    EXPECT_TRUE(std::filesystem::exists(file()));
}

TEST_F(UnixSocket, IsRefusedWhereSomebodyListens) {
    const auto first = UnixListener::open(folder_, 6543, 0777);
    ASSERT_TRUE(first.has_value()) << first.error().message;
    const auto second = UnixListener::open(folder_, 6543, 0777);
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().message, "cannot listen on " + file() + ": Address already in use");
}

TEST_F(UnixSocket, ReplacesWhatNobodyListensOn) {
    {
        auto gone = UnixListener::open(folder_, 6543, 0777);
        ASSERT_TRUE(gone.has_value()) << gone.error().message;
        std::filesystem::create_hard_link(file(), folder_ + "/kept");
    }
    std::filesystem::rename(folder_ + "/kept", file());
    const auto opened = UnixListener::open(folder_, 6543, 0777);
    EXPECT_TRUE(opened.has_value()) << opened.error().message;
}

TEST_F(UnixSocket, LeavesAFileThatIsNoSocketAlone) {
    std::ofstream(file()) << "text";
    const auto opened = UnixListener::open(folder_, 6543, 0777);
    ASSERT_FALSE(opened.has_value());
    EXPECT_TRUE(std::filesystem::is_regular_file(file()));
}

TEST_F(UnixSocket, NamesAFolderThatIsNotThere) {
    const auto opened = UnixListener::open(folder_ + "/none", 6543, 0777);
    ASSERT_FALSE(opened.has_value());
    EXPECT_NE(opened.error().message.find("No such file or directory"), std::string::npos);
}

}  // namespace

}  // namespace pgveil::net
