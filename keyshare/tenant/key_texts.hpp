#pragma once

#include "keyshare/catalogue/key_transfer.hpp"
#include "keyshare/tenant/key_desk.hpp"
#include "keyshare/user/private_file.hpp"

#include <string>

// What the commands have in common that deal with keys in a TPM.
namespace pgveil::tenant {

inline constexpr std::size_t kTransferTextMax = 65536;

/// A public file as one of the texts of keyshare/catalogue.
template <class Parsed>
Result<Parsed> read_text_as(
    const std::string& file, attest::Result<Parsed> (*parse)(std::string_view text)
) {
    const auto text = user::read_public_file(file, kTransferTextMax);
    if (!text) {
        return text.error();
    }
    auto parsed = parse(*text);
    return parsed.has_value() ? Result<Parsed>(*std::move(parsed))
                              : user::unusable(file + ": " + parsed.error().message);
}

/// What its TPM loads; fails if it was destroyed.
Result<tpm::SealedSecret> object_of(const KnownKey& key);

/// The TPM has it now, under the name that the record says: by its own, verified word.
Result<catalogue::KeyCertificate> certified(
    KeyTpm& place,
    const tpm::SealedSecret& object,
    const catalogue::KeyRecord& record,
    const std::string& jws,
    const attest::Sha256Digest& nonce
);

}  // namespace pgveil::tenant
