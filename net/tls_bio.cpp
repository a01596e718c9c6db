#include "net/tls_bio.hpp"

#include <openssl/bio.h>

#include <algorithm>
#include <cstdint>
#include <memory>

namespace pgveil::net {

namespace {

Socket& socket_of(BIO* bio) noexcept {
    return *static_cast<Socket*>(BIO_get_data(bio));
}

/// OpenSSL's three-valued answer: bytes, 0 at the end, -1 with or without the retry flag.
int answer(const IoResult& result, std::size_t* moved) noexcept {
    *moved = result.bytes;
    return result.status == IoStatus::kDone ? 1 : 0;
}

int read_socket(BIO* bio, char* space, std::size_t size, std::size_t* moved) {
    BIO_clear_retry_flags(bio);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes are char to OpenSSL
    const std::span bytes(reinterpret_cast<std::uint8_t*>(space), size);
    const IoResult result = socket_of(bio).receive(bytes);
    if (result.status == IoStatus::kBlocked) {
        BIO_set_retry_read(bio);
    }
    if (result.status == IoStatus::kEnd) {
        BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    }
    return answer(result, moved);
}

int write_socket(BIO* bio, const char* bytes, std::size_t size, std::size_t* moved) {
    BIO_clear_retry_flags(bio);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes are char to OpenSSL
    const ByteView view(reinterpret_cast<const std::uint8_t*>(bytes), size);
    const IoResult result = socket_of(bio).send(view);
    if (result.status == IoStatus::kBlocked) {
        BIO_set_retry_write(bio);
    }
    return answer(result, moved);
}

long control_socket(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
    switch (command) {
        case BIO_CTRL_FLUSH: return 1;
        case BIO_CTRL_EOF: return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
        default: return 0;
    }
}

BIO_METHOD* make_method() {
    BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "pgveil socket");
    if (method != nullptr) {
        BIO_meth_set_read_ex(method, read_socket);
        BIO_meth_set_write_ex(method, write_socket);
        BIO_meth_set_ctrl(method, control_socket);
    }
    return method;
}

}  // namespace

bio_st* new_socket_bio(Socket& socket) {
    static BIO_METHOD* const kMethod = make_method();
    BIO* bio = kMethod == nullptr ? nullptr : BIO_new(kMethod);
    if (bio != nullptr) {
        BIO_set_data(bio, &socket);
        BIO_set_init(bio, 1);
    }
    return bio;
}

}  // namespace pgveil::net
