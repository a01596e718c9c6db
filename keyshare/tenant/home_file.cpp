#include "keyshare/tenant/home_file.hpp"

#include "keyshare/core/xaes.hpp"

#include <algorithm>
#include <string_view>

namespace pgveil::tenant {

namespace {

constexpr std::string_view kTitle = "pgveil tenant home 1";
constexpr std::size_t kCostAt = kTitle.size();
constexpr std::size_t kSaltAt = kCostAt + 1;
constexpr std::size_t kKeySize = 32;
constexpr std::uint32_t kBlockSize = 8;

}  // namespace

Result<HomeKey> HomeKey::derived(
    const core::SecretBytes& passphrase, unsigned log_n, const Salt& salt
) {
    const core::ScryptCost cost{.n = std::uint64_t{1} << log_n, .r = kBlockSize, .p = 1};
    auto key = core::scrypt(passphrase.reveal(), salt, cost, kKeySize);
    if (!key) {
        return user::failed("the passphrase cannot be worked on: " + key.error().message);
    }
    return HomeKey(std::move(*key), log_n, salt);
}

Result<HomeKey> HomeKey::fresh(
    const core::SecretBytes& passphrase, unsigned log_n, core::RandomSource& random
) {
    if (log_n < kScryptLogNMin || log_n > kScryptLogNMax) {
        return user::unusable("log2 of scrypt's N must lie between 4 and 20");
    }
    Salt salt{};
    random.fill(salt);
    return derived(passphrase, log_n, salt);
}

Result<HomeKey> HomeKey::of_file(const core::SecretBytes& passphrase, core::ByteView file) {
    const bool has_head =
        file.size() > kSaltAt + kSaltSize && core::as_text(file.first(kTitle.size())) == kTitle;
    const unsigned log_n = has_head ? file[kCostAt] : 0;
    if (log_n < kScryptLogNMin || log_n > kScryptLogNMax) {
        return user::unusable("this is not a tenant's home file of this version");
    }
    Salt salt{};
    std::ranges::copy(file.subspan(kSaltAt, kSaltSize), salt.begin());
    return derived(passphrase, log_n, salt);
}

core::Bytes HomeKey::head() const {
    core::Bytes head = core::to_bytes(core::as_bytes(kTitle));
    head.push_back(static_cast<std::uint8_t>(log_n_));
    core::append(head, salt_);
    return head;
}

core::Bytes HomeKey::seal(core::ByteView state, core::RandomSource& random) const {
    core::Bytes file = head();
    core::append(file, core::xaes_seal(key_.reveal(), file, state, random));
    return file;
}

Result<core::SecretBytes> HomeKey::open(core::ByteView file) const {
    const core::Bytes expected = head();
    const bool fits =
        file.size() > expected.size() && std::ranges::equal(file.first(expected.size()), expected);
    if (fits) {
        auto state = core::xaes_open(key_.reveal(), expected, file.subspan(expected.size()));
        if (state) {
            return std::move(*state);
        }
    }
    return user::failed("the home does not open: the passphrase is wrong, or the file was altered");
}

}  // namespace pgveil::tenant
