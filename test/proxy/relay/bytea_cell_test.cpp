#include "proxy/relay/bytea_cell.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pgveil::relay {
namespace {

core::Bytes read(std::string_view text) {
    core::Bytes bytes(3, 9);
    read_bytea(core::as_bytes(text), bytes);
    return bytes;
}

TEST(ByteaCell, OfEveryByteAndEveryLengthIsReadBack) {
    core::Bytes bytes;
    for (int byte = 0; byte < 256; ++byte) {
        bytes.push_back(static_cast<std::uint8_t>(byte));
        EXPECT_EQ(read("\\x" + core::to_hex(bytes)), bytes) << byte;
    }
    EXPECT_EQ(read("\\x"), core::Bytes());
}

TEST(ByteaCell, WithALetterThatIsNoLowerCaseDigitIsNothing) {
    const std::string digits = core::to_hex(core::Bytes(20, 0xa7));
    for (std::size_t at = 0; at < digits.size(); ++at) {
        for (int letter = 0; letter < 256; ++letter) {
            std::string other = digits;
            other[at] = static_cast<char>(letter);
            const bool is_digit =
                std::string_view("0123456789abcdef").find(other[at]) != std::string_view::npos;
            EXPECT_EQ(read("\\x" + other).empty(), !is_digit) << at << ' ' << letter;
        }
    }
}

TEST(ByteaCell, InTheEscapeFormIsReadToo) {
    EXPECT_EQ(read("a\\\\\\001"), (core::Bytes{'a', '\\', 1}));
}

}  // namespace
}  // namespace pgveil::relay
