#include "sql/field/padding.hpp"

#include "keyshare/core/invariant.hpp"

#include <algorithm>

namespace pgveil::field {

namespace {

constexpr std::size_t kLengthSize = 4;

}  // namespace

core::SecretBytes padded(core::ByteView value, std::size_t pad_to) {
    core::invariant(pad_to > 0, "a padded column has a bucket size");
    core::invariant(value.size() <= UINT32_MAX, "a value's length fits into four bytes");
    const std::size_t buckets = std::max<std::size_t>(1, (value.size() + pad_to - 1) / pad_to);
    core::SecretBytes form(kLengthSize + buckets * pad_to);
    const auto length = core::big_endian32(static_cast<std::uint32_t>(value.size()));
    std::copy(length.begin(), length.end(), form.reveal_mutable().begin());
    core::copy_secret(form.reveal_mutable().subspan(kLengthSize, value.size()), value);
    return form;
}

core::Result<core::SecretBytes> without_padding(core::SecretBytes form) {
    const core::Error malformed{core::ErrorCode::kEncoding, "not a padded value"};
    const core::ByteView bytes = form.reveal();
    if (bytes.size() < kLengthSize) {
        return malformed;
    }
    const core::ByteView rest = bytes.subspan(kLengthSize);
    const std::size_t length = core::read_big_endian32(bytes);
    if (length > rest.size()) {
        return malformed;
    }
    const core::ByteView zeros = rest.subspan(length);
    if (std::any_of(zeros.begin(), zeros.end(), [](std::uint8_t byte) { return byte != 0; })) {
        return malformed;
    }
    return core::SecretBytes::copy_of(rest.first(length));
}

}  // namespace pgveil::field
