#include "net/tls_error.hpp"

#include <boost/asio/ssl/error.hpp>
#include <openssl/err.h>

namespace pgveil::net {

namespace {

std::string reason_text(unsigned long code, const std::string& otherwise) {
    const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
    return reason == nullptr ? otherwise : std::string(reason);
}

unsigned long take_first_code() noexcept {
    const unsigned long code = ERR_get_error();
    ERR_clear_error();
    return code;
}

}  // namespace

std::string take_tls_reason(const std::string& otherwise) {
    return reason_text(take_first_code(), otherwise);
}

error_code take_tls_error() {
    const auto code = static_cast<int>(take_first_code());
    return {code == 0 ? 1 : code, boost::asio::error::get_ssl_category()};
}

void clear_tls_errors() noexcept {
    // Clearing goes through all sixteen places of the queue, full or not.
    if (ERR_peek_error() != 0) {
        ERR_clear_error();
    }
}

}  // namespace pgveil::net
