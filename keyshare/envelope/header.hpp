#pragma once

#include "keyshare/core/hash.hpp"
#include "keyshare/core/p256.hpp"
#include "keyshare/core/random.hpp"
#include "keyshare/core/secret.hpp"
#include "keyshare/user/error.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace pgveil::envelope {

using user::Result;

/// Who may have a file opened, until when, and for what. Holders enforce it before they help: it
/// does not bind two holders that agree to ignore it.
struct Policy {
    std::vector<std::string> who;  ///< ascending, no repetition; empty: whomever the holders serve
    std::int64_t until_s = 0;      ///< Unix seconds, from then on refused; 0: without end
    std::string purpose;           ///< what a request must name; empty: any purpose

    friend bool operator==(const Policy&, const Policy&) = default;
};

inline constexpr std::size_t kPolicyNamesMax = 64;
/// Names and purpose are printable ASCII, 1 to this many bytes.
inline constexpr std::size_t kPolicyTextMax = 200;
inline constexpr std::size_t kNoncePrefixSize = 12;
using NoncePrefix = std::array<std::uint8_t, kNoncePrefixSize>;

/// Title and size of the fields: so much has to be read to know how long a header is.
inline constexpr std::size_t kHeaderStartSize = 22;
inline constexpr std::size_t kHeaderSizeMax = 32768;

using MacKey = core::Secret<struct EnvelopeMacKey>;
using BodyKey = core::Secret<struct EnvelopeBodyKey>;

/// The head of a protected file (docs/FORMATS.md, chapter 9). A value that exists was well-formed,
/// and signed by whoever knows the discrete logarithm of `point`: so the policy is that of the
/// person who made the file, and stays so when somebody puts another policy before the same point.
/// That the file belongs to the group is known only once open_keys() has succeeded.
struct Header {
    core::Sha256Digest group{};  ///< fingerprint of the public key it is sealed to
    core::PublicPoint point;     ///< C = rG
    NoncePrefix prefix{};
    Policy policy;
    core::Bytes bytes;  ///< all of it as it stands in the file, the MAC last

    core::ByteView mac() const { return core::ByteView(bytes).last(core::kSha256Size); }
};

/// Bytes of the whole header, from its first kHeaderStartSize bytes.
Result<std::size_t> header_size(core::ByteView start);

/// Strict: every header has one form. Never throws on any bytes.
Result<Header> parse_header(core::ByteView bytes);

/// What a file is sealed with: where it starts, and the key of its body.
struct FreshFile {
    Header header;
    BodyKey body_key;
};

/// A header for a new file, sealed to the group with this public key by a fresh scalar, which is
/// wiped. Needs nothing but the public key. Fails on a policy that breaks the rules of its fields.
Result<FreshFile> make_header(
    const core::PublicPoint& group_key, Policy policy, core::RandomSource& random
);

/// The key of the body, from the X coordinate of the group's private key times header.point. Fails
/// when the MAC does not fit: another group's point, or an altered header. The MAC commits to the
/// key: nobody can make a file that two keys open.
Result<BodyKey> open_keys(const Header& header, core::ByteView shared_x);

}  // namespace pgveil::envelope
