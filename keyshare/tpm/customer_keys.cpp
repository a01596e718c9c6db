#include "keyshare/core/random.hpp"
#include "keyshare/tpm/impl.hpp"

#include <algorithm>

// Keys made for customers: made, certified, used, moved.
namespace pgveil::tpm {
namespace {

constexpr std::size_t kStirSize = 32;
constexpr std::size_t kCoordinate = 32;

TPMT_SYM_DEF_OBJECT no_inner_wrap() {
    TPMT_SYM_DEF_OBJECT symmetric{};
    symmetric.algorithm = TPM2_ALG_NULL;
    return symmetric;
}

Error too_long() {
    return {ErrorCode::kFailed, "the key is longer than any that a TPM makes: it was altered"};
}

SealedSecret object_of(const TPM2B_PUBLIC& public_part, const TPM2B_PRIVATE& private_part) {
    return {
        area_of(public_part),
        core::Bytes(private_part.buffer, private_part.buffer + private_part.size)};
}

}  // namespace

/// TPM2_StirRandom: what the TPM draws next depends on the kernel's generator, too.
Result<void> Tpm::Impl::stir(core::RandomSource& random) const {
    const core::SecretBytes drawn = core::random_secret(random, kStirSize);
    TPM2B_SENSITIVE_DATA more{};
    put(more, more.buffer, sizeof more.buffer, drawn.reveal());
    auto stirred = check(
        Esys_StirRandom(esys(), session(Encrypts::kRequest), ESYS_TR_NONE, ESYS_TR_NONE, &more),
        "take random bytes in"
    );
    explicit_bzero(&more, sizeof more);
    return stirred;
}

/// The key as the TPM made it, and its word for that.
struct Tpm::Impl::Made {
    Answer<TPM2B_PRIVATE> private_part;
    Answer<TPM2B_PUBLIC> public_part;
    Answer<TPM2B_DIGEST> hash;
    Answer<TPMT_TK_CREATION> ticket;
};

Result<void> Tpm::Impl::create(const attest::KeyDesign& design, Made& made) const {
    const TPM2B_PUBLIC wanted = public_of(attest::key_template(design));
    const TPM2B_SENSITIVE_CREATE nothing{};
    const TPM2B_DATA no_data{};
    const TPML_PCR_SELECTION no_registers{};
    return check(
        Esys_Create(
            esys(),
            storage_root(),
            session(Encrypts::kBoth),
            ESYS_TR_NONE,
            ESYS_TR_NONE,
            &nothing,
            &wanted,
            &no_data,
            &no_registers,
            made.private_part.out(),
            made.public_part.out(),
            nullptr,
            made.hash.out(),
            made.ticket.out()
        ),
        "make a key"
    );
}

Result<attest::Signed> Tpm::Impl::certify_creation(
    const Made& made, ESYS_TR object, const attest::Sha256Digest& extra
) const {
    const auto key = make_primary(attest::KeyKind::kAttestation, ESYS_TR_RH_ENDORSEMENT);
    if (!key.has_value()) {
        return key.error();
    }
    const TPM2B_DATA qualified = qualifying(extra);
    const TPMT_SIG_SCHEME scheme = scheme_of_key();
    Answer<TPM2B_ATTEST> statement;
    Answer<TPMT_SIGNATURE> signature;
    const auto certified = check(
        Esys_CertifyCreation(
            esys(),
            key->object.handle(),
            object,
            session(Encrypts::kBoth),
            ESYS_TR_NONE,
            ESYS_TR_NONE,
            &qualified,
            &*made.hash,
            &scheme,
            &*made.ticket,
            statement.out(),
            signature.out()
        ),
        "certify that it made the key"
    );
    return certified.has_value() ? Result<attest::Signed>(signed_by(*statement, *signature))
                                 : certified.error();
}

Result<CustomerKey> Tpm::make_key(
    const attest::KeyDesign& design, const attest::Sha256Digest& extra, core::RandomSource& random
) {
    const auto stirred = impl_->stir(random);
    if (!stirred.has_value()) {
        return stirred.error();
    }
    Impl::Made made;
    const auto created = impl_->create(design, made);
    if (!created.has_value()) {
        return created.error();
    }
    const auto point = point_of(made.public_part->publicArea.unique.ecc);
    if (!point.has_value()) {
        return point.error();
    }
    CustomerKey key{object_of(*made.public_part, *made.private_part), *point, {}};
    const auto loaded = impl_->load(key.object);
    if (!loaded.has_value()) {
        return loaded.error();
    }
    auto certified = impl_->certify_creation(made, loaded->handle(), extra);
    if (!certified.has_value()) {
        return certified.error();
    }
    key.creation = *std::move(certified);
    return key;
}

Result<attest::Signed> Tpm::certify(const SealedSecret& key, const attest::Sha256Digest& extra) {
    const auto loaded = impl_->load(key);
    return loaded.has_value() ? impl_->certify_object(loaded->handle(), extra) : loaded.error();
}

Result<core::Signature> Tpm::sign(const SealedSecret& key, const attest::Sha256Digest& digest) {
    const auto loaded = impl_->load(key);
    if (!loaded.has_value()) {
        return loaded.error();
    }
    const TPM2B_DIGEST hash = digest_of(digest);
    const TPMT_SIG_SCHEME scheme = scheme_of_key();
    TPMT_TK_HASHCHECK any_hash{};
    any_hash.tag = TPM2_ST_HASHCHECK;
    any_hash.hierarchy = TPM2_RH_NULL;
    Answer<TPMT_SIGNATURE> signature;
    const auto done = impl_->check(
        Esys_Sign(
            impl_->esys(),
            loaded->handle(),
            impl_->session(Encrypts::kRequest),
            ESYS_TR_NONE,
            ESYS_TR_NONE,
            &hash,
            &scheme,
            &any_hash,
            signature.out()
        ),
        "sign: the key is none for signatures"
    );
    return done.has_value() ? Result<core::Signature>(signature_of(*signature)) : done.error();
}

Result<core::SecretBytes> Tpm::agree(const SealedSecret& key, const core::PublicPoint& point) {
    const auto loaded = impl_->load(key);
    if (!loaded.has_value()) {
        return loaded.error();
    }
    TPM2B_ECC_POINT theirs{};
    const core::ByteView coordinates = point.bytes().subspan(1);
    put(theirs.point.x, theirs.point.x.buffer, kCoordinate, coordinates.first(kCoordinate));
    put(theirs.point.y, theirs.point.y.buffer, kCoordinate, coordinates.last(kCoordinate));
    Answer<TPM2B_ECC_POINT> shared;
    const auto done = impl_->check(
        Esys_ECDH_ZGen(
            impl_->esys(),
            loaded->handle(),
            impl_->session(Encrypts::kBoth),
            ESYS_TR_NONE,
            ESYS_TR_NONE,
            &theirs,
            shared.out()
        ),
        "agree on a secret: the key is none for encryption"
    );
    if (!done.has_value()) {
        return done.error();
    }
    const TPM2B_ECC_PARAMETER& found = shared->point.x;
    core::SecretBytes padded(kCoordinate);
    const std::size_t size = std::min<std::size_t>(found.size, kCoordinate);
    const core::MutableByteView to = padded.reveal_mutable().last(size);
    std::copy_n(&found.buffer[found.size - size], size, to.begin());
    explicit_bzero(shared.get(), sizeof(TPM2B_ECC_POINT));
    return padded;
}

Result<void> Tpm::Impl::satisfy_move(
    const Loaded& policy,
    core::ByteView key_area,
    const attest::Name& new_parent,
    const std::optional<MovePermit>& permit
) const {
    if (!permit) {
        return check(
            Esys_PolicyCommandCode(
                esys(), policy.handle(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CC_Duplicate
            ),
            "take the command into a policy"
        );
    }
    const TPM2B_NAME object = name_buffer(attest::name_of(key_area));
    const TPM2B_NAME parent = name_buffer(new_parent);
    const auto selected = check(
        Esys_PolicyDuplicationSelect(
            esys(),
            policy.handle(),
            ESYS_TR_NONE,
            ESYS_TR_NONE,
            ESYS_TR_NONE,
            &object,
            &parent,
            TPM2_NO
        ),
        "take the new place into a policy"
    );
    return selected.has_value()
               ? authorize(
                     policy, permit->authority.key, permit->authority.purpose, permit->approval
                 )
               : selected;
}

Result<MovingKey> Tpm::Impl::duplicate(
    const SealedSecret& key, ESYS_TR object, ESYS_TR parent, const Loaded& policy
) const {
    Esys_TRSess_SetAttributes(esys(), policy.handle(), TPMA_SESSION_CONTINUESESSION, 0xff);
    const TPMT_SYM_DEF_OBJECT symmetric = no_inner_wrap();
    const TPM2B_DATA no_key{};
    Answer<TPM2B_DATA> no_inner_key;
    Answer<TPM2B_PRIVATE> wrapped;
    Answer<TPM2B_ENCRYPTED_SECRET> seed;
    const auto done = check(
        Esys_Duplicate(
            esys(),
            object,
            parent,
            policy.handle(),
            ESYS_TR_NONE,
            ESYS_TR_NONE,
            &no_key,
            &symmetric,
            no_inner_key.out(),
            wrapped.out(),
            seed.out()
        ),
        "let the key move there"
    );
    if (!done.has_value()) {
        return done.error();
    }
    return MovingKey{
        key.public_part,
        core::Bytes(wrapped->buffer, wrapped->buffer + wrapped->size),
        core::Bytes(seed->secret, seed->secret + seed->size)};
}

Result<MovingKey> Tpm::duplicate(
    const SealedSecret& key,
    const core::PublicPoint& new_parent,
    const std::optional<MovePermit>& permit
) {
    const core::Bytes parent_area = attest::public_area(attest::KeyKind::kStorageRoot, new_parent);
    const auto policy = impl_->start_session(TPM2_SE_POLICY);
    if (!policy.has_value()) {
        return policy.error();
    }
    const auto satisfied =
        impl_->satisfy_move(*policy, key.public_part, attest::name_of(parent_area), permit);
    if (!satisfied.has_value()) {
        return satisfied.error();
    }
    const auto object = impl_->load(key);
    if (!object.has_value()) {
        return object.error();
    }
    const auto parent = impl_->load_public(parent_area, "take the storage root key of the target");
    return parent.has_value() ? impl_->duplicate(key, object->handle(), parent->handle(), *policy)
                              : parent.error();
}

Result<SealedSecret> Tpm::import_key(const MovingKey& key) {
    const TPM2B_PUBLIC public_part = public_of(key.public_part);
    TPM2B_PRIVATE wrapped{};
    TPM2B_ENCRYPTED_SECRET seed{};
    if (!put(wrapped, wrapped.buffer, sizeof wrapped.buffer, key.private_part) ||
        !put(seed, seed.secret, sizeof seed.secret, key.seed)) {
        return too_long();
    }
    const TPMT_SYM_DEF_OBJECT symmetric = no_inner_wrap();
    const TPM2B_DATA no_key{};
    Answer<TPM2B_PRIVATE> private_part;
    const auto done = impl_->check(
        Esys_Import(
            impl_->esys(),
            impl_->storage_root(),
            impl_->session(Encrypts::kBoth),
            ESYS_TR_NONE,
            ESYS_TR_NONE,
            &no_key,
            &public_part,
            &wrapped,
            &seed,
            &symmetric,
            private_part.out()
        ),
        "take the key in: it was encrypted for another TPM, or altered"
    );
    return done.has_value() ? Result<SealedSecret>(object_of(public_part, *private_part))
                            : done.error();
}

}  // namespace pgveil::tpm
