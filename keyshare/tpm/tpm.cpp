#include "keyshare/tpm/tpm.hpp"

#include "keyshare/attest/measurement.hpp"
#include "keyshare/core/hkdf.hpp"
#include "keyshare/core/invariant.hpp"
#include "keyshare/tpm/impl.hpp"

#include <algorithm>
#include <array>
#include <tss2/tss2_mu.h>
#include <utility>

namespace pgveil::tpm {
namespace {

// Indexes that the owner of a TPM gives away (TCG Registry of Reserved TPM 2.0 Handles).
constexpr std::uint32_t kFirstIndex = 0x01800000;
constexpr std::uint32_t kIndexMask = 0x003fffff;
constexpr int kIndexTries = 16;
constexpr std::size_t kRandomMax = 32;
constexpr std::uint16_t kCounterSize = 8;

}  // namespace

attest::Sha256Digest Release::policy() const {
    return attest::not_after(attest::approved_policy(approver, purpose), counter, generation);
}

Result<std::unique_ptr<Tpm::Impl>> Tpm::Impl::open(
    const std::string& place, const std::optional<attest::Name>& pinned
) {
    auto connection = Connection::open(place);
    if (!connection.has_value()) {
        return connection.error();
    }
    std::unique_ptr<Impl> impl(new Impl(std::move(*connection)));
    const auto flushed = impl->connection_->flush_leftovers();
    if (!flushed.has_value()) {
        return flushed.error();
    }
    auto root = impl->make_primary(attest::KeyKind::kStorageRoot, ESYS_TR_RH_OWNER);
    if (!root.has_value()) {
        return root.error();
    }
    impl->storage_root_name = attest::name_of(attest::KeyKind::kStorageRoot, root->point);
    if (pinned && *pinned != impl->storage_root_name) {
        return Error{
            ErrorCode::kForeign,
            "the TPM at \"" + place +
                "\" is not the one that sealed the key (its storage root key differs): it is "
                "another machine's, was cleared, or somebody stands between"};
    }
    impl->storage_root_.emplace(std::move(*root));
    auto session = impl->start_session(TPM2_SE_HMAC);
    if (!session.has_value()) {
        return session.error();
    }
    impl->session_.emplace(std::move(*session));
    return impl;
}

ESYS_TR Tpm::Impl::session(Encrypts encrypts) const {
    constexpr TPMA_SESSION kAll = 0xff;
    Esys_TRSess_SetAttributes(
        esys(),
        session_->handle(),
        TPMA_SESSION_CONTINUESESSION | static_cast<TPMA_SESSION>(encrypts),
        kAll
    );
    return session_->handle();
}

Result<CounterHandle> Tpm::Impl::counter(std::uint32_t index) const {
    CounterHandle handle(*connection_);
    const auto found = check(
        Esys_TR_FromTPMPublic(
            esys(), index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, handle.out()
        ),
        "know the counter of this seal: it was cleared, or it is another TPM"
    );
    return found.has_value() ? Result<CounterHandle>(std::move(handle)) : found.error();
}

Tpm::Tpm(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Tpm::Tpm(Tpm&&) noexcept = default;
Tpm& Tpm::operator=(Tpm&&) noexcept = default;
Tpm::~Tpm() = default;

Result<Tpm> Tpm::open(const std::string& place, const std::optional<attest::Name>& pinned) {
    auto impl = Impl::open(place, pinned);
    return impl.has_value() ? Result<Tpm>(Tpm(std::move(*impl))) : impl.error();
}

const attest::Name& Tpm::storage_root() const {
    return impl_->storage_root_name;
}

const core::PublicPoint& Tpm::storage_root_point() const {
    return impl_->storage_root_point();
}

Result<core::SecretBytes> Tpm::random_bytes(std::size_t size) {
    core::invariant(size <= kRandomMax, "a TPM gives no more than a digest at once");
    Answer<TPM2B_DIGEST> drawn;
    const auto done = impl_->check(
        Esys_GetRandom(
            impl_->esys(),
            impl_->session(Encrypts::kAnswer),
            ESYS_TR_NONE,
            ESYS_TR_NONE,
            static_cast<UINT16>(size),
            drawn.out()
        ),
        "give random bytes"
    );
    if (!done.has_value()) {
        return done.error();
    }
    if (drawn->size != size) {
        return Error{ErrorCode::kFailed, "the TPM gave fewer random bytes than it was asked for"};
    }
    auto bytes = core::SecretBytes::copy_of({drawn->buffer, drawn->size});
    explicit_bzero(drawn.get(), sizeof(TPM2B_DIGEST));
    return bytes;
}

Result<attest::PcrValues> Tpm::read_registers(const attest::PcrSelection& selection) {
    attest::PcrValues values;
    for (const std::uint32_t number : selection) {
        const TPML_PCR_SELECTION one = selection_of(attest::selection_bytes({number}));
        Answer<TPML_PCR_SELECTION> selected;
        Answer<TPML_DIGEST> digests;
        UINT32 updates = 0;
        const auto read = impl_->check(
            Esys_PCR_Read(
                impl_->esys(),
                ESYS_TR_NONE,
                ESYS_TR_NONE,
                ESYS_TR_NONE,
                &one,
                &updates,
                selected.out(),
                digests.out()
            ),
            "show its registers"
        );
        if (!read.has_value()) {
            return read.error();
        }
        if (digests->count != 1 || digests->digests[0].size != core::kSha256Size) {
            return Error{
                ErrorCode::kFailed,
                "the TPM has no SHA-256 bank for register " + std::to_string(number)};
        }
        std::copy_n(digests->digests[0].buffer, core::kSha256Size, values[number].begin());
    }
    return values;
}

Result<void> Tpm::measure(std::span<const attest::Sha256Digest> digests) {
    constexpr ESYS_TR kRegister = ESYS_TR_PCR0 + attest::kMeasuredPcr;
    auto done = impl_->check(
        Esys_PCR_Reset(
            impl_->esys(), kRegister, impl_->session(Encrypts::kNothing), ESYS_TR_NONE, ESYS_TR_NONE
        ),
        "reset the register for measurements"
    );
    for (const attest::Sha256Digest& digest : digests) {
        if (!done.has_value()) {
            break;
        }
        TPML_DIGEST_VALUES values{};
        values.count = 1;
        values.digests[0].hashAlg = TPM2_ALG_SHA256;
        std::copy(digest.begin(), digest.end(), values.digests[0].digest.sha256);
        done = impl_->check(
            Esys_PCR_Extend(
                impl_->esys(),
                kRegister,
                impl_->session(Encrypts::kNothing),
                ESYS_TR_NONE,
                ESYS_TR_NONE,
                &values
            ),
            "extend the register for measurements"
        );
    }
    return done;
}

Result<std::uint32_t> Tpm::make_counter(core::RandomSource& random) {
    TSS2_RC code = TSS2_RC_SUCCESS;
    for (int attempt = 0; attempt < kIndexTries; ++attempt) {
        std::array<std::uint8_t, sizeof(std::uint32_t)> drawn{};
        random.fill(drawn);
        const std::uint32_t index = kFirstIndex | (core::read_big_endian32(drawn) & kIndexMask);
        const core::Bytes area = attest::counter_area(index, false);
        TPM2B_NV_PUBLIC wanted{};
        std::size_t offset = 0;
        Tss2_MU_TPMS_NV_PUBLIC_Unmarshal(area.data(), area.size(), &offset, &wanted.nvPublic);
        const TPM2B_AUTH no_password{};
        CounterHandle made(impl_->connection());
        code = Esys_NV_DefineSpace(
            impl_->esys(),
            ESYS_TR_RH_OWNER,
            impl_->session(Encrypts::kNothing),
            ESYS_TR_NONE,
            ESYS_TR_NONE,
            &no_password,
            &wanted,
            made.out()
        );
        if (code == TSS2_RC_SUCCESS) {
            const auto counted = count_up(index);
            return counted.has_value() ? Result<std::uint32_t>(index) : counted.error();
        }
        if (code != TPM2_RC_NV_DEFINED) {
            break;
        }
    }
    return impl_->check(code, "make a counter").error();
}

Result<std::uint64_t> Tpm::read_counter(std::uint32_t index) {
    const auto handle = impl_->counter(index);
    if (!handle.has_value()) {
        return handle.error();
    }
    Answer<TPM2B_MAX_NV_BUFFER> value;
    const auto read = impl_->check(
        Esys_NV_Read(
            impl_->esys(),
            handle->handle(),
            handle->handle(),
            impl_->session(Encrypts::kAnswer),
            ESYS_TR_NONE,
            ESYS_TR_NONE,
            kCounterSize,
            0,
            value.out()
        ),
        "read the counter of this seal"
    );
    if (!read.has_value()) {
        return read.error();
    }
    if (value->size != kCounterSize) {
        return Error{ErrorCode::kFailed, "the TPM's counter is not one of this seal"};
    }
    return core::read_big_endian64({value->buffer, value->size});
}

Result<void> Tpm::count_up(std::uint32_t index) {
    const auto handle = impl_->counter(index);
    if (!handle.has_value()) {
        return handle.error();
    }
    return impl_->check(
        Esys_NV_Increment(
            impl_->esys(),
            handle->handle(),
            handle->handle(),
            impl_->session(Encrypts::kNothing),
            ESYS_TR_NONE,
            ESYS_TR_NONE
        ),
        "count up"
    );
}

Result<core::SecretBytes> mixed_secret(Tpm& tpm, core::RandomSource& random) {
    auto mixed = tpm.random_bytes(kRandomMax);
    if (mixed.has_value()) {
        mixed->append(core::random_secret(random, kRandomMax).reveal());
        *mixed = core::hkdf_sha256(mixed->reveal(), core::as_bytes("pgveil/1 mixed random"));
    }
    return mixed;
}

}  // namespace pgveil::tpm
