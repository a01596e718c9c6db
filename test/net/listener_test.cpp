#include "net/listener.hpp"

#include "test/net/harness.hpp"

#include <thread>

namespace pgveil::net {

namespace {

void ignore(std::unique_ptr<Stream> /*stream*/) {}

Address loopback(std::uint16_t port) {
    Address address;
    address.host = "127.0.0.1";
    address.port = port;
    return address;
}

TEST(Listener, SharesItsPortWithOtherWorkersOfTheSameProcess) {
    Loop first_loop;
    Loop second_loop;
    const auto first = Listener::open(first_loop, loopback(0), ignore);
    ASSERT_TRUE(first.has_value());
    const auto second = Listener::open(second_loop, loopback((*first)->port()), ignore);
    EXPECT_TRUE(second.has_value());
}

TEST(Listener, NoticesAPortThatIsTaken) {
    Loop loop;
    auto listener = Listener::open(loop, loopback(0), ignore);
    ASSERT_TRUE(listener.has_value());
    const Address taken = loopback((*listener)->port());
    const auto checked = Listener::check_free(taken);
    ASSERT_FALSE(checked.has_value());
    EXPECT_EQ(checked.error().code, ErrorCode::kListen);
    EXPECT_EQ(
        checked.error().message,
        "cannot listen on 127.0.0.1:" + std::to_string(taken.port) + ": Address already in use"
    );
    (*listener)->close();
    EXPECT_TRUE(Listener::check_free(taken).has_value());
}

TEST(Listener, NamesAnAddressThatIsNotOurs) {
    Loop loop;
    Address address;
    address.host = "192.0.2.1";
    const auto listener = Listener::open(loop, address, ignore);
    ASSERT_FALSE(listener.has_value());
    EXPECT_NE(listener.error().message.find("192.0.2.1:0"), std::string::npos);
}

TEST(Listener, ListensOnEveryAddressForTheStar) {
    Loop loop;
    Address address;
    address.host = "*";
    const auto listener = Listener::open(loop, address, ignore);
    ASSERT_TRUE(listener.has_value()) << listener.error().message;
    EXPECT_NE((*listener)->port(), 0);
}

}  // namespace

}  // namespace pgveil::net
