#pragma once

#include "net/error.hpp"

#include <string>

/// OpenSSL's error queue, drained in one place.
namespace pgveil::net {

/// Takes everything out of this thread's queue; the first entry's reason, lower case where OpenSSL
/// has it so, or `otherwise` when the queue was empty.
std::string take_tls_reason(const std::string& otherwise);

/// The same as an error_code of Asio's TLS category, for failures that are thrown.
error_code take_tls_error();

void clear_tls_errors() noexcept;

}  // namespace pgveil::net
