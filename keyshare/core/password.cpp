#include "keyshare/core/password.hpp"

#include "keyshare/core/libcrypto.hpp"

#include <openssl/evp.h>
#include <openssl/kdf.h>

#include <bit>

namespace pgveil::core {
namespace {

constexpr std::size_t kMostOutput = 1024;
constexpr std::uint32_t kMostIterations = 10'000'000;
constexpr std::uint32_t kMostParallel = 16;
constexpr std::size_t kMostInput = std::size_t{1} << 20U;

Error bad_parameter(const char* what) {
    return {ErrorCode::kParameter, what};
}

bool sizes_are_sane(ByteView password, ByteView salt, std::size_t size) {
    return size >= 1 && size <= kMostOutput && password.size() <= kMostInput &&
           salt.size() <= kMostInput;
}

bool is_sane(const ScryptCost& cost) {
    if (cost.n < 2 || !std::has_single_bit(cost.n) || cost.r == 0 || cost.p == 0 ||
        cost.p > kMostParallel) {
        return false;
    }
    return cost.n <= kScryptMaxMemory / 128 / cost.r;
}

}  // namespace

Result<SecretBytes> pbkdf2_sha256(
    ByteView password, ByteView salt, std::uint32_t iterations, std::size_t size
) {
    if (iterations == 0 || iterations > kMostIterations || !sizes_are_sane(password, salt, size)) {
        return bad_parameter("PBKDF2: 1 to 10000000 iterations and 1 to 1024 bytes are supported");
    }
    SecretBytes out(size);
    const auto characters = as_text({pointer_of(password), password.size()});
    const int done = PKCS5_PBKDF2_HMAC(
        characters.data(),
        int_size(characters.size()),
        pointer_of(salt),
        int_size(salt.size()),
        static_cast<int>(iterations),
        sha_256(),
        int_size(size),
        out.reveal_mutable().data()
    );
    must(done, "PBKDF2 with checked parameters works");
    return out;
}

Result<SecretBytes> scrypt(
    ByteView password, ByteView salt, const ScryptCost& cost, std::size_t size
) {
    if (!is_sane(cost) || !sizes_are_sane(password, salt, size)) {
        return bad_parameter(
            "scrypt: n must be a power of two, 128*n*r at most 1 GiB, p 1 to 16, size 1 to 1024"
        );
    }
    SecretBytes out(size);
    const auto characters = as_text({pointer_of(password), password.size()});
    const int done = EVP_PBE_scrypt(
        characters.data(),
        characters.size(),
        pointer_of(salt),
        salt.size(),
        cost.n,
        cost.r,
        cost.p,
        2 * kScryptMaxMemory,
        out.reveal_mutable().data(),
        size
    );
    if (!succeeded(done)) {
        return bad_parameter("scrypt: there is not enough memory for this cost, or it is malformed"
        );
    }
    return out;
}

}  // namespace pgveil::core
