#include "net/tls_peer.hpp"

#include <openssl/asn1.h>
#include <openssl/crypto.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>
#include <string_view>

namespace pgveil::net {

namespace {

struct FreeNames {
    void operator()(GENERAL_NAMES* names) const noexcept { GENERAL_NAMES_free(names); }
};

struct FreeBytes {
    void operator()(unsigned char* bytes) const noexcept { OPENSSL_free(bytes); }
};

/// In UTF-8; empty for what has no such form.
std::string text_of(const ASN1_STRING* string) {
    unsigned char* bytes = nullptr;
    const int size = ASN1_STRING_to_UTF8(&bytes, string);
    if (size <= 0) {
        return {};
    }
    const std::unique_ptr<unsigned char, FreeBytes> owner(bytes);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes are unsigned to OpenSSL
    const std::string text(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    return text.find('\0') == std::string::npos ? text : std::string();
}

std::string common_name_of(const X509& certificate) {
    const X509_NAME* subject = X509_get_subject_name(&certificate);
    const int first = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (first < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, first) >= 0) {
        return {};
    }
    return text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, first)));
}

std::vector<std::string> alternative_names_of(const X509& certificate) {
    const std::unique_ptr<GENERAL_NAMES, FreeNames> list(static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)
    ));
    std::vector<std::string> names;
    for (int at = 0; list && at < sk_GENERAL_NAME_num(list.get()); ++at) {
        int type = 0;
        const void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(list.get(), at), &type);
        if (type == GEN_DNS || type == GEN_EMAIL) {
            names.push_back(text_of(static_cast<const ASN1_STRING*>(value)));
        }
    }
    std::erase(names, std::string());
    return names;
}

}  // namespace

bool PeerCertificate::names(const std::string& who) const {
    return !who.empty() && (common_name == who ||
                            std::find(alternative_names.begin(), alternative_names.end(), who) !=
                                alternative_names.end());
}

PeerCertificate peer_certificate_of(const x509_st& certificate) {
    return {common_name_of(certificate), alternative_names_of(certificate)};
}

}  // namespace pgveil::net
