#include "keyshare/core/random.hpp"

#include "keyshare/core/fork.hpp"
#include "keyshare/core/libcrypto.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>

namespace pgveil::core {
namespace {

constexpr std::size_t kBatch = 4096;
constexpr std::size_t kMostPerCall = std::size_t{1} << 30U;

class SystemRandom final : public RandomSource {
public:
    void fill(MutableByteView out) override {
        while (!out.empty()) {
            const std::size_t now = std::min(out.size(), kMostPerCall);
            must(
                RAND_bytes(out.data(), static_cast<int>(now)), "libcrypto's random generator works"
            );
            out = out.subspan(now);
        }
    }
};

}  // namespace

RandomSource& system_random() {
    static SystemRandom source;
    return source;
}

BatchedRandom::BatchedRandom() = default;

void BatchedRandom::fill(MutableByteView out) {
    if (generation_ != fork_generation()) {
        batch_.wipe();
        used_ = 0;
    }
    while (!out.empty()) {
        if (used_ == batch_.size()) {
            refill();
        }
        const std::size_t now = std::min(out.size(), batch_.size() - used_);
        const MutableByteView taken = batch_.reveal_mutable().subspan(used_, now);
        copy_secret(out.first(now), taken);
        OPENSSL_cleanse(taken.data(), taken.size());
        used_ += now;
        out = out.subspan(now);
    }
}

void BatchedRandom::refill() {
    generation_ = fork_generation();
    if (batch_.empty()) {
        batch_ = SecretBytes(kBatch);
    }
    system_random().fill(batch_.reveal_mutable());
    used_ = 0;
}

SecretBytes random_secret(RandomSource& random, std::size_t size) {
    SecretBytes fresh(size);
    random.fill(fresh.reveal_mutable());
    return fresh;
}

}  // namespace pgveil::core
