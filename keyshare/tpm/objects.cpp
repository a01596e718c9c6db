#include "keyshare/tpm/impl.hpp"

#include <algorithm>
#include <tss2/tss2_mu.h>

// What is loaded into the TPM, and the policies that open it.
namespace pgveil::tpm {
namespace {

constexpr std::uint16_t kAesBits = 128;
constexpr std::size_t kCoordinateSize = 32;
constexpr std::uint8_t kUncompressed = 0x04;
constexpr const char* kOddAnswer = "the TPM answered with a key that is none of the kind asked for";

TPMT_SYM_DEF aes_cfb() {
    TPMT_SYM_DEF symmetric{};
    symmetric.algorithm = TPM2_ALG_AES;
    symmetric.keyBits.aes = kAesBits;
    symmetric.mode.aes = TPM2_ALG_CFB;
    return symmetric;
}

/// Big endian and padded to the left, as a TPM need not.
void put_coordinate(core::MutableByteView to, const TPM2B_ECC_PARAMETER& from) {
    const std::size_t size = std::min<std::size_t>(from.size, to.size());
    std::copy_n(&from.buffer[from.size - size], size, to.end() - static_cast<std::ptrdiff_t>(size));
}

TPMT_SIGNATURE signature_from(const core::Signature& bytes) {
    TPMT_SIGNATURE signature{};
    signature.sigAlg = TPM2_ALG_ECDSA;
    auto& ecdsa = signature.signature.ecdsa;
    ecdsa.hash = TPM2_ALG_SHA256;
    const core::ByteView view(bytes);
    put(ecdsa.signatureR, ecdsa.signatureR.buffer, kCoordinateSize, view.first(kCoordinateSize));
    put(ecdsa.signatureS, ecdsa.signatureS.buffer, kCoordinateSize, view.last(kCoordinateSize));
    return signature;
}

}  // namespace

Result<core::PublicPoint> point_of(const TPMS_ECC_POINT& unique) {
    std::array<std::uint8_t, core::kPointSize> bytes{};
    bytes.front() = kUncompressed;
    put_coordinate(core::MutableByteView(bytes).subspan(1, kCoordinateSize), unique.x);
    put_coordinate(core::MutableByteView(bytes).last(kCoordinateSize), unique.y);
    const auto point = core::PublicPoint::parse(bytes);
    return point.has_value() ? Result<core::PublicPoint>(*point)
                             : Error{ErrorCode::kFailed, kOddAnswer};
}

TPM2B_DIGEST digest_of(core::ByteView bytes) {
    TPM2B_DIGEST digest{};
    put(digest, digest.buffer, sizeof digest.buffer, bytes);
    return digest;
}

TPM2B_NAME name_buffer(const attest::Name& bytes) {
    TPM2B_NAME name{};
    put(name, name.name, sizeof name.name, bytes);
    return name;
}

core::Signature signature_of(const TPMT_SIGNATURE& signature) {
    core::Signature bytes{};
    const core::MutableByteView view(bytes);
    if (signature.sigAlg == TPM2_ALG_ECDSA) {
        put_coordinate(view.first(kCoordinateSize), signature.signature.ecdsa.signatureR);
        put_coordinate(view.last(kCoordinateSize), signature.signature.ecdsa.signatureS);
    }
    return bytes;
}

TPM2B_PUBLIC public_of(core::ByteView area) {
    TPM2B_PUBLIC made{};
    std::size_t offset = 0;
    Tss2_MU_TPMT_PUBLIC_Unmarshal(area.data(), area.size(), &offset, &made.publicArea);
    return made;
}

core::Bytes area_of(const TPM2B_PUBLIC& made) {
    std::array<std::uint8_t, sizeof(TPM2B_PUBLIC)> area{};
    std::size_t size = 0;
    Tss2_MU_TPMT_PUBLIC_Marshal(&made.publicArea, area.data(), area.size(), &size);
    return {area.begin(), area.begin() + static_cast<std::ptrdiff_t>(size)};
}

Result<Loaded> Tpm::Impl::start_session(TPM2_SE type) const {
    const TPMT_SYM_DEF symmetric = aes_cfb();
    Loaded session(*connection_);
    const auto started = check(
        Esys_StartAuthSession(
            esys(),
            storage_root(),
            ESYS_TR_NONE,
            ESYS_TR_NONE,
            ESYS_TR_NONE,
            ESYS_TR_NONE,
            nullptr,
            type,
            &symmetric,
            TPM2_ALG_SHA256,
            session.out()
        ),
        "begin a session"
    );
    return started.has_value() ? Result<Loaded>(std::move(session)) : started.error();
}

Result<Loaded> Tpm::Impl::make_primary(
    core::ByteView area, ESYS_TR hierarchy, Answer<TPM2B_PUBLIC>& made
) const {
    const TPM2B_PUBLIC wanted = public_of(area);
    const TPM2B_SENSITIVE_CREATE nothing{};
    const TPM2B_DATA no_data{};
    const TPML_PCR_SELECTION no_registers{};
    Loaded object(*connection_);
    const auto done = check(
        Esys_CreatePrimary(
            esys(),
            hierarchy,
            session_ ? session(Encrypts::kRequest) : ESYS_TR_PASSWORD,
            ESYS_TR_NONE,
            ESYS_TR_NONE,
            &nothing,
            &wanted,
            &no_data,
            &no_registers,
            object.out(),
            made.out(),
            nullptr,
            nullptr,
            nullptr
        ),
        "make a primary key"
    );
    return done.has_value() ? Result<Loaded>(std::move(object)) : done.error();
}

Result<PrimaryKey> Tpm::Impl::make_primary(attest::KeyKind kind, ESYS_TR hierarchy) const {
    Answer<TPM2B_PUBLIC> made;
    auto object = make_primary(attest::key_template(kind), hierarchy, made);
    if (!object.has_value()) {
        return object.error();
    }
    const auto point = point_of(made->publicArea.unique.ecc);
    if (!point.has_value()) {
        return point.error();
    }
    return PrimaryKey{*std::move(object), *point};
}

Result<Loaded> Tpm::Impl::load(const SealedSecret& sealed) const {
    const TPM2B_PUBLIC public_part = public_of(sealed.public_part);
    TPM2B_PRIVATE private_part{};
    if (!put(private_part, private_part.buffer, sizeof private_part.buffer, sealed.private_part)) {
        return Error{ErrorCode::kFailed, "the sealed key is longer than any that a TPM makes"};
    }
    Loaded object(*connection_);
    const auto loaded = check(
        Esys_Load(
            esys(),
            storage_root(),
            session(Encrypts::kBoth),
            ESYS_TR_NONE,
            ESYS_TR_NONE,
            &private_part,
            &public_part,
            object.out()
        ),
        "load the sealed key: it was sealed by another TPM, or altered"
    );
    return loaded.has_value() ? Result<Loaded>(std::move(object)) : loaded.error();
}

Result<Loaded> Tpm::Impl::load_public(core::ByteView area, std::string_view what) const {
    const TPM2B_PUBLIC key = public_of(area);
    Loaded object(*connection_);
    const auto loaded = check(
        Esys_LoadExternal(
            esys(),
            ESYS_TR_NONE,
            ESYS_TR_NONE,
            ESYS_TR_NONE,
            nullptr,
            &key,
            ESYS_TR_RH_OWNER,
            object.out()
        ),
        what
    );
    return loaded.has_value() ? Result<Loaded>(std::move(object)) : loaded.error();
}

/// The TPM's word that the approver has signed this approval, for PolicyAuthorize.
Result<void> Tpm::Impl::verify_approval(
    const core::PublicPoint& by,
    const attest::Sha256Digest& purpose,
    const attest::Approval& approval,
    Answer<TPMT_TK_VERIFIED>& ticket
) const {
    const auto approver =
        load_public(attest::public_area(attest::KeyKind::kApprover, by), "take the approver's key");
    if (!approver.has_value()) {
        return approver.error();
    }
    const TPM2B_DIGEST hash = digest_of(core::sha256({approval.policy, purpose}));
    const TPMT_SIGNATURE signature = signature_from(approval.signature);
    return check(
        Esys_VerifySignature(
            esys(),
            approver->handle(),
            ESYS_TR_NONE,
            ESYS_TR_NONE,
            ESYS_TR_NONE,
            &hash,
            &signature,
            ticket.out()
        ),
        "accept the signature of the approval"
    );
}

Result<void> Tpm::Impl::authorize(
    const Loaded& policy,
    const core::PublicPoint& by,
    const attest::Sha256Digest& purpose,
    const attest::Approval& approval
) const {
    Answer<TPMT_TK_VERIFIED> ticket;
    const auto verified = verify_approval(by, purpose, approval, ticket);
    if (!verified.has_value()) {
        return verified;
    }
    const TPM2B_DIGEST policy_digest = digest_of(approval.policy);
    const TPM2B_NONCE reference = digest_of(purpose);
    const TPM2B_NAME signer = name_buffer(attest::name_of(attest::KeyKind::kApprover, by));
    return check(
        Esys_PolicyAuthorize(
            esys(),
            policy.handle(),
            ESYS_TR_NONE,
            ESYS_TR_NONE,
            ESYS_TR_NONE,
            &policy_digest,
            &reference,
            &signer,
            ticket.get()
        ),
        "find itself in the state that was approved"
    );
}

Result<void> Tpm::Impl::satisfy_approval(
    const Loaded& policy,
    const Release& release,
    const attest::PcrSelection& registers,
    const attest::Approval& approval
) const {
    const TPML_PCR_SELECTION selection = selection_of(attest::selection_bytes(registers));
    const auto measured = check(
        Esys_PolicyPCR(
            esys(), policy.handle(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, nullptr, &selection
        ),
        "take its registers into a policy"
    );
    if (!measured.has_value()) {
        return measured;
    }
    return authorize(policy, release.approver, release.purpose, approval);
}

Result<void> Tpm::Impl::satisfy_counter(const Loaded& policy, const Release& release) const {
    const auto handle = counter(release.counter);
    if (!handle.has_value()) {
        return handle.error();
    }
    TPM2B_OPERAND operand{};
    put(operand, operand.buffer, sizeof operand.buffer, core::big_endian64(release.generation));
    return check(
        Esys_PolicyNV(
            esys(),
            handle->handle(),
            handle->handle(),
            policy.handle(),
            session(Encrypts::kNothing),
            ESYS_TR_NONE,
            ESYS_TR_NONE,
            &operand,
            0,
            TPM2_EO_UNSIGNED_LE
        ),
        "open a key of before the last renewal"
    );
}

Result<SealedSecret> Tpm::seal(
    const core::SecretBytes& secret, const attest::Sha256Digest& policy
) {
    TPM2B_SENSITIVE_CREATE sensitive{};
    auto& room = sensitive.sensitive.data;
    core::invariant(
        put(room, room.buffer, sizeof room.buffer, secret.reveal()), "the secret fits into the TPM"
    );
    const TPM2B_PUBLIC wanted = public_of(attest::sealed_template(policy));
    const TPM2B_DATA no_data{};
    const TPML_PCR_SELECTION no_registers{};
    Answer<TPM2B_PRIVATE> private_part;
    Answer<TPM2B_PUBLIC> public_part;
    const auto created = impl_->check(
        Esys_Create(
            impl_->esys(),
            impl_->storage_root(),
            impl_->session(Encrypts::kRequest),
            ESYS_TR_NONE,
            ESYS_TR_NONE,
            &sensitive,
            &wanted,
            &no_data,
            &no_registers,
            private_part.out(),
            public_part.out(),
            nullptr,
            nullptr,
            nullptr
        ),
        "seal the key"
    );
    explicit_bzero(&sensitive, sizeof sensitive);
    if (!created.has_value()) {
        return created.error();
    }
    SealedSecret sealed;
    sealed.private_part.assign(private_part->buffer, private_part->buffer + private_part->size);
    sealed.public_part = area_of(*public_part);
    return sealed;
}

Result<core::SecretBytes> Tpm::unseal(
    const SealedSecret& sealed,
    const Release& release,
    const attest::PcrSelection& registers,
    const attest::Approval& approval
) {
    const auto policy = impl_->start_session(TPM2_SE_POLICY);
    if (!policy.has_value()) {
        return policy.error();
    }
    auto satisfied = impl_->satisfy_approval(*policy, release, registers, approval);
    if (satisfied.has_value()) {
        satisfied = impl_->satisfy_counter(*policy, release);
    }
    if (!satisfied.has_value()) {
        return satisfied.error();
    }
    const auto object = impl_->load(sealed);
    if (!object.has_value()) {
        return object.error();
    }
    Esys_TRSess_SetAttributes(
        impl_->esys(), policy->handle(), TPMA_SESSION_CONTINUESESSION | TPMA_SESSION_ENCRYPT, 0xff
    );
    Answer<TPM2B_SENSITIVE_DATA> opened;
    const auto unsealed = impl_->check(
        Esys_Unseal(
            impl_->esys(),
            object->handle(),
            policy->handle(),
            ESYS_TR_NONE,
            ESYS_TR_NONE,
            opened.out()
        ),
        "release the key"
    );
    if (!unsealed.has_value()) {
        return unsealed.error();
    }
    auto secret = core::SecretBytes::copy_of({opened->buffer, opened->size});
    explicit_bzero(opened.get(), sizeof(TPM2B_SENSITIVE_DATA));
    return secret;
}

}  // namespace pgveil::tpm
