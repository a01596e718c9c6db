// Any bytes as what travels about the keys of a TPM and those it made for customers: texts, records
// that the tenant signed, the certificate of an endorsement key. Refused or read; what is read is
// written back the same, and nobody but the TPM makes a record that verifies.

#include "keyshare/attest/endorsement_certificate.hpp"
#include "keyshare/attest/exchange.hpp"
#include "keyshare/catalogue/key_record.hpp"
#include "keyshare/catalogue/key_transfer.hpp"
#include "keyshare/catalogue/seen_versions.hpp"
#include "keyshare/core/base64url.hpp"
#include "keyshare/core/jws.hpp"
#include "test/fuzz/patched.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace pgveil;

namespace {

constexpr std::string_view kTenant = "acme";
// As key_record.cpp and seen_versions.cpp have them.
constexpr std::string_view kRecordType = "pgveil-key-record";
constexpr std::string_view kSeenType = "pgveil-keys-seen";

// Signed by itself, of RSA with 2048 bits, for endorsement keys, until 2126.
constexpr std::string_view kMaker =
    "-----BEGIN CERTIFICATE-----\n"
    "MIICvzCCAaegAwIBAgIBBzANBgkqhkiG9w0BAQsFADAQMQ4wDAYDVQQDDAVhIFRQ\n"
    "TTAgFw0yMDAxMDEwMDAwMDBaGA8yMTI2MDEwMTAwMDAwMFowEDEOMAwGA1UEAwwF\n"
    "YSBUUE0wggEiMA0GCSqGSIb3DQEBAQUAA4IBDwAwggEKAoIBAQCqKpmOXqN8OcrI\n"
    "Xsp364WiFE+M5WjlQCvbSFsnYnSqssNu6Tv/9DoknA6/FKZOXWJbae6n4suaarCS\n"
    "N6XEUhYt3qaeAMz8yvC/rKvEiy68/Vs/2cy7eGcJA+h2zGW84hnQvFLCKUM2TVuX\n"
    "s3XZHec71EtLi/AB5WLHR+1a4JPQefo4Jlchuu63cRxTA9cL3mXiEjeBbKIKesvN\n"
    "w5H1JEuPG7RnO0mjgUTxrbHO2g2oR6EsNFoJ3b+Bkz/ew0vqEHG8foI5H8DpoUdy\n"
    "PNgCcO4pAYUfDbrpKgZolNvjVVnHdvQ23+2U1cFN89wZ3mh1K1J0TpRAlFfQBmwH\n"
    "pCSS0BjXAgMBAAGjIjAgMAwGA1UdEwEB/wQCMAAwEAYDVR0lBAkwBwYFZ4EFCAEw\n"
    "DQYJKoZIhvcNAQELBQADggEBAITfkp+LLmplTKQ2Kzoo0nOP3/q3Yy0AussYnneH\n"
    "jDsvo2618YeULs7iZsEQ+h/Eqo2SaZLuGTi0VrJbnS5thka9U7FNZc/ZoC2B6ReG\n"
    "zfL315kpNK2TvBBZ27i9j7ehcn7G1VC7MyqyJRstZ0YZRUutvfKW/Wk5ghXLada4\n"
    "jFiCp4n07LMNIoxgWQM3kvIzH7Xs8DmffBZpMb3m+zBHl+/MbgbmqsngsozHNElh\n"
    "7HX+hMrYJHhnW5Es2ZVkFWmltOJJh0bYg06XgiOuuI3VZnlzLcW5smAgWDnxTkbc\n"
    "OWf9Nht69VjFq4zsCfasi0p1qPUNEjbHKVJz7PB3zgeK8nE=\n"
    "-----END CERTIFICATE-----\n";

void must_hold(bool condition) {
    if (!condition) {
        std::abort();
    }
}

/// What stands between the first and the last line of the PEM.
core::Bytes der_of(std::string_view pem) {
    const std::size_t begin = pem.find('\n');
    std::string text(pem.substr(begin, pem.rfind("\n-----END") - begin));
    std::erase(text, '\n');
    while (text.ends_with('=')) {
        text.pop_back();
    }
    std::ranges::replace(text, '+', '-');
    std::ranges::replace(text, '/', '_');
    return *core::base64url_decode(text);
}

template <class Parsed>
void must_be_one_form(const Parsed& parsed, std::string_view text) {
    must_hold(!parsed.has_value() || to_text(*parsed) == text);
}

/// A record that a tenant signed for a key of a TPM that never said so, and what signed it.
struct Scene {
    core::SigningKey tenant = core::SigningKey::generate();
    core::PublicPoint point = core::SigningKey::generate().verifying_key().point();
    catalogue::KeyTarget target{point, point, {core::Bytes(80, 7), {}}};
    core::Bytes record, seen;
    core::Bytes certificate = der_of(kMaker);

