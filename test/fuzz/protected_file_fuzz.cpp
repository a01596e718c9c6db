#include "keyshare/core/lp.hpp"
#include "keyshare/envelope/body.hpp"
#include "keyshare/envelope/header.hpp"
#include "test/fuzz/patched.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace pgveil;

void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

class Bytes final : public envelope::Source {
public:
    explicit Bytes(core::ByteView left) : left_(left) {}

    envelope::Result<std::size_t> read(core::MutableByteView out) override {
        const std::size_t size = std::min(out.size(), left_.size());
        std::copy_n(left_.begin(), size, out.begin());
        left_ = left_.subspan(size);
        return size;
    }

private:
    core::ByteView left_;
};

class Nothing final : public envelope::Sink {
public:
    envelope::Result<void> write(core::ByteView bytes) override {
        written_ += bytes.size();
        return {};
    }

    std::size_t written() const { return written_; }

private:
    std::size_t written_ = 0;
};

struct Sound {
    core::Scalar scalar = core::generate_scalar();
    envelope::FreshFile file = *envelope::make_header(
        *core::PublicPoint::of_scalar(scalar),
        {.who = {"audit", "grey"}, .until_s = 1'900'000'000, .purpose = "audit"},
        core::system_random()
    );
};

/// Any bytes as a file, up to its end.
void check_file(core::ByteView bytes, const Sound& sound) {
    Bytes source(bytes);
    const auto header = envelope::read_header(source);
    if (!header) {
        return;
    }
    require(std::ranges::equal(header->bytes, bytes.first(header->bytes.size())));
    const auto shared = core::ecdh_x(sound.scalar, header->point);
    const auto key = envelope::open_keys(*header, shared->reveal());
    // Who does not know the scalar of the one sound header makes no other that has a key.
    require(!key || std::ranges::equal(header->bytes, sound.file.header.bytes));
}

/// Any body behind a sound header: nobody without the key makes one that opens.
void check_body(core::ByteView body, const Sound& sound) {
    Bytes source(body);
    Nothing sink;
    const auto opened = envelope::open_body(source, sink, sound.file.header, sound.file.body_key);
    require(!opened && sink.written() == 0);
}

/// Any fields, rightly signed: what a program that is not ours could write.
void check_fields(core::ByteView fields, const Sound& sound) {
    const auto signer = core::SigningKey::from_scalar(sound.scalar);
    const core::ByteView sample(sound.file.header.bytes);
    core::Bytes bytes = core::to_bytes(sample.first(envelope::kHeaderStartSize - 4));
    core::append(bytes, core::big_endian32(static_cast<std::uint32_t>(fields.size())));
    core::append(bytes, fields);
    core::append(bytes, signer->sign(bytes));
    core::append(bytes, core::Sha256Digest{});
    const auto header = envelope::parse_header(bytes);
    require(!header || header->policy.who.size() <= envelope::kPolicyNamesMax);
}

/// The fields of a header whose point is the one that check_fields() signs for.
core::Bytes sound_fields(const Sound& sound) {
    const auto point = core::PublicPoint::of_scalar(sound.scalar);
    return core::length_prefixed(
        {core::Sha256Digest{},
         point->bytes(),
         core::ByteView(sound.file.header.prefix),
         core::big_endian64(7),
         core::as_bytes("audit"),
         core::as_bytes("dr. Grey")}
    );
}

}  // namespace

// The first byte says what the rest is: a file, changes to a sound header, a body, changes to
// rightly signed fields.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    static const Sound kSound;
    const core::ByteView rest = core::ByteView(bytes, size).subspan(1);
    switch (bytes[0] % 4) {
        case 0: check_file(rest, kSound); break;
        case 1: check_file(fuzz::patched(kSound.file.header.bytes, rest), kSound); break;
        case 2: check_body(rest, kSound); break;
        default: check_fields(fuzz::patched(sound_fields(kSound), rest), kSound); break;
    }
    return 0;
}
