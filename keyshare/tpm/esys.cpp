#include "keyshare/tpm/esys.hpp"

#include <tss2/tss2_mu.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

namespace pgveil::tpm {
namespace {

constexpr UINT32 kHandlesAtOnce = 64;

/// Codes that say: the policy is not satisfied (Part 2, section 6.6.3), whatever the parameter or
/// session number; and the two that a failed comparison of a counter gives.
bool is_refusal(TSS2_RC code) {
    constexpr TSS2_RC kFormatOne = 0xbf;
    const TSS2_RC bare = (code & TPM2_RC_FMT1) != 0 ? code & kFormatOne : code;
    return bare == TPM2_RC_POLICY_FAIL || bare == TPM2_RC_VALUE || bare == TPM2_RC_INTEGRITY ||
           code == TPM2_RC_POLICY;
}

void silence_log() {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): before other threads begin, as Tpm says
    static const int once = ::setenv("TSS2_LOG", "all+NONE", 0);
    static_cast<void>(once);
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::open(const std::string& place) {
    silence_log();
    std::unique_ptr<Connection> made(new Connection(place));
    const TSS2_RC reached = Tss2_TctiLdr_Initialize(place.c_str(), &made->tcti_);
    if (reached != TSS2_RC_SUCCESS) {
        made->tcti_ = nullptr;
        return Error{
            ErrorCode::kUnreachable,
            "there is no TPM at \"" + place + "\" (" + Tss2_RC_Decode(reached) +
                "): is it there, may this user use it, and is the library for it installed "
                "(libtss2-tcti-device0, libtss2-tcti-swtpm0)?"};
    }
    const TSS2_RC begun = Esys_Initialize(&made->esys_, made->tcti_, nullptr);
    if (begun != TSS2_RC_SUCCESS) {
        made->esys_ = nullptr;
        return Error{
            ErrorCode::kUnreachable,
            "the TPM at \"" + place + "\" does not answer (" + Tss2_RC_Decode(begun) + ")"};
    }
    const TSS2_RC started = Esys_Startup(made->esys_, TPM2_SU_CLEAR);
    if (started != TSS2_RC_SUCCESS && started != TPM2_RC_INITIALIZE) {
        return Error{
            ErrorCode::kUnreachable,
            "the TPM at \"" + place + "\" does not start (" + Tss2_RC_Decode(started) + ")"};
    }
    return made;
}

Connection::~Connection() {
    if (esys_ != nullptr) {
        Esys_Finalize(&esys_);
    }
    if (tcti_ != nullptr) {
        Tss2_TctiLdr_Finalize(&tcti_);
    }
}

Result<void> Connection::check(TSS2_RC code, std::string_view what) const {
    if (code == TSS2_RC_SUCCESS) {
        return {};
    }
    return Error{
        is_refusal(code) ? ErrorCode::kRefused : ErrorCode::kFailed,
        "the TPM at \"" + place_ + "\" does not " + std::string(what) + ": " +
            Tss2_RC_Decode(code)};
}

Result<void> Connection::flush_range(TPM2_HANDLE first, std::string_view what) const {
    Answer<TPMS_CAPABILITY_DATA> found;
    TPMI_YES_NO more = 0;
    const auto listed = check(
        Esys_GetCapability(
            esys_,
            ESYS_TR_NONE,
            ESYS_TR_NONE,
            ESYS_TR_NONE,
            TPM2_CAP_HANDLES,
            first,
            kHandlesAtOnce,
            &more,
            found.out()
        ),
        what
    );
    if (!listed.has_value()) {
        return listed;
    }
    const TPML_HANDLE& handles = found->data.handles;
    for (UINT32 i = 0; i < handles.count; ++i) {
        ESYS_TR object = ESYS_TR_NONE;
        const TSS2_RC known = Esys_TR_FromTPMPublic(
            esys_, handles.handle[i], ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &object
        );
        auto flushed = check(known, "name what a former program left");
        if (flushed.has_value()) {
            flushed = check(Esys_FlushContext(esys_, object), "forget what a former program left");
        }
        if (!flushed.has_value()) {
            return flushed;
        }
    }
    return {};
}

Result<void> Connection::flush_leftovers() const {
    for (const TPM2_HANDLE first :
         {TPM2_TRANSIENT_FIRST, TPM2_LOADED_SESSION_FIRST, TPM2_ACTIVE_SESSION_FIRST}) {
        auto flushed = flush_range(first, "list what a former program left");
        if (!flushed.has_value()) {
            return flushed;
        }
    }
    return {};
}

TPML_PCR_SELECTION selection_of(core::ByteView bytes) {
    TPML_PCR_SELECTION selection{};
    std::size_t offset = 0;
    Tss2_MU_TPML_PCR_SELECTION_Unmarshal(bytes.data(), bytes.size(), &offset, &selection);
    return selection;
}

}  // namespace pgveil::tpm
