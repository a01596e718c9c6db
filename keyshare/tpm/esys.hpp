#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/tpm/error.hpp"

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <tss2/tss2_esys.h>
#include <utility>

// Owners of what ESAPI hands out, and its codes as errors. For this folder's own files.
namespace pgveil::tpm {

struct FreeMemory {
    void operator()(void* block) const noexcept { Esys_Free(block); }
};

/// What ESAPI allocated for an answer.
template <class T>
class Answer {
public:
    /// Where ESAPI writes the pointer; once per object.
    T** out() { return &raw_; }

    Answer() = default;
    Answer(const Answer&) = delete;
    Answer& operator=(const Answer&) = delete;
    Answer(Answer&&) = delete;
    Answer& operator=(Answer&&) = delete;

    ~Answer() { FreeMemory()(raw_); }

    const T* operator->() const { return raw_; }

    const T& operator*() const { return *raw_; }

    T* get() { return raw_; }

private:
    T* raw_ = nullptr;
};

/// The connection: ESAPI's context and the TCTI below it.
class Connection {
public:
    static Result<std::unique_ptr<Connection>> open(const std::string& place);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    Connection(Connection&&) = delete;
    Connection& operator=(Connection&&) = delete;
    ~Connection();

    ESYS_CONTEXT* esys() const { return esys_; }

    /// Nothing, or what the TPM said to `what`.
    Result<void> check(TSS2_RC code, std::string_view what) const;

    /// Objects and sessions that nobody owns any more.
    Result<void> flush_leftovers() const;

private:
    explicit Connection(std::string place) : place_(std::move(place)) {}

    Result<void> flush_range(TPM2_HANDLE first, std::string_view what) const;

    std::string place_;
    TSS2_TCTI_CONTEXT* tcti_ = nullptr;
    ESYS_CONTEXT* esys_ = nullptr;
};

/// An object or a session in the TPM, flushed when it goes.
class Loaded {
public:
    explicit Loaded(const Connection& connection) : connection_(&connection) {}

    Loaded(const Loaded&) = delete;
    Loaded& operator=(const Loaded&) = delete;
    Loaded& operator=(Loaded&&) = delete;

    Loaded(Loaded&& other) noexcept
        : connection_(other.connection_), handle_(std::exchange(other.handle_, ESYS_TR_NONE)) {}

    ~Loaded() {
        if (handle_ != ESYS_TR_NONE) {
            static_cast<void>(Esys_FlushContext(connection_->esys(), handle_));
        }
    }

    ESYS_TR handle() const { return handle_; }

    ESYS_TR* out() { return &handle_; }

private:
    const Connection* connection_;
    ESYS_TR handle_ = ESYS_TR_NONE;
};

/// Copies into a TPM2B of fixed room. False if it does not fit.
template <class Sized, class Byte>
bool put(Sized& to, Byte* room, std::size_t room_size, core::ByteView from) {
    if (from.size() > room_size) {
        return false;
    }
    to.size = static_cast<UINT16>(from.size());
    std::copy(from.begin(), from.end(), room);
    return true;
}

TPML_PCR_SELECTION selection_of(core::ByteView bytes);

}  // namespace pgveil::tpm
