#pragma once

#include <cstdint>
#include <vector>

struct x509_st;

namespace pgveil::net {

/// RFC 5929 section 4.1, tls-server-end-point: the hash of the whole certificate with the hash
/// function of its signature; MD5 and SHA-1 are replaced by SHA-256. Empty for a signature without
/// a single hash function (Ed25519), for which the RFC defines no binding and PostgreSQL has none.
std::vector<std::uint8_t> server_end_point_of(x509_st& certificate);

}  // namespace pgveil::net
