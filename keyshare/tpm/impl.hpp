#pragma once

#include "keyshare/attest/public_area.hpp"
#include "keyshare/tpm/esys.hpp"
#include "keyshare/tpm/tpm.hpp"

#include <memory>
#include <string_view>

namespace pgveil::tpm {

/// A primary key that is loaded now.
struct PrimaryKey {
    Loaded object;
    core::PublicPoint point;
};

/// An index of the TPM's own memory that ESAPI knows about.
class CounterHandle {
public:
    explicit CounterHandle(const Connection& connection) : connection_(&connection) {}

    CounterHandle(const CounterHandle&) = delete;
    CounterHandle& operator=(const CounterHandle&) = delete;
    CounterHandle& operator=(CounterHandle&&) = delete;

    CounterHandle(CounterHandle&& other) noexcept
        : connection_(other.connection_), handle_(std::exchange(other.handle_, ESYS_TR_NONE)) {}

    ~CounterHandle() {
        if (handle_ != ESYS_TR_NONE) {
            Esys_TR_Close(connection_->esys(), &handle_);
        }
    }

    ESYS_TR handle() const { return handle_; }

    ESYS_TR* out() { return &handle_; }

private:
    const Connection* connection_;
    ESYS_TR handle_ = ESYS_TR_NONE;
};

/// Which parameters of the next command a session encrypts: only commands whose first parameter is
/// a buffer allow it.
enum class Encrypts : TPMA_SESSION {
    kNothing = 0,
    kRequest = TPMA_SESSION_DECRYPT,
    kAnswer = TPMA_SESSION_ENCRYPT,
    kBoth = TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT,
};

/// The calls, on one connection with one storage root key and one session.
class Tpm::Impl {
public:
    static Result<std::unique_ptr<Impl>> open(
        const std::string& place, const std::optional<attest::Name>& pinned
    );

    ESYS_CONTEXT* esys() const { return connection_->esys(); }

    Result<void> check(TSS2_RC code, std::string_view what) const {
        return connection_->check(code, what);
    }

    /// The salted session, ready for a command of that kind.
    ESYS_TR session(Encrypts encrypts) const;

    Result<Loaded> start_session(TPM2_SE type) const;
    Result<Loaded> make_primary(core::ByteView area, ESYS_TR hierarchy, Answer<TPM2B_PUBLIC>& made)
        const;
    Result<PrimaryKey> make_primary(attest::KeyKind kind, ESYS_TR hierarchy) const;
    Result<Loaded> load(const SealedSecret& sealed) const;
    Result<Loaded> load_public(core::ByteView area, std::string_view what) const;
    Result<attest::Signed> certify_object(ESYS_TR object, const attest::Sha256Digest& extra) const;
    Result<CounterHandle> counter(std::uint32_t index) const;

    Result<void> verify_approval(
        const core::PublicPoint& by,
        const attest::Sha256Digest& purpose,
        const attest::Approval& approval,
        Answer<TPMT_TK_VERIFIED>& ticket
    ) const;
    /// PolicyAuthorize, after what the approval is about has been satisfied.
    Result<void> authorize(
        const Loaded& policy,
        const core::PublicPoint& by,
        const attest::Sha256Digest& purpose,
        const attest::Approval& approval
    ) const;
    Result<void> satisfy_approval(
        const Loaded& policy,
        const Release& release,
        const attest::PcrSelection& registers,
        const attest::Approval& approval
    ) const;

    struct Piece {
        std::size_t offset = 0;
        std::size_t size = 0;
    };

    Result<core::Bytes> read_memory(const CounterHandle& index, Piece piece) const;

    struct Made;
    Result<void> stir(core::RandomSource& random) const;
    Result<void> create(const attest::KeyDesign& design, Made& made) const;
    Result<attest::Signed> certify_creation(
        const Made& made, ESYS_TR object, const attest::Sha256Digest& extra
    ) const;
    Result<void> satisfy_move(
        const Loaded& policy,
        core::ByteView key_area,
        const attest::Name& new_parent,
        const std::optional<MovePermit>& permit
    ) const;
    Result<MovingKey> duplicate(
        const SealedSecret& key, ESYS_TR object, ESYS_TR parent, const Loaded& policy
    ) const;

    Result<void> satisfy_counter(const Loaded& policy, const Release& release) const;

    ESYS_TR storage_root() const { return storage_root_->object.handle(); }

    const core::PublicPoint& storage_root_point() const { return storage_root_->point; }

    attest::Name storage_root_name{};

    const Connection& connection() const { return *connection_; }

private:
    explicit Impl(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}

    std::unique_ptr<Connection> connection_;
    // Flushed in this order, before the connection goes.
    std::optional<PrimaryKey> storage_root_;
    std::optional<Loaded> session_;
};

core::Signature signature_of(const TPMT_SIGNATURE& signature);
TPM2B_PUBLIC public_of(core::ByteView area);
core::Bytes area_of(const TPM2B_PUBLIC& made);
Result<core::PublicPoint> point_of(const TPMS_ECC_POINT& unique);
TPM2B_NAME name_buffer(const attest::Name& bytes);
TPM2B_DIGEST digest_of(core::ByteView bytes);
TPM2B_DATA qualifying(const attest::Sha256Digest& extra);
TPMT_SIG_SCHEME scheme_of_key();
attest::Signed signed_by(const TPM2B_ATTEST& statement, const TPMT_SIGNATURE& signature);

}  // namespace pgveil::tpm
