#include "keyshare/envelope/header.hpp"

#include "keyshare/core/hkdf.hpp"
#include "keyshare/core/hmac.hpp"
#include "keyshare/core/lp.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace pgveil::envelope {

namespace {

constexpr std::string_view kHeaderTitle = "pgveil envelope 1\n";
constexpr std::size_t kSizeAt = kHeaderTitle.size();
constexpr std::size_t kFixedFields = 5;
constexpr std::size_t kTailSize = core::kSignatureSize + core::kSha256Size;

static_assert(kSizeAt + 4 == kHeaderStartSize);

user::Error malformed(std::string_view why) {
    return user::failed(
        "this is not a protected file of this version, or its header was altered: " +
        std::string(why)
    );
}

// As a request to the holders carries it, so that no policy asks for what nobody can say.
bool is_spoken(std::string_view text) {
    return !text.empty() && text.size() <= kPolicyTextMax &&
           std::ranges::all_of(text, [](char letter) { return letter >= ' ' && letter <= '~'; });
}

bool is_policy(const Policy& policy) {
    const auto repeats = [](const std::string& left, const std::string& right) {
        return left >= right;
    };
    return policy.until_s >= 0 && policy.who.size() <= kPolicyNamesMax &&
           std::ranges::all_of(policy.who, is_spoken) &&
           std::ranges::adjacent_find(policy.who, repeats) == policy.who.end() &&
           (policy.purpose.empty() || is_spoken(policy.purpose));
}

core::Bytes unsigned_part(const Header& header) {
    const auto until = core::big_endian64(static_cast<std::uint64_t>(header.policy.until_s));
    std::vector<core::ByteView> parts = {
        header.group,
        header.point.bytes(),
        header.prefix,
        until,
        core::as_bytes(header.policy.purpose)};
    for (const std::string& name : header.policy.who) {
        parts.push_back(core::as_bytes(name));
    }
    const core::Bytes fields = core::length_prefixed(parts);
    core::Bytes bytes = core::to_bytes(core::as_bytes(kHeaderTitle));
    core::append(bytes, core::big_endian32(static_cast<std::uint32_t>(fields.size())));
    core::append(bytes, fields);
    return bytes;
}

/// Both keys hang on every byte of the fields: group, point and policy.
class FileKeys {
public:
    FileKeys(core::ByteView shared_x, core::ByteView unsigned_part)
        : root_(shared_x), digest_(core::sha256(unsigned_part)) {}

    core::SecretBytes mac_key() const { return derived("pgveil/1 envelope mac"); }

    BodyKey body_key() const {
        auto key = BodyKey::from(derived("pgveil/1 envelope body"));
        core::invariant(key.has_value(), "HKDF gives 32 bytes");
        return *std::move(key);
    }

private:
    core::SecretBytes derived(std::string_view purpose) const {
        return root_.expand(core::length_prefixed({core::as_bytes(purpose), digest_}));
    }

    core::ExtractedKey root_;
    core::Sha256Digest digest_;
};

core::Sha256Digest mac_of(const FileKeys& keys, core::ByteView before) {
    return core::hmac_sha256(keys.mac_key().reveal(), before);
}

Result<Header> parse_fields(const std::vector<core::ByteView>& fields) {
    const auto point = core::PublicPoint::parse(fields[1]);
    const bool sizes_fit = fields[0].size() == core::kSha256Size &&
                           fields[2].size() == kNoncePrefixSize &&
                           fields[3].size() == sizeof(std::uint64_t);
    if (!point || !sizes_fit) {
        return malformed("a field has another size, or its point is none");
    }
    Header header{.group = {}, .point = *point, .prefix = {}, .policy = {}, .bytes = {}};
    std::ranges::copy(fields[0], header.group.begin());
    std::ranges::copy(fields[2], header.prefix.begin());
    header.policy.until_s = static_cast<std::int64_t>(core::read_big_endian64(fields[3]));
    header.policy.purpose = core::as_text(fields[4]);
    for (std::size_t at = kFixedFields; at < fields.size(); ++at) {
        header.policy.who.emplace_back(core::as_text(fields[at]));
    }
    if (!is_policy(header.policy)) {
        return malformed("its policy breaks the rules");
    }
    return header;
}

}  // namespace

Result<std::size_t> header_size(core::ByteView start) {
    if (start.size() < kHeaderStartSize || core::as_text(start.first(kSizeAt)) != kHeaderTitle) {
        return malformed("it does not start with the title of one");
    }
    const std::size_t fields = core::read_big_endian32(start.subspan(kSizeAt));
    if (fields > kHeaderSizeMax - kHeaderStartSize - kTailSize) {
        return malformed("its size is out of bounds");
    }
    return kHeaderStartSize + fields + kTailSize;
}

Result<Header> parse_header(core::ByteView bytes) {
    const auto size = header_size(bytes);
    if (!size) {
        return size.error();
    }
    if (*size != bytes.size()) {
        return malformed("it is cut off");
    }
    const std::size_t signed_size = bytes.size() - kTailSize;
    const auto fields = core::split_length_prefixed_up_to(
        bytes.subspan(kHeaderStartSize, signed_size - kHeaderStartSize),
        kFixedFields + kPolicyNamesMax
    );
    if (!fields || fields->size() < kFixedFields) {
        return malformed("its fields cannot be told apart");
    }
    auto header = parse_fields(*fields);
    if (!header) {
        return header;
    }
    const core::ByteView signature = bytes.subspan(signed_size, core::kSignatureSize);
    if (!core::VerifyingKey(header->point).verify(bytes.first(signed_size), signature)) {
        return malformed("its policy is not the one it was made with");
    }
    header->bytes = core::to_bytes(bytes);
    return header;
}

Result<FreshFile> make_header(
    const core::PublicPoint& group_key, Policy policy, core::RandomSource& random
) {
    if (!is_policy(policy)) {
        return user::unusable(
            "names and purpose of a policy are 1 to 200 characters of printable ASCII, there are "
            "at "
            "most 64 names, each once, and the end is no time before 1970"
        );
    }
    const core::Scalar scalar = core::generate_scalar();
    const auto point = core::PublicPoint::of_scalar(scalar);
    const auto shared_x = core::ecdh_x(scalar, group_key);
    const auto signer = core::SigningKey::from_scalar(scalar);
    core::invariant(
        point.has_value() && shared_x.has_value() && signer.has_value(), "a fresh scalar is one"
    );
    Header header{
        .group = group_key.fingerprint(),
        .point = *point,
        .prefix = {},
        .policy = std::move(policy),
        .bytes = {}};
    random.fill(header.prefix);
    header.bytes = unsigned_part(header);
    const FileKeys keys(shared_x->reveal(), header.bytes);
    core::append(header.bytes, signer->sign(header.bytes));
    core::append(header.bytes, mac_of(keys, header.bytes));
    return FreshFile{std::move(header), keys.body_key()};
}

Result<BodyKey> open_keys(const Header& header, core::ByteView shared_x) {
    const core::ByteView bytes = header.bytes;
    const FileKeys keys(shared_x, bytes.first(bytes.size() - kTailSize));
    const auto expected = mac_of(keys, bytes.first(bytes.size() - core::kSha256Size));
    if (!core::equal_in_constant_time(expected, header.mac())) {
        return user::failed(
            "the key that the holders gave does not fit this file: it was sealed to another "
            "group, or its header was altered"
        );
    }
    return keys.body_key();
}

}  // namespace pgveil::envelope
