#include "keyshare/catalogue/key_transfer.hpp"

#include "keyshare/attest/lines.hpp"
#include "keyshare/core/lp.hpp"

#include <algorithm>

namespace pgveil::catalogue {
namespace {

using attest::line;
using attest::Lines;

constexpr std::string_view kTargetTitle = "pgveil-key-target: 1";
constexpr std::string_view kTransferTitle = "pgveil-key-transfer: 1";
constexpr std::string_view kCertificateTitle = "pgveil-key-certificate: 1";

std::string titled(std::string_view title) {
    return std::string(title) + "\n";
}

attest::Error not_a(std::string_view what, std::string_view title) {
    return {
        "this is no " + std::string(what) + ", or it was altered: it begins with \"" +
        std::string(title) + "\" and has nothing behind its last line"};
}

std::string signed_lines(const attest::Signed& said) {
    return line("statement", core::to_hex(said.statement)) +
           line("signature", core::to_hex(said.signature));
}

attest::Signed read_signed(Lines& lines) {
    attest::Signed said;
    said.statement = lines.bytes(lines.named("statement"));
    const core::Bytes signature = lines.bytes(lines.named("signature"));
    if (signature.size() != said.signature.size()) {
        lines.fail();
        return said;
    }
    std::ranges::copy(signature, said.signature.begin());
    return said;
}

}  // namespace

attest::Name KeyTarget::parent() const {
    return attest::name_of(attest::KeyKind::kStorageRoot, storage_root);
}

attest::Sha256Digest target_binding() {
    return core::sha256(core::as_bytes("pgveil/1 key target"));
}

std::string to_text(const KeyTarget& target) {
    return titled(kTargetTitle) + line("storage-root", target.storage_root.text()) +
           line("attestation", target.attestation.text()) + signed_lines(target.certificate);
}

attest::Result<KeyTarget> parse_target(std::string_view text) {
    Lines lines(text);
    const bool is_titled = lines.next() == kTargetTitle;
    const auto storage_root = lines.point(lines.named("storage-root"));
    const auto attestation = lines.point(lines.named("attestation"));
    const attest::Signed certificate = read_signed(lines);
    if (!is_titled || !lines.ok() || !storage_root || !attestation) {
        return not_a("target of keys", kTargetTitle);
    }
    KeyTarget target{*storage_root, *attestation, certificate};
    const auto believed = attest::verify_certificate(
        certificate, target.attestation, target_binding(), target.parent()
    );
    return believed.has_value() ? attest::Result<KeyTarget>(std::move(target)) : believed.error();
}

std::string to_text(const KeyTransfer& transfer) {
    return titled(kTransferTitle) + line("record", transfer.record) +
           line("public", core::to_hex(transfer.public_part)) +
           line("private", core::to_hex(transfer.private_part)) +
           line("seed", core::to_hex(transfer.seed));
}

attest::Result<KeyTransfer> parse_transfer(std::string_view text) {
    Lines lines(text);
    const bool is_titled = lines.next() == kTransferTitle;
    KeyTransfer transfer;
    transfer.record = lines.named("record");
    transfer.public_part = lines.bytes(lines.named("public"));
    transfer.private_part = lines.bytes(lines.named("private"));
    transfer.seed = lines.bytes(lines.named("seed"));
    if (!is_titled || !lines.ok()) {
        return not_a("key on its way", kTransferTitle);
    }
    return transfer;
}

attest::Sha256Digest certificate_binding(
    const attest::Sha256Digest& nonce, std::string_view record
) {
    return core::sha256(core::length_prefixed(
        {core::as_bytes("pgveil/1 key certificate"), nonce, core::as_bytes(record)}
    ));
}

std::string to_text(const KeyCertificate& certificate) {
    return titled(kCertificateTitle) + line("nonce", core::to_hex(certificate.nonce)) +
           line("record", certificate.record) + signed_lines(certificate.certificate);
}

attest::Result<KeyCertificate> parse_certificate(std::string_view text) {
    Lines lines(text);
    const bool is_titled = lines.next() == kCertificateTitle;
    KeyCertificate certificate;
    certificate.nonce = lines.digest(lines.named("nonce"));
    certificate.record = lines.named("record");
    certificate.certificate = read_signed(lines);
    if (!is_titled || !lines.ok()) {
        return not_a("certificate of a key", kCertificateTitle);
    }
    return certificate;
}

}  // namespace pgveil::catalogue
