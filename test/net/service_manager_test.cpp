#include "net/service_manager.hpp"

#include "net/listener.hpp"
#include "test/net/harness.hpp"

#include <array>
#include <cstdlib>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace pgveil::net {
namespace {

void set_variable(const char* name, const std::string& value) {
    ASSERT_EQ(::setenv(name, value.c_str(), 1), 0);  // NOLINT(concurrency-mt-unsafe): one thread
}

/// A datagram socket under an abstract name, as a service manager has it.
class Manager {
public:
    Manager() : socket_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        name_.copy(static_cast<char*>(address.sun_path) + 1, name_.size() - 1, 1);
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size());
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the sockets interface
        const auto* const at = reinterpret_cast<const sockaddr*>(&address);
        EXPECT_EQ(::bind(socket_.descriptor(), at, size), 0);
    }

    const std::string& name() const { return name_; }

    std::string heard() const {
        std::array<char, 256> text{};
        const ssize_t size = ::recv(socket_.descriptor(), text.data(), text.size(), MSG_DONTWAIT);
        return size < 0 ? std::string() : std::string(text.data(), static_cast<std::size_t>(size));
    }

private:
    std::string name_ = "@pgveil-test-" + std::to_string(::getpid());
    Socket socket_;
};

TEST(ServiceManager, HearsWhatItIsTold) {
    const Manager manager;
    set_variable("NOTIFY_SOCKET", manager.name());
    notify_service_manager("READY=1");
    EXPECT_EQ(manager.heard(), "READY=1");
    notify_reloading();
    EXPECT_TRUE(manager.heard().starts_with("RELOADING=1\nMONOTONIC_USEC="));
    ::unsetenv("NOTIFY_SOCKET");  // NOLINT(concurrency-mt-unsafe): one thread
    notify_service_manager("READY=1");
    EXPECT_EQ(manager.heard(), "");
}

TEST(ServiceManager, HandsNothingOverToAnotherProcess) {
    set_variable("LISTEN_FDS", "1");
    set_variable("LISTEN_PID", std::to_string(::getpid() + 1));
    const auto none = inherited_listeners();
    ASSERT_TRUE(none.has_value());
    EXPECT_TRUE(none->empty());
}

TEST(ServiceManager, WhatIsNoListenerIsRefused) {
    const int kept = ::dup(3);
    const Socket unconnected(::socket(AF_INET, SOCK_STREAM, 0));
    ASSERT_GE(::dup2(unconnected.descriptor(), 3), 0);
    set_variable("LISTEN_FDS", "1");
    set_variable("LISTEN_PID", std::to_string(::getpid()));
    const auto refused = inherited_listeners();
    ASSERT_FALSE(refused.has_value());
    EXPECT_NE(refused.error().message.find("descriptor 3"), std::string::npos);
    if (kept >= 0) {
        ::dup2(kept, 3);
        ::close(kept);
    }
    ::unsetenv("LISTEN_FDS");  // NOLINT(concurrency-mt-unsafe): one thread
}

TEST(Listener, SharesASocketThatIsListeningAlready) {
    Loop first_loop;
    Loop second_loop;
    Address address;
    address.host = "127.0.0.1";
    int accepted = 0;
    const auto count = [&accepted](std::unique_ptr<Stream> /*stream*/) {
        ++accepted;
    };
    const auto opened = Listener::open(first_loop, address, count);
    ASSERT_TRUE(opened.has_value());
    const auto shared = Listener::share(second_loop, (*opened)->socket(), count);
    ASSERT_TRUE(shared.has_value());
    EXPECT_EQ((*shared)->port(), (*opened)->port());
    (*shared)->close();
    EXPECT_TRUE((*opened)->socket().is_open());
}

}  // namespace
}  // namespace pgveil::net
