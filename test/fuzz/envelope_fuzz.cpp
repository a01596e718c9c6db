#include "keyshare/core/bytes.hpp"
#include "keyshare/core/random.hpp"
#include "sql/field/envelope.hpp"
#include "sql/field/seal.hpp"
#include "sql/types/codec.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

namespace {

using namespace pgveil;

constexpr std::uint32_t kKeyId = 3;

void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

field::ProtectedColumn column_of(config::Scheme scheme) {
    field::ProtectedColumn column;
    column.schema = "public";
    column.table = "patients";
    column.name = "ssn";
    column.context = "public.patients.ssn";
    column.group = "default";
    column.type = *types::parse_type_name(scheme == config::Scheme::kOrder ? "bytea" : "text");
    column.scheme = scheme;
    column.pad_to = scheme == config::Scheme::kPadded ? 64 : 0;
    column.order_bytes = 32;
    column.has_bytewise_text = true;
    return column;
}

/// A column of each scheme, and its cipher.
struct Keyed {
    explicit Keyed(config::Scheme scheme)
        : column(column_of(scheme)),
          key(field::key_size(scheme), 0x5C),
          cipher(field::FieldKey{key, kKeyId}, field::FieldPlace{"acme", column}) {}

    field::ProtectedColumn column;
    core::Bytes key;
    field::FieldCipher cipher;
};

std::vector<std::unique_ptr<Keyed>> all_schemes() {
    std::vector<std::unique_ptr<Keyed>> keyed;
    for (const auto scheme :
         {config::Scheme::kRandomized,
          config::Scheme::kPadded,
          config::Scheme::kEquality,
          config::Scheme::kOrder}) {
        keyed.push_back(std::make_unique<Keyed>(scheme));
    }
    return keyed;
}

/// Nobody without the key makes an envelope.
void check_forged(Keyed& keyed, core::ByteView bytes) {
    require(!keyed.cipher.open(bytes).has_value());
    core::Bytes headed(field::kEnvelopeHeaderSize);
    field::write_envelope_header(
        keyed.column.scheme,
        kKeyId,
        std::span<std::uint8_t, field::kEnvelopeHeaderSize>(headed.data(), headed.size())
    );
    core::append(headed, bytes);
    const auto parsed = field::parse_envelope(headed);
    require(!parsed.has_value() || parsed->key_id == kKeyId);
    require(!keyed.cipher.open(headed).has_value());
}

/// What was sealed opens to the same, and no more once one bit is another.
void check_sealed(Keyed& keyed, core::ByteView plaintext, std::size_t bit) {
    if (keyed.column.scheme == config::Scheme::kOrder &&
        plaintext.size() > keyed.column.order_bytes) {
        return;
    }
    core::Bytes envelope = keyed.cipher.seal(plaintext, core::system_random());
    require(field::parse_envelope(envelope).has_value() && field::begins_envelope(envelope));
    const auto opened = keyed.cipher.open(envelope);
    require(opened.has_value() && std::ranges::equal(opened->reveal(), plaintext));
    bit %= 8 * envelope.size();
    envelope[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    require(!keyed.cipher.open(envelope).has_value());
    envelope.resize(bit / 8);
    require(!keyed.cipher.open(envelope).has_value());
}

}  // namespace

// The first byte picks the scheme and what the rest is: an envelope, or a bit and a plaintext.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    static const std::vector<std::unique_ptr<Keyed>> kKeyed = all_schemes();
    constexpr std::size_t kHead = 3;
    if (size < kHead) {
        return 0;
    }
    const core::ByteView rest = core::ByteView(bytes, size).subspan(kHead);
    Keyed& keyed = *kKeyed.at(bytes[0] / 2U % kKeyed.size());
    if (bytes[0] % 2 == 0) {
        check_forged(keyed, rest);
    } else {
        check_sealed(keyed, rest, bytes[1] * std::size_t{256} + bytes[2]);
    }
    return 0;
}