    Scene() {
        catalogue::KeyRecord made{
            {std::string(kTenant),
             "invoices",
             "billing",
             "signs invoices",
             {attest::Migration::kNone, attest::KeyUse::kSigning, {}},
             1,
             {1, 2}},
            point,
            point,
            {core::Bytes(80, 7), {}},
            point,
            1,
            catalogue::KeyState::kPreActive,
            1,
            {}};
        record = payload(kRecordType, catalogue::sign_record(made, tenant));
        seen = payload(kSeenType, catalogue::sign_seen({std::string(kTenant), {{"a", 1}}}, tenant));
        must_hold(attest::certified_endorsement(certificate, kMaker).has_value());
    }

    core::Bytes payload(std::string_view type, const std::string& jws) const {
        return *core::verify_jws(tenant.verifying_key(), type, jws);
    }

    void try_record(core::ByteView bytes) const {
        const auto& key = tenant.verifying_key();
        const std::string jws = core::sign_jws(tenant, kRecordType, bytes);
        must_hold(!catalogue::verify_record(jws, key, kTenant).has_value());
    }

    void try_seen(core::ByteView bytes) const {
        const auto& key = tenant.verifying_key();
        const auto read =
            catalogue::verify_seen(core::sign_jws(tenant, kSeenType, bytes), key, kTenant);
        must_hold(
            !read.has_value() ||
            std::ranges::equal(payload(kSeenType, catalogue::sign_seen(*read, tenant)), bytes)
        );
    }

    void try_certificate(core::ByteView bytes) const {
        const bool is_whole = bytes.size() >= certificate.size() &&
                              std::ranges::equal(bytes.first(certificate.size()), certificate);
        must_hold(attest::certified_endorsement(bytes, kMaker).has_value() == is_whole);
    }
};

void try_texts(core::ByteView bytes) {
    const std::string_view text = core::as_text(bytes);
    must_be_one_form(attest::parse_keys(text), text);
    must_be_one_form(attest::parse_challenge(text), text);
    must_be_one_form(attest::parse_evidence(text), text);
    must_be_one_form(catalogue::parse_target(text), text);
    must_be_one_form(catalogue::parse_transfer(text), text);
    must_be_one_form(catalogue::parse_certificate(text), text);
}

/// Texts that these parsers read, or nearly so.
std::string sample(const Scene& scene, std::size_t which) {
    switch (which % 4) {
        case 0: return to_text(attest::TpmKeys{scene.point, scene.point, core::Bytes(9, 1)});
        case 1: return to_text(attest::Challenge{{}, {}, {core::Bytes(70), core::Bytes(70)}});
        case 2: return to_text(scene.target);
        default:
            return to_text(catalogue::KeyTransfer{
                "a.b.c", core::Bytes(9), core::Bytes(9), core::Bytes(9)});
    }
}

}  // namespace

// The first byte says what the rest is: as it stands, or what to change in something sound.
// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    static const Scene kScene;
    const core::ByteView rest = core::ByteView(bytes, size).subspan(1);
    switch (bytes[0] % 8) {
        case 0: try_texts(rest); break;
        case 1: kScene.try_record(rest); break;
        case 2: kScene.try_record(fuzz::patched(kScene.record, rest)); break;
        case 3: kScene.try_seen(rest); break;
        case 4: kScene.try_seen(fuzz::patched(kScene.seen, rest)); break;
        case 5: kScene.try_certificate(rest); break;
        case 6: kScene.try_certificate(fuzz::patched(kScene.certificate, rest)); break;
        default: {
            const std::string sound = sample(kScene, bytes[0] / 8U);
            try_texts(fuzz::patched(core::to_bytes(core::as_bytes(sound)), rest));
        }
    }
    return 0;
}
