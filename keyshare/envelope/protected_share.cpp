#include "keyshare/envelope/protected_share.hpp"

#include "keyshare/core/hkdf.hpp"
#include "keyshare/core/lp.hpp"
#include "keyshare/core/password.hpp"
#include "keyshare/core/xaes.hpp"
#include "keyshare/share/one_time_password.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace pgveil::envelope {

namespace {

constexpr std::string_view kShareTitle = "pgveil protected share 1";
constexpr std::size_t kSaltSize = 16;
constexpr std::size_t kKeySize = 32;
constexpr std::uint32_t kBlockSize = 8;
constexpr std::size_t kHeadSize = kShareTitle.size() + 1 + kSaltSize;
constexpr std::size_t kCodeSize = 26;
constexpr std::string_view kCodeAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

Result<core::SecretBytes> closing_key(
    core::ByteView head, const quorum::Group& group, const Secrets& secrets
) {
    const unsigned log_n = head[kShareTitle.size()];
    const core::ScryptCost cost{.n = std::uint64_t{1} << log_n, .r = kBlockSize, .p = 1};
    const auto stretched =
        core::scrypt(secrets.password.reveal(), head.last(kSaltSize), cost, kKeySize);
    if (!stretched) {
        return user::failed("the password cannot be worked on: " + stretched.error().message);
    }
    const core::SecretBytes both =
        core::secret_length_prefixed({stretched->reveal(), secrets.code.reveal()});
    return core::hkdf_sha256(
        both.reveal(),
        core::length_prefixed({core::as_bytes("pgveil/1 protected share"), quorum::digest_of(group)}
        )
    );
}

char normal_letter(std::uint8_t byte) {
    const char letter = static_cast<char>(byte >= 'a' && byte <= 'z' ? byte - 'a' + 'A' : byte);
    if (letter == 'O') {
        return '0';
    }
    return letter == 'I' || letter == 'L' ? '1' : letter;
}

}  // namespace

core::SecretBytes make_code(core::RandomSource& random) {
    return share::make_one_time_password(random).text;
}

Result<core::SecretBytes> normal_code(core::ByteView typed) {
    core::SecretBytes code(kCodeSize);
    std::size_t size = 0;
    bool fits = true;
    for (const std::uint8_t byte : typed) {
        if (byte == '-' || byte == ' ') {
            continue;
        }
        const char letter = normal_letter(byte);
        fits = fits && size < kCodeSize && kCodeAlphabet.find(letter) != std::string_view::npos;
        if (fits) {
            code.reveal_mutable()[size++] = static_cast<std::uint8_t>(letter);
        }
    }
    if (!fits || size != kCodeSize) {
        return user::unusable(
            "this is no recovery code: it has 26 letters and digits, as "
            "XXXXX-XXXXX-XXXXX-XXXXX-XXXXXX"
        );
    }
    return code;
}

Result<core::Bytes> close_share(
    const Membership& membership,
    const quorum::Group& group,
    const Secrets& secrets,
    unsigned log_n,
    core::RandomSource& random
) {
    core::invariant(
        log_n >= kScryptLogNMin && log_n <= kScryptLogNMax, "the cost of a password is in bounds"
    );
    std::array<std::uint8_t, kSaltSize> salt{};
    random.fill(salt);
    core::Bytes closed = core::to_bytes(core::as_bytes(kShareTitle));
    closed.push_back(static_cast<std::uint8_t>(log_n));
    core::append(closed, salt);
    const auto key = closing_key(closed, group, secrets);
    if (!key) {
        return key.error();
    }
    const core::SecretBytes plain = serialize(membership);
    core::append(closed, core::xaes_seal(key->reveal(), closed, plain.reveal(), random));
    return closed;
}

Result<Membership> open_share(
    core::ByteView closed, const quorum::Group& group, const Secrets& secrets
) {
    const bool has_head = closed.size() > kHeadSize &&
                          core::as_text(closed.first(kShareTitle.size())) == kShareTitle &&
                          closed[kShareTitle.size()] >= kScryptLogNMin &&
                          closed[kShareTitle.size()] <= kScryptLogNMax;
    if (!has_head) {
        return user::unusable("this is no password-protected share of this version");
    }
    const core::ByteView head = closed.first(kHeadSize);
    const auto key = closing_key(head, group, secrets);
    if (!key) {
        return key.error();
    }
    const auto plain = core::xaes_open(key->reveal(), head, closed.subspan(kHeadSize));
    if (!plain) {
        return user::failed(
            "the protected share does not open: the password or the recovery code is wrong, or "
            "the share was altered"
        );
    }
    return parse_membership(plain->reveal(), group);
}

}  // namespace pgveil::envelope
