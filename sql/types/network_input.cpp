// Text input of inet and cidr, as inet_net_pton() reads it.
#include "sql/types/network_address.hpp"
#include "sql/types/text.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

namespace pgveil::types {

namespace {

constexpr std::size_t kIpv4Bits = 32;
constexpr std::size_t kIpv6Bits = 128;

struct Address {
    core::SecretBytes bytes;
    std::size_t given = 0;  // octets that the text has
    std::optional<std::size_t> bits;
};

Error invalid_syntax(Kind kind, std::string_view text) {
    return invalid_value(
        "22P02",
        "invalid input syntax for type " + name_of(Type{kind}) + ": \"" + std::string(text) + "\""
    );
}

/// Decimal digits only, up to `most`.
std::optional<std::size_t> small_number(std::string_view digits, std::size_t most) {
    while (digits.size() > 1 && digits.front() == '0') {
        digits.remove_prefix(1);
    }
    const auto number =
        digits.size() <= 3 && is_all_digits(digits) ? parse_int32(digits) : std::nullopt;
    const bool fits = number && static_cast<std::size_t>(*number) <= most;
    return fits ? std::optional(static_cast<std::size_t>(*number)) : std::nullopt;
}

/// One to four octets; `dots` between them, none at an end.
std::optional<Address> read_octets(std::string_view text) {
    Address address;
    address.bytes = core::SecretBytes(4);
    for (bool is_last = false; !is_last; ++address.given) {
        const std::size_t dot = text.find('.');
        is_last = dot == std::string_view::npos;
        const auto octet = small_number(text.substr(0, dot), 255);
        if (!octet || address.given == 4) {
            return std::nullopt;
        }
        address.bytes.reveal_mutable()[address.given] = static_cast<std::uint8_t>(*octet);
        text.remove_prefix(is_last ? text.size() : dot + 1);
    }
    return address;
}

/// The netmask of a cidr without one: by the class of its network.
std::size_t bits_of_class(const Address& address) {
    const std::uint8_t first = address.bytes.reveal()[0];
    const std::size_t by_class = first >= 240   ? 32
                                 : first >= 224 ? 8
                                 : first >= 192 ? 24
                                 : first >= 128 ? 16
                                                : 8;
    const std::size_t bits = std::max(by_class, address.given * 8);
    return bits == 8 && first == 224 ? 4 : bits;
}

std::optional<Address> read_ipv4(Kind kind, std::string_view text) {
    const std::size_t slash = text.find('/');
    auto address = read_octets(text.substr(0, slash));
    if (!address) {
        return std::nullopt;
    }
    if (slash != std::string_view::npos) {
        address->bits = small_number(text.substr(slash + 1), kIpv4Bits);
        const bool is_enough =
            kind == Kind::kCidr || (address->bits && *address->bits / 8 <= address->given);
        return address->bits && is_enough ? std::move(address) : std::nullopt;
    }
    if (kind == Kind::kCidr) {
        address->bits = bits_of_class(*address);
    } else if (address->given == 4) {
        address->bits = kIpv4Bits;
    }
    return address->bits ? std::move(address) : std::nullopt;
}

std::optional<std::uint16_t> read_hex(std::string_view digits) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    if (digits.empty() || digits.size() > 4) {
        return std::nullopt;
    }
    std::uint16_t word = 0;
    for (const char digit : digits) {
        const std::size_t value = kDigits.find(to_lower(digit));
        if (value == std::string_view::npos) {
            return std::nullopt;
        }
        word = static_cast<std::uint16_t>(word * 16 + value);
    }
    return word;
}

/// Decimal octets inside IPv6 have no zeros in front.
bool has_leading_zero(std::string_view octets) {
    bool is_start = true;
    for (std::size_t index = 0; index < octets.size(); ++index) {
        const bool goes_on = index + 1 < octets.size() && is_digit(octets[index + 1]);
        if (is_start && octets[index] == '0' && goes_on) {
            return true;
        }
        is_start = octets[index] == '.';
    }
    return false;
}

/// Groups between colons, appended to `bytes`; empty text has none.
bool read_groups(std::string_view text, bool may_end_in_octets, core::SecretBytes& bytes) {
    while (!text.empty()) {
        const std::size_t colon = text.find(':');
        const bool is_last = colon == std::string_view::npos;
        const std::string_view group = text.substr(0, colon);
        if (is_last && may_end_in_octets && group.find('.') != std::string_view::npos) {
            const auto octets = read_octets(group);
            if (!octets || octets->given != 4 || has_leading_zero(group)) {
                return false;
            }
            bytes.append(octets->bytes.reveal());
            return true;
        }
        const auto word = read_hex(group);
        if (!word || colon + 1 == text.size()) {
            return false;
        }
        bytes.append(core::big_endian16(*word));
        text.remove_prefix(is_last ? text.size() : colon + 1);
    }
    return true;
}

std::optional<Address> read_ipv6(std::string_view text) {
    constexpr std::size_t kSize = 16;
    const std::size_t slash = text.find('/');
    const std::string_view groups = text.substr(0, slash);
    Address address;
    address.bits = kIpv6Bits;
    if (slash != std::string_view::npos) {
        const std::string_view bits = text.substr(slash + 1);
        const bool has_zero_in_front = bits.size() > 1 && bits.front() == '0';
        address.bits = has_zero_in_front ? std::nullopt : small_number(bits, kIpv6Bits);
    }
    const std::size_t gap = groups.find("::");
    const bool has_gap = gap != std::string_view::npos;
    core::SecretBytes left;
    core::SecretBytes right;
    bool is_read = address.bits && read_groups(groups.substr(0, gap), !has_gap, left);
    is_read = is_read && (!has_gap || read_groups(groups.substr(gap + 2), true, right));
    const std::size_t size = left.size() + right.size();
    const bool is_whole = has_gap ? size < kSize : size == kSize;
    if (!is_read || !is_whole) {
        return std::nullopt;
    }
    address.bytes = std::move(left);
    address.bytes.append(core::SecretBytes(kSize - size).reveal());
    address.bytes.append(right.reveal());
    return address;
}

/// What PostgreSQL reads and other readers do not.
bool is_exotic(Kind kind, std::string_view text) {
    const bool is_hex = text.size() > 1 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const std::string_view address = text.substr(0, text.find('/'));
    return (kind == Kind::kCidr && is_hex) || address.ends_with('.');
}

}  // namespace

Result<core::SecretBytes> network_from_text(Kind kind, std::string_view text) {
    if (is_exotic(kind, text)) {
        return unsupported_form(
            "this form of a network address cannot be read", "Write all of its parts in decimal."
        );
    }
    const bool is_ipv6 = text.find(':') != std::string_view::npos;
    const auto address = is_ipv6 ? read_ipv6(text) : read_ipv4(kind, text);
    if (!address) {
        return invalid_syntax(kind, text);
    }
    const std::array<std::uint8_t, 4> header = {
        static_cast<std::uint8_t>(is_ipv6 ? 3 : 2),
        static_cast<std::uint8_t>(*address->bits),
        static_cast<std::uint8_t>(kind == Kind::kCidr ? 1 : 0),
        static_cast<std::uint8_t>(address->bytes.size())};
    auto bytes = core::SecretBytes::copy_of(header);
    bytes.append(address->bytes.reveal());
    if (kind == Kind::kCidr && has_host_bits(bytes.reveal())) {
        Error error = invalid_value("22P02", "invalid cidr value: \"" + std::string(text) + "\"");
        error.detail = "Value has bits set to right of mask.";
        return error;
    }
    return bytes;
}

}  // namespace pgveil::types
