#include "sql/types/network_address.hpp"

#include <algorithm>
#include <array>

namespace pgveil::types {

namespace {

constexpr std::uint8_t kIpv4 = 2;
constexpr std::uint8_t kIpv6 = 3;
constexpr std::size_t kHeaderSize = 4;

std::size_t address_size(std::uint8_t family) {
    return family == kIpv4 ? 4 : 16;
}

std::string name_of_network(Kind kind) {
    return kind == Kind::kInet ? "inet" : "cidr";
}

core::ByteView address_of(core::ByteView binary) {
    return binary.subspan(kHeaderSize);
}

/// The bits of byte `index` that the netmask leaves to hosts.
std::uint8_t host_mask(std::size_t index, std::size_t bits) {
    const std::size_t first = index * 8;
    if (bits >= first + 8) {
        return 0;
    }
    return bits <= first ? 0xFF : static_cast<std::uint8_t>(0xFFU >> (bits - first));
}

Error external_error(std::string_view problem, Kind kind) {
    return invalid_value(
        "22P03",
        "invalid " + std::string(problem) + " in external \"" + name_of_network(kind) + "\" value"
    );
}

Result<void> check_binary(Kind kind, core::ByteView binary) {
    const Error too_short = invalid_value("08P01", "insufficient data left in message");
    if (binary.empty()) {
        return too_short;
    }
    const std::uint8_t family = binary[0];
    if (family != kIpv4 && family != kIpv6) {
        return invalid_value(
            "22P03", "invalid address family in external \"" + name_of_network(kind) + "\" value"
        );
    }
    if (binary.size() < 2) {
        return too_short;
    }
    if (binary[1] > address_size(family) * 8) {
        return external_error("bits", kind);
    }
    if (binary.size() < kHeaderSize) {
        return too_short;
    }
    if (binary[3] != address_size(family)) {
        return external_error("length", kind);
    }
    const std::size_t size = kHeaderSize + address_size(family);
    if (binary.size() != size) {
        return binary.size() < size ? too_short
                                    : invalid_value("22P03", "incorrect binary data format");
    }
    if (kind == Kind::kCidr && has_host_bits(binary)) {
        Error error = invalid_value("22P03", "invalid external \"cidr\" value");
        error.detail = "Value has bits set to right of mask.";
        return error;
    }
    return {};
}

void append_ipv4(core::ByteView address, TextSink& sink) {
    std::string text;
    for (const std::uint8_t octet : address) {
        text += (text.empty() ? "" : ".") + std::to_string(octet);
    }
    sink.append(text);
}

struct Run {
    std::size_t begin = 0;
    std::size_t size = 0;
};

using Words = std::array<std::uint16_t, 8>;

/// The longest run of zeros, the first of several; runs of one do not count.
Run longest_zeros(const Words& words) {
    Run best;
    Run current;
    for (std::size_t index = 0; index < words.size(); ++index) {
        current = words.at(index) != 0 ? Run{index + 1, 0} : Run{current.begin, current.size + 1};
        best = current.size > best.size ? current : best;
    }
    return best.size < 2 ? Run{} : best;
}

std::string hex_of(std::uint16_t word) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (int shift = 12; shift >= 0; shift -= 4) {
        const std::size_t digit = static_cast<std::size_t>(word >> shift) & 15U;
        if (digit != 0 || !text.empty() || shift == 0) {
            text += kDigits[digit];
        }
    }
    return text;
}

/// RFC 5952, with the last four octets in decimal where the rest says that they are IPv4.
void append_ipv6(core::ByteView address, TextSink& sink) {
    Words words{};
    for (std::size_t index = 0; index < words.size(); ++index) {
        words.at(index) = core::read_big_endian16(address.subspan(index * 2));
    }
    const Run zeros = longest_zeros(words);
    const bool is_ipv4_inside = zeros.size != 0 && zeros.begin == 0 &&
                                (zeros.size == 6 || (zeros.size == 7 && words[7] != 1) ||
                                 (zeros.size == 5 && words[5] == 0xFFFF));
    for (std::size_t index = 0; index < words.size(); ++index) {
        if (zeros.size != 0 && index >= zeros.begin && index < zeros.begin + zeros.size) {
            sink.append(index == zeros.begin ? ":" : "");
            continue;
        }
        sink.append(index == 0 ? "" : ":");
        if (is_ipv4_inside && index == 6) {
            append_ipv4(address.last(4), sink);
            return;
        }
        sink.append(hex_of(words.at(index)));
    }
    sink.append(zeros.size != 0 && zeros.begin + zeros.size == words.size() ? ":" : "");
}

}  // namespace

bool is_network(Kind kind) {
    return kind == Kind::kInet || kind == Kind::kCidr;
}

bool has_host_bits(core::ByteView binary) {
    const core::ByteView address = address_of(binary);
    for (std::size_t index = 0; index < address.size(); ++index) {
        if ((address[index] & host_mask(index, binary[1])) != 0) {
            return true;
        }
    }
    return false;
}

bool is_single_host(core::ByteView binary) {
    return binary[1] == address_of(binary).size() * 8;
}

core::SecretBytes network_as(Kind to, core::ByteView binary) {
    auto bytes = core::SecretBytes::copy_of(binary);
    const auto writable = bytes.reveal_mutable();
    writable[2] = to == Kind::kCidr ? 1 : 0;
    for (std::size_t index = kHeaderSize; to == Kind::kCidr && index < writable.size(); ++index) {
        writable[index] &= static_cast<std::uint8_t>(~host_mask(index - kHeaderSize, writable[1]));
    }
    return bytes;
}

Result<core::SecretBytes> network_from_binary(Kind kind, core::ByteView binary) {
    const Result<void> checked = check_binary(kind, binary);
    if (!checked.has_value()) {
        return checked.error();
    }
    return network_as(kind, binary);
}

Result<void> append_network(Kind kind, core::ByteView binary, TextSink& sink) {
    if (!check_binary(kind, binary).has_value()) {
        return invalid_value("22P03", "incorrect binary data format");
    }
    if (binary[0] == kIpv4) {
        append_ipv4(address_of(binary), sink);
    } else {
        append_ipv6(address_of(binary), sink);
    }
    if (kind == Kind::kCidr || !is_single_host(binary)) {
        sink.append("/" + std::to_string(binary[1]));
    }
    return {};
}

}  // namespace pgveil::types
