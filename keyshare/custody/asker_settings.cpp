#include "keyshare/custody/asker_settings.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/core/descriptor.hpp"
#include "keyshare/quorum/curve.hpp"
#include "keyshare/share/json_fields.hpp"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <initializer_list>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

namespace pgveil::custody {
namespace {

using share::Json;

constexpr std::size_t kFileMax = std::size_t{1} << 20U;
constexpr std::size_t kTextMax = 1000;
constexpr std::string_view kScheme = "https://";

Error settings_error(const std::string& file, const std::string& what) {
    return {ErrorCode::kSettings, file + ": " + what};
}

/// Which member is missing, of another type, or not known; empty: none.
std::string objection_to(const Json& object, std::initializer_list<const char*> members) {
    if (!object.is_object()) {
        return "an object is missing";
    }
    for (const char* member : members) {
        if (!object.contains(member)) {
            return std::string("\"") + member + "\" is missing";
        }
    }
    for (const auto& entry : object.items()) {
        const bool is_known = std::any_of(members.begin(), members.end(), [&](const char* member) {
            return entry.key() == member;
        });
        if (!is_known) {
            return "\"" + entry.key() + "\" is not known";
        }
    }
    return {};
}

/// A text of 1 to 1000 printable characters of ASCII.
std::optional<std::string> text_at(const Json& object, const char* member) {
    const Json& value = object[member];
    if (!value.is_string()) {
        return std::nullopt;
    }
    const auto& text = value.get_ref<const std::string&>();
    const bool is_fine =
        !text.empty() && text.size() <= kTextMax &&
        std::all_of(text.begin(), text.end(), [](char sign) { return sign >= ' ' && sign <= '~'; });
    return is_fine ? std::optional(text) : std::nullopt;
}

/// HOST[:PORT] behind https://, nothing else.
bool is_place(std::string_view url) {
    if (url.substr(0, kScheme.size()) != kScheme) {
        return false;
    }
    const std::string_view rest = url.substr(kScheme.size());
    return !rest.empty() && rest.find_first_of("/?#@ \\") == std::string_view::npos;
}

Result<Custodian> read_custodian(const std::string& file, const Json& object) {
    const std::string objection = objection_to(object, {"name", "url", "identity"});
    if (!objection.empty()) {
        return settings_error(file, "in \"custodians\": " + objection);
    }
    const auto name = text_at(object, "name");
    const auto url = text_at(object, "url");
    const auto identity = text_at(object, "identity");
    if (!name || !url || !identity) {
        return settings_error(file, "a custodian's name, url and identity are texts");
    }
    if (!is_place(*url)) {
        return settings_error(
            file, "the url of custodian " + *name + " must be https://HOST:PORT, without a path"
        );
    }
    auto key = parse_identity(*identity);
    if (!key.has_value()) {
        return settings_error(
            file, "the identity of custodian " + *name + " " + key.error().message
        );
    }
    return Custodian{*name, *url, *key};
}

std::string from_folder_of(const std::string& file, const std::string& path) {
    return (core::folder_of(file) / path).lexically_normal().string();
}

Result<TlsFiles> read_tls(const std::string& file, const Json& object) {
    const std::string objection = objection_to(object, {"ca", "certificate", "key"});
    if (!objection.empty()) {
        return settings_error(file, "in \"tls\": " + objection);
    }
    const auto ca = text_at(object, "ca");
    const auto certificate = text_at(object, "certificate");
    const auto key = text_at(object, "key");
    if (!ca || !certificate || !key) {
        return settings_error(file, "in \"tls\": ca, certificate and key are paths");
    }
    return TlsFiles{
        from_folder_of(file, *ca), from_folder_of(file, *certificate), from_folder_of(file, *key)};
}

/// Empty: all names and places are different.
std::string repeated_in(const std::vector<Custodian>& custodians) {
    for (std::size_t i = 0; i < custodians.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            const Custodian& one = custodians[i];
            const Custodian& other = custodians[j];
            if (one.name == other.name || one.url == other.url || one.identity == other.identity) {
                return "custodians " + other.name + " and " + one.name +
                       " have the same name, url or identity";
            }
        }
    }
    return {};
}

using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Names = std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)>;

