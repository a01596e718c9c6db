#include "keyshare/attest/endorsement_certificate.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace pgveil::attest {
namespace {

constexpr const char* kForEndorsementKeys = "2.23.133.8.1";  // tcg-kp-EKCertificate
constexpr unsigned long kExponent = 65537;

template <auto Free>
struct FreeBy {
    template <class T>
    void operator()(T* object) const noexcept {
        Free(object);
    }
};

using Certificate = std::unique_ptr<X509, FreeBy<&X509_free>>;
using Store = std::unique_ptr<X509_STORE, FreeBy<&X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, FreeBy<&X509_STORE_CTX_free>>;
using Purposes = std::unique_ptr<EXTENDED_KEY_USAGE, FreeBy<&EXTENDED_KEY_USAGE_free>>;
using Object = std::unique_ptr<ASN1_OBJECT, FreeBy<&ASN1_OBJECT_free>>;
using Source = std::unique_ptr<BIO, FreeBy<&BIO_free_all>>;
using Number = std::unique_ptr<BIGNUM, FreeBy<&BN_free>>;

/// Every certificate of the text; empty if there is none.
Store store_of(std::string_view pem) {
    Store store(X509_STORE_new());
    const Source source(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    std::size_t count = 0;
    while (const Certificate root{PEM_read_bio_X509(source.get(), nullptr, nullptr, nullptr)}) {
        X509_STORE_add_cert(store.get(), root.get());
        ++count;
    }
    ERR_clear_error();  // the end of the text is one
    return count == 0 ? nullptr : std::move(store);
}

bool is_for_endorsement(const X509* certificate) {
    const Purposes purposes(static_cast<EXTENDED_KEY_USAGE*>(
        X509_get_ext_d2i(certificate, NID_ext_key_usage, nullptr, nullptr)
    ));
    const Object wanted(OBJ_txt2obj(kForEndorsementKeys, 1));
    for (int i = 0; i < sk_ASN1_OBJECT_num(purposes.get()); ++i) {
        if (OBJ_cmp(sk_ASN1_OBJECT_value(purposes.get(), i), wanted.get()) == 0) {
            return true;
        }
    }
    return false;
}

/// Why nobody trusted has signed it; empty if somebody has.
std::string distrust(X509* certificate, X509_STORE* roots) {
    const StoreContext context(X509_STORE_CTX_new());
    X509_STORE_CTX_init(context.get(), roots, certificate, nullptr);
    X509_VERIFY_PARAM_set_flags(
        X509_STORE_CTX_get0_param(context.get()), X509_V_FLAG_PARTIAL_CHAIN
    );
    if (X509_verify_cert(context.get()) == 1) {
        return {};
    }
    ERR_clear_error();
    return X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()));
}

std::optional<EndorsementModulus> modulus_in(const X509* certificate) {
    const EVP_PKEY* key = X509_get0_pubkey(certificate);
    BIGNUM* modulus = nullptr;
    BIGNUM* exponent = nullptr;
    const bool is_rsa = key != nullptr && EVP_PKEY_is_a(key, "RSA") == 1 &&
                        EVP_PKEY_get_bn_param(key, "n", &modulus) == 1 &&
                        EVP_PKEY_get_bn_param(key, "e", &exponent) == 1;
    const Number owned_modulus(modulus);
    const Number owned_exponent(exponent);
    EndorsementModulus bytes{};
    const bool is_fitting = is_rsa && BN_num_bytes(modulus) == static_cast<int>(bytes.size()) &&
                            BN_is_word(exponent, kExponent) == 1;
    if (!is_fitting) {
        ERR_clear_error();
        return std::nullopt;
    }
    BN_bn2bin(modulus, bytes.data());
    return bytes;
}

}  // namespace

Result<EndorsementModulus> certified_endorsement(
    core::ByteView certificate, std::string_view roots
) {
    const Store trusted = store_of(roots);
    if (trusted == nullptr) {
        return Error{"there is no certificate (PEM) among the trusted roots"};
    }
    const unsigned char* at = certificate.data();
    const Certificate read(d2i_X509(nullptr, &at, static_cast<long>(certificate.size())));
    if (read == nullptr) {
        ERR_clear_error();
        return Error{"what the TPM has as certificate of its endorsement key is none"};
    }
    const std::string why_not = distrust(read.get(), trusted.get());
    if (!why_not.empty()) {
        return Error{
            "the certificate of the endorsement key is not of one of the trusted makers: " +
            why_not};
    }
    const auto modulus = modulus_in(read.get());
    if (!is_for_endorsement(read.get()) || !modulus) {
        return Error{
            "the certificate is not one for an endorsement key of 2048 bits (RSA): the trusted "
            "maker has made it for something else"};
    }
    return *modulus;
}

}  // namespace pgveil::attest
