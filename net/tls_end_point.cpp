#include "net/tls_end_point.hpp"

#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

namespace pgveil::net {

std::vector<std::uint8_t> server_end_point_of(x509_st& certificate) {
    int digest_id = NID_undef;
    // Knows RSA-PSS, too, where the hash is in the signature's parameters.
    if (X509_get_signature_info(&certificate, &digest_id, nullptr, nullptr, nullptr) != 1) {
        return {};
    }
    const bool is_weak = digest_id == NID_md5 || digest_id == NID_sha1;
    const EVP_MD* digest = is_weak ? EVP_sha256() : EVP_get_digestbynid(digest_id);
    if (digest == nullptr) {
        return {};
    }
    std::vector<std::uint8_t> hash(EVP_MAX_MD_SIZE);
    unsigned size = 0;
    if (X509_digest(&certificate, digest, hash.data(), &size) != 1) {
        return {};
    }
    hash.resize(size);
    return hash;
}

}  // namespace pgveil::net