std::string text_of(const ASN1_STRING* text) {
    return {
        reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
        static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::string common_name_of(const X509& certificate) {
    const X509_NAME* subject = X509_get_subject_name(&certificate);
    const int place = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    return place < 0 ? std::string()
                     : text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, place)));
}

std::string alternative_name_of(const X509& certificate) {
    const Names names(
        static_cast<GENERAL_NAMES*>(
            X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)
        ),
        GENERAL_NAMES_free
    );
    for (const int kind : {GEN_EMAIL, GEN_DNS}) {
        for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
            const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
            if (name->type == kind) {
                return text_of(name->d.ia5);
            }
        }
    }
    return {};
}

}  // namespace

Result<core::PublicPoint> parse_identity(std::string_view text) {
    const auto bytes = core::base64url_decode(text);
    const auto point = bytes.has_value() ? quorum::decompressed(*bytes) : std::nullopt;
    if (!point) {
        return Error{
            ErrorCode::kSettings, "is no key: copy what `pgveil-custodian identity` prints"};
    }
    return *point;
}

std::string identity_text(const core::PublicPoint& identity) {
    return core::base64url_encode(quorum::compressed(identity));
}

Result<AskerSettings> parse_asker_settings(const std::string& file, std::string_view text) {
    const Json document = Json::parse(text.begin(), text.end(), nullptr, false, true);
    const std::string objection = objection_to(document, {"custodians", "tls"});
    if (document.is_discarded() || !objection.empty()) {
        return settings_error(file, document.is_discarded() ? "it is no JSON" : objection);
    }
    AskerSettings settings;
    const Json& custodians = document["custodians"];
    if (!custodians.is_array() || custodians.empty()) {
        return settings_error(file, "\"custodians\" is a list with at least one in it");
    }
    for (const Json& entry : custodians) {
        auto custodian = read_custodian(file, entry);
        if (!custodian.has_value()) {
            return custodian.error();
        }
        settings.custodians.push_back(*std::move(custodian));
    }
    const std::string repeated = repeated_in(settings.custodians);
    if (!repeated.empty()) {
        return settings_error(file, repeated);
    }
    auto tls = read_tls(file, document["tls"]);
    if (!tls.has_value()) {
        return tls.error();
    }
    settings.tls = *std::move(tls);
    return settings;
}

Result<std::string> read_file(const std::string& file) {
    const core::Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    std::string text(kFileMax + 1, '\0');
    const auto size =
        descriptor.is_open()
            ? core::read_up_to(
                  descriptor, {reinterpret_cast<std::uint8_t*>(text.data()), text.size()}
              )
            : -1;
    if (size < 0) {
        return settings_error(file, "cannot be read: " + std::generic_category().message(errno));
    }
    if (static_cast<std::size_t>(size) > kFileMax) {
        return settings_error(file, "it is larger than 1 MiB");
    }
    text.resize(static_cast<std::size_t>(size));
    return text;
}

Result<AskerSettings> load_asker_settings(const std::string& file) {
    const auto text = read_file(file);
    return text.has_value() ? parse_asker_settings(file, *text) : text.error();
}

Result<std::string> requester_of(const std::string& certificate_file) {
    const auto text = read_file(certificate_file);
    if (!text.has_value()) {
        return text.error();
    }
    const std::unique_ptr<BIO, decltype(&BIO_free)> source(
        BIO_new_mem_buf(text->data(), static_cast<int>(text->size())), BIO_free
    );
    const Certificate certificate(
        PEM_read_bio_X509(source.get(), nullptr, nullptr, nullptr), X509_free
    );
    if (certificate == nullptr) {
        return settings_error(certificate_file, "it holds no certificate in PEM");
    }
    std::string name = common_name_of(*certificate);
    if (name.empty()) {
        name = alternative_name_of(*certificate);
    }
    if (name.empty()) {
        return settings_error(
            certificate_file, "the certificate names nobody: it needs a common name"
        );
    }
    return name;
}

}  // namespace pgveil::custody
