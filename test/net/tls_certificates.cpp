#include "test/net/tls_certificates.hpp"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

namespace pgveil::net {

namespace {

struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }

    void operator()(X509* certificate) const { X509_free(certificate); }

    void operator()(std::FILE* file) const { std::fclose(file); }
};

using KeyPtr = std::unique_ptr<EVP_PKEY, Free>;
using CertificatePtr = std::unique_ptr<X509, Free>;
using FilePtr = std::unique_ptr<std::FILE, Free>;

KeyPtr new_key() {
    return KeyPtr(EVP_EC_gen("P-256"));
}

void set_name(X509* certificate, const char* common_name) {
    X509_NAME* name = X509_get_subject_name(certificate);
    const std::string text = common_name;
    X509_NAME_add_entry_by_txt(
        name,
        "CN",
        MBSTRING_UTF8,
        reinterpret_cast<const unsigned char*>(text.data()),
        static_cast<int>(text.size()),
        -1,
        0
    );
}

void add_extension(X509* certificate, int id, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, id, value.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

CertificatePtr new_certificate(EVP_PKEY* key, long serial, const CertificateWish& wish) {
    CertificatePtr certificate(X509_new());
    X509_set_version(certificate.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), wish.valid_from_seconds);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), wish.valid_until_seconds);
    X509_set_pubkey(certificate.get(), key);
    return certificate;
}

void write_certificate(const std::string& path, X509* certificate) {
    const FilePtr file(std::fopen(path.c_str(), "w"));
    PEM_write_X509(file.get(), certificate);
}

void write_key(const std::string& path, EVP_PKEY* key) {
    const FilePtr file(std::fopen(path.c_str(), "w"));
    PEM_write_PrivateKey(file.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
}

}  // namespace

struct TestAuthority::Keys {
    KeyPtr key;
    CertificatePtr certificate;
};

TestAuthority::TestAuthority() : keys_(new Keys) {
    std::string pattern = std::filesystem::temp_directory_path() / "pgveil-tls-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    keys_->key = new_key();
    keys_->certificate = new_certificate(keys_->key.get(), 1, {});
    set_name(keys_->certificate.get(), "test authority");
    X509_set_issuer_name(keys_->certificate.get(), X509_get_subject_name(keys_->certificate.get()));
    add_extension(keys_->certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
    X509_sign(keys_->certificate.get(), keys_->key.get(), EVP_sha256());
    write_certificate(authority_file(), keys_->certificate.get());
}

TestAuthority::~TestAuthority() {
    delete keys_;
    std::filesystem::remove_all(folder_);
}

CertificateFiles TestAuthority::issue(const CertificateWish& wish) {
    const std::string base = folder_ + "/" + std::to_string(++issued_);
    const KeyPtr key = new_key();
    const CertificatePtr certificate = new_certificate(key.get(), 1 + issued_, wish);
    set_name(certificate.get(), "issued");
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(keys_->certificate.get()));
    add_extension(
        certificate.get(), NID_subject_alt_name, (wish.is_address ? "IP:" : "DNS:") + wish.name
    );
    X509_sign(certificate.get(), keys_->key.get(), EVP_sha256());
    write_certificate(base + ".pem", certificate.get());
    write_key(base + ".key", key.get());
    return {.certificate = base + ".pem", .key = base + ".key"};
}

std::string TestAuthority::write(const std::string& name, const std::string& content) const {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path) << content;
    return path;
}

}  // namespace pgveil::net
