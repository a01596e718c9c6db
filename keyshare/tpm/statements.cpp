#include "keyshare/attest/endorsement_certificate.hpp"
#include "keyshare/tpm/impl.hpp"

#include <algorithm>
#include <tuple>

// What the TPM says of itself under its attestation key.
namespace pgveil::tpm {
TPM2B_DATA qualifying(const attest::Sha256Digest& extra) {
    TPM2B_DATA bytes{};
    put(bytes, bytes.buffer, sizeof bytes.buffer, extra);
    return bytes;
}

TPMT_SIG_SCHEME scheme_of_key() {
    TPMT_SIG_SCHEME scheme{};
    scheme.scheme = TPM2_ALG_NULL;
    return scheme;
}

attest::Signed signed_by(const TPM2B_ATTEST& statement, const TPMT_SIGNATURE& signature) {
    return {
        core::Bytes(statement.attestationData, statement.attestationData + statement.size),
        signature_of(signature)};
}

Result<core::PublicPoint> Tpm::endorsement_key() {
    auto key = impl_->make_primary(attest::KeyKind::kEndorsement, ESYS_TR_RH_ENDORSEMENT);
    return key.has_value() ? Result<core::PublicPoint>(key->point) : key.error();
}

Result<core::PublicPoint> Tpm::attestation_key() {
    auto key = impl_->make_primary(attest::KeyKind::kAttestation, ESYS_TR_RH_ENDORSEMENT);
    return key.has_value() ? Result<core::PublicPoint>(key->point) : key.error();
}

Result<attest::Signed> Tpm::quote(
    const attest::PcrSelection& registers, const attest::Sha256Digest& extra
) {
    const auto key = impl_->make_primary(attest::KeyKind::kAttestation, ESYS_TR_RH_ENDORSEMENT);
    if (!key.has_value()) {
        return key.error();
    }
    const TPM2B_DATA data = qualifying(extra);
    const TPMT_SIG_SCHEME scheme = scheme_of_key();
    const TPML_PCR_SELECTION selection = selection_of(attest::selection_bytes(registers));
    Answer<TPM2B_ATTEST> statement;
    Answer<TPMT_SIGNATURE> signature;
    const auto quoted = impl_->check(
        Esys_Quote(
            impl_->esys(),
            key->object.handle(),
            impl_->session(Encrypts::kBoth),
            ESYS_TR_NONE,
            ESYS_TR_NONE,
            &data,
            &scheme,
            &selection,
            statement.out(),
            signature.out()
        ),
        "quote its registers"
    );
    return quoted.has_value() ? Result<attest::Signed>(signed_by(*statement, *signature))
                              : quoted.error();
}

Result<attest::Signed> Tpm::Impl::certify_object(ESYS_TR object, const attest::Sha256Digest& extra)
    const {
    const auto key = make_primary(attest::KeyKind::kAttestation, ESYS_TR_RH_ENDORSEMENT);
    if (!key.has_value()) {
        return key.error();
    }
    const TPM2B_DATA qualified = qualifying(extra);
    const TPMT_SIG_SCHEME scheme = scheme_of_key();
    Answer<TPM2B_ATTEST> statement;
    Answer<TPMT_SIGNATURE> signature;
    const auto certified = check(
        Esys_Certify(
            esys(),
            object,
            key->object.handle(),
            session(Encrypts::kBoth),
            ESYS_TR_PASSWORD,
            ESYS_TR_NONE,
            &qualified,
            &scheme,
            statement.out(),
            signature.out()
        ),
        "certify the key"
    );
    return certified.has_value() ? Result<attest::Signed>(signed_by(*statement, *signature))
                                 : certified.error();
}

Result<attest::Signed> Tpm::certify_storage_root(const attest::Sha256Digest& extra) {
    return impl_->certify_object(impl_->storage_root(), extra);
}

namespace {

Result<void> satisfy_endorsement(const Connection& connection, const Loaded& policy, ESYS_TR auth) {
    return connection.check(
        Esys_PolicySecret(
            connection.esys(),
            ESYS_TR_RH_ENDORSEMENT,
            policy.handle(),
            auth,
            ESYS_TR_NONE,
            ESYS_TR_NONE,
            nullptr,
            nullptr,
            nullptr,
            0,
            nullptr,
            nullptr
        ),
        "allow the use of its endorsement key"
    );
}

}  // namespace

Result<core::SecretBytes> Tpm::activate(const attest::Credential& credential) {
    TPM2B_ID_OBJECT object{};
    TPM2B_ENCRYPTED_SECRET seed{};
    if (!put(object, object.credential, sizeof object.credential, credential.object) ||
        !put(seed, seed.secret, sizeof seed.secret, credential.seed)) {
        return Error{ErrorCode::kFailed, "the credential is longer than any that a TPM takes"};
    }
    const auto attestation =
        impl_->make_primary(attest::KeyKind::kAttestation, ESYS_TR_RH_ENDORSEMENT);
    if (!attestation.has_value()) {
        return attestation.error();
    }
    const bool is_for_certified =
        credential.seed.size() == std::tuple_size_v<attest::EndorsementModulus>;
    Answer<TPM2B_PUBLIC> made;
    const auto endorsement = impl_->make_primary(
        is_for_certified ? attest::certified_key_template()
                         : attest::key_template(attest::KeyKind::kEndorsement),
        ESYS_TR_RH_ENDORSEMENT,
        made
    );
    if (!endorsement.has_value()) {
        return endorsement.error();
    }
    const auto policy = impl_->start_session(TPM2_SE_POLICY);
    if (!policy.has_value()) {
        return policy.error();
    }
    const auto satisfied =
        satisfy_endorsement(impl_->connection(), *policy, impl_->session(Encrypts::kNothing));
    if (!satisfied.has_value()) {
        return satisfied.error();
    }
    Answer<TPM2B_DIGEST> opened;
    const auto activated = impl_->check(
        Esys_ActivateCredential(
            impl_->esys(),
            attestation->object.handle(),
            endorsement->handle(),
            impl_->session(Encrypts::kBoth),
            policy->handle(),
            ESYS_TR_NONE,
            &object,
            &seed,
            opened.out()
        ),
        "open the credential: it is for another TPM or another attestation key"
    );
    if (!activated.has_value()) {
        return activated.error();
    }
    auto secret = core::SecretBytes::copy_of({opened->buffer, opened->size});
    explicit_bzero(opened.get(), sizeof(TPM2B_DIGEST));
    return secret;
}

/// At least one byte.
Result<core::Bytes> Tpm::Impl::read_memory(const CounterHandle& index, Piece piece) const {
    Answer<TPM2B_MAX_NV_BUFFER> read;
    const auto done = check(
        Esys_NV_Read(
            esys(),
            index.handle(),
            index.handle(),
            session(Encrypts::kAnswer),
            ESYS_TR_NONE,
            ESYS_TR_NONE,
            static_cast<std::uint16_t>(piece.size),
            static_cast<std::uint16_t>(piece.offset),
            read.out()
        ),
        "give the certificate of its endorsement key"
    );
    if (done.has_value() && read->size == 0) {
        return Error{ErrorCode::kFailed, "the TPM's certificate is shorter than it says"};
    }
    return done.has_value()
               ? Result<core::Bytes>(core::Bytes(read->buffer, read->buffer + read->size))
               : done.error();
}

Result<core::Bytes> Tpm::endorsement_certificate() {
    constexpr std::uint16_t kPiece = 512;  // more than some TPMs give at once
    CounterHandle handle(impl_->connection());
    const TSS2_RC found = Esys_TR_FromTPMPublic(
        impl_->esys(),
        attest::kCertificateIndex,
        ESYS_TR_NONE,
        ESYS_TR_NONE,
        ESYS_TR_NONE,
        handle.out()
    );
    if (found != TSS2_RC_SUCCESS) {
        return core::Bytes();
    }
    Answer<TPM2B_NV_PUBLIC> area;
    Answer<TPM2B_NAME> name;
    const auto known = impl_->check(
        Esys_NV_ReadPublic(
            impl_->esys(),
            handle.handle(),
            ESYS_TR_NONE,
            ESYS_TR_NONE,
            ESYS_TR_NONE,
            area.out(),
            name.out()
        ),
        "say how long the certificate of its endorsement key is"
    );
    if (!known.has_value()) {
        return known.error();
    }
    core::Bytes certificate;
    while (certificate.size() < area->nvPublic.dataSize) {
        const auto piece = impl_->read_memory(
            handle,
            {certificate.size(),
             std::min<std::size_t>(area->nvPublic.dataSize - certificate.size(), kPiece)}
        );
        if (!piece.has_value()) {
            return piece.error();
        }
        core::append(certificate, *piece);
    }
    return certificate;
}

}  // namespace pgveil::tpm
