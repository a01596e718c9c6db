#include "sql/field/seal.hpp"

#include "keyshare/core/invariant.hpp"
#include "keyshare/core/lp.hpp"
#include "sql/field/envelope.hpp"
#include "sql/field/padding.hpp"
#include "sql/types/order_form.hpp"

#include <algorithm>

namespace pgveil::field {

namespace {

constexpr std::size_t kRandomizedKeySize = 32;

core::MutableByteView header_of(core::Bytes& envelope) {
    return core::MutableByteView(envelope).first(kEnvelopeHeaderSize);
}

core::Bytes begin_envelope(config::Scheme scheme, std::uint32_t key_id, std::size_t size) {
    core::Bytes envelope(size);
    write_envelope_header(scheme, key_id, header_of(envelope).first<kEnvelopeHeaderSize>());
    return envelope;
}

}  // namespace

std::string_view key_purpose(config::Scheme scheme) {
    switch (scheme) {
        case config::Scheme::kRandomized:
        case config::Scheme::kPadded: return "xaes";
        case config::Scheme::kEquality: return "siv";
        case config::Scheme::kOrder: return "siv and order tag";
    }
    return {};
}

std::size_t key_size(config::Scheme scheme) {
    switch (scheme) {
        case config::Scheme::kRandomized:
        case config::Scheme::kPadded: return kRandomizedKeySize;
        case config::Scheme::kEquality: return core::kSivKeySize;
        case config::Scheme::kOrder: return core::kSivKeySize + core::kOrderTagKeySize;
    }
    return 0;
}

core::Bytes associated_data(const FieldPlace& place, std::uint32_t key_id) {
    const ProtectedColumn& column = place.column;
    return core::length_prefixed(
        {core::as_bytes(place.tenant),
         core::as_bytes(column.group),
         core::big_endian32(key_id),
         core::as_bytes(column.context),
         core::as_bytes(column.associated_type_name()),
         core::as_bytes(config::name_of(column.scheme))}
    );
}

FieldCipher::FieldCipher(const FieldKey& key, const FieldPlace& place)
    : scheme_(place.column.scheme),
      is_bound_(place.column.is_bound()),
      pad_to_(place.column.pad_to),
      key_id_(key.key_id),
      associated_(associated_data(place, key.key_id)),
      keyed_(keyed_for(place.column, key.key)) {}

FieldCipher::Keyed FieldCipher::keyed_for(const ProtectedColumn& column, core::ByteView key) {
    const bool fits = key.size() == key_size(column.scheme);
    core::invariant(fits, "a field key has the size of its scheme");
    switch (column.scheme) {
        case config::Scheme::kRandomized:
        case config::Scheme::kPadded: break;
        case config::Scheme::kEquality: return core::AesSiv(key);
        case config::Scheme::kOrder: {
            const std::size_t form = types::order_form_size(column.type, column.order_bytes);
            return Ordered{
                core::AesSiv(key.first(core::kSivKeySize)),
                core::OrderTag(key.subspan(core::kSivKeySize)),
                column.type,
                column.order_bytes,
                form * core::kOrderTagExpansion};
        }
    }
    return Randomized{core::Xaes256Gcm(key), {}};
}

core::ByteView FieldCipher::associated_with(core::ByteView row) {
    if (!is_bound_) {
        return associated_;
    }
    associated_with_row_ = associated_;
    core::append(associated_with_row_, core::length_prefixed({row}));
    return associated_with_row_;
}

core::Bytes FieldCipher::seal(
    core::ByteView plaintext, core::RandomSource& random, core::ByteView row
) {
    core::Bytes envelope;
    seal_in(envelope, plaintext, random, row);
    return envelope;
}

core::ByteView FieldCipher::seal_in(
    core::Bytes& room, core::ByteView plaintext, core::RandomSource& random, core::ByteView row
) {
    core::invariant(row.empty() != is_bound_, "bound values, and no others, are sealed for a row");
    if (scheme_ == config::Scheme::kPadded) {
        seal_randomized(room, padded(plaintext, pad_to_).reveal(), random, row);
    } else if (auto* const equality = std::get_if<core::AesSiv>(&keyed_)) {
        room = seal_equality(*equality, plaintext);
    } else if (auto* const ordered = std::get_if<Ordered>(&keyed_)) {
        room = seal_ordered(*ordered, plaintext);
    } else {
        seal_randomized(room, plaintext, random, row);
    }
    return room;
}

void FieldCipher::seal_randomized(
    core::Bytes& envelope, core::ByteView plaintext, core::RandomSource& random, core::ByteView row
) {
    auto& keyed = std::get<Randomized>(keyed_);
    envelope.resize(kRandomizedOverhead + plaintext.size());
    write_envelope_header(scheme_, key_id_, header_of(envelope).first<kEnvelopeHeaderSize>());
    const core::XaesNonce nonce = keyed.nonces.next(random);
    const core::MutableByteView body = core::MutableByteView(envelope).subspan(kEnvelopeHeaderSize);
    std::copy(nonce.begin(), nonce.end(), body.begin());
    keyed.cipher.seal_into(nonce, associated_with(row), plaintext, body.subspan(nonce.size()));
}

core::Bytes FieldCipher::seal_equality(core::AesSiv& keyed, core::ByteView plaintext) {
    core::Bytes envelope = begin_envelope(scheme_, key_id_, kEnvelopeHeaderSize);
    core::append(envelope, keyed.seal({core::ByteView(associated_)}, plaintext));
    return envelope;
}

core::Bytes FieldCipher::seal_ordered(Ordered& keyed, core::ByteView plaintext) {
    const auto form = types::order_form(keyed.type, keyed.order_bytes, plaintext);
    core::invariant(form.has_value(), "plaintext_of() lets nothing pass that has no order form");
    const core::Bytes tag = keyed.tag.tag_of(form->reveal());
    core::Bytes envelope = begin_envelope(scheme_, key_id_, kEnvelopeHeaderSize);
    core::append(envelope, tag);
    core::append(
        envelope, keyed.siv.seal({core::ByteView(associated_), core::ByteView(tag)}, plaintext)
    );
    return envelope;
}

core::Result<core::SecretBytes> FieldCipher::open_ordered(Ordered& keyed, core::ByteView body) {
    if (body.size() < keyed.tag_size) {
        return core::Error{};
    }
    const core::ByteView tag = body.first(keyed.tag_size);
    return keyed.siv.open({core::ByteView(associated_), tag}, body.subspan(keyed.tag_size));
}

core::Result<core::SecretBytes> FieldCipher::open_body(core::ByteView body, core::ByteView row) {
    if (auto* const randomized = std::get_if<Randomized>(&keyed_)) {
        return randomized->cipher.open(
            body.first(core::kXaesNonceSize),
            associated_with(row),
            body.subspan(core::kXaesNonceSize)
        );
    }
    if (auto* const ordered = std::get_if<Ordered>(&keyed_)) {
        return open_ordered(*ordered, body);
    }
    return std::get_if<core::AesSiv>(&keyed_)->open({core::ByteView(associated_)}, body);
}

bool FieldCipher::accepts(core::ByteView envelope, core::ByteView row) const {
    const auto parsed = parse_envelope(envelope);
    return row.empty() != is_bound_ && parsed.has_value() && parsed->scheme == scheme_ &&
           parsed->key_id == key_id_;
}

boost::system::result<core::SecretBytes, OpenError> FieldCipher::open(
    core::ByteView envelope, core::ByteView row
) {
    if (!accepts(envelope, row)) {
        return OpenError::kNotOpened;
    }
    core::Result<core::SecretBytes> opened = open_body(envelope.subspan(kEnvelopeHeaderSize), row);
    if (opened.has_value() && scheme_ == config::Scheme::kPadded) {
        opened = without_padding(std::move(*opened));
    }
    if (!opened.has_value()) {
        return OpenError::kNotOpened;
    }
    return std::move(*opened);
}

boost::system::result<core::ByteView, OpenError> FieldCipher::open_in(
    core::SecretBytes& room, core::ByteView envelope, core::ByteView row
) {
    if (scheme_ != config::Scheme::kRandomized) {
        auto opened = open(envelope, row);
        if (!opened.has_value()) {
            return opened.error();
        }
        room = std::move(*opened);
        return room.reveal();
    }
    if (!accepts(envelope, row)) {
        return OpenError::kNotOpened;
    }
    const std::size_t size = envelope.size() - kRandomizedOverhead;
    if (room.size() < size) {
        room = core::SecretBytes(std::max(size, 2 * room.size()));
    }
    const core::ByteView body = envelope.subspan(kEnvelopeHeaderSize);
    const core::MutableByteView plaintext = room.reveal_mutable().first(size);
    const bool is_opened = std::get<Randomized>(keyed_).cipher.open_into(
        body.first(core::kXaesNonceSize),
        associated_with(row),
        body.subspan(core::kXaesNonceSize),
        plaintext
    );
    return is_opened ? boost::system::result<core::ByteView, OpenError>(core::ByteView(plaintext))
                     : OpenError::kNotOpened;
}

core::Bytes seal_value(
    const FieldKey& key,
    const FieldPlace& place,
    core::ByteView plaintext,
    core::RandomSource& random
) {
    return FieldCipher(key, place).seal(plaintext, random);
}

boost::system::result<core::SecretBytes, OpenError> open_value(
    const FieldKey& key, const FieldPlace& place, core::ByteView envelope
) {
    return FieldCipher(key, place).open(envelope);
}

}  // namespace pgveil::field
