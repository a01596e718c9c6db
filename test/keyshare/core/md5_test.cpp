#include "keyshare/core/md5.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pgveil::core {
namespace {

std::string hex(std::initializer_list<std::string_view> parts) {
    const ByteView first = as_bytes(*parts.begin());
    const ByteView second = parts.size() > 1 ? as_bytes(*(parts.begin() + 1)) : ByteView();
    const auto sum = md5_hex({first, second});
    return sum ? std::string(as_text(sum->reveal())) : "forbidden";
}

// RFC 1321, appendix A.5.
TEST(Md5, GivesTheValuesOfItsRfc) {
    EXPECT_EQ(hex({""}), "d41d8cd98f00b204e9800998ecf8427e");
    EXPECT_EQ(hex({"abc"}), "900150983cd24fb0d6963f7d28e17f72");
    EXPECT_EQ(hex({"message digest"}), "f96b697d7cb7938d525a2f31aaf161d0");
}

TEST(Md5, TakesItsPartsAsOneText) {
    EXPECT_EQ(hex({"message ", "digest"}), hex({"message digest"}));
}

}  // namespace
}  // namespace pgveil::core
