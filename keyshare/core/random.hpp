#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/secret.hpp"

#include <cstddef>
#include <cstdint>

namespace pgveil::core {

/// Uniform random bytes. Failure of the generator ends the process (invariant): nobody can go on
/// without it.
class RandomSource {
public:
    RandomSource() = default;
    virtual ~RandomSource() = default;
    RandomSource(const RandomSource&) = delete;
    RandomSource& operator=(const RandomSource&) = delete;
    RandomSource(RandomSource&&) = delete;
    RandomSource& operator=(RandomSource&&) = delete;

    virtual void fill(MutableByteView out) = 0;
};

/// libcrypto's generator, one call per fill(). Any thread.
RandomSource& system_random();

/// The same bytes drawn 4 KiB at a time, because a call costs more than the AES block it serves.
/// One per thread. A batch lies in the arena, consumed bytes are wiped at once, and a forked child
/// drops what it inherited.
class BatchedRandom final : public RandomSource {
public:
    BatchedRandom();
    void fill(MutableByteView out) override;

private:
    void refill();

    SecretBytes batch_;
    std::size_t used_ = 0;
    std::uint64_t generation_ = 0;
};

SecretBytes random_secret(RandomSource& random, std::size_t size);

template <class SecretType>
SecretType random_secret(RandomSource& random) {
    SecretType fresh;
    random.fill(fresh.reveal_mutable());
    return fresh;
}

}  // namespace pgveil::core
