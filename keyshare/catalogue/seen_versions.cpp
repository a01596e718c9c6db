#include "keyshare/catalogue/seen_versions.hpp"

#include "keyshare/core/jws.hpp"
#include "keyshare/share/json_fields.hpp"

namespace pgveil::catalogue {
namespace {

constexpr std::string_view kSeenType = "pgveil-keys-seen";

std::string text_of_seen(const SeenVersions& seen) {
    share::Json versions = share::Json::object();
    for (const auto& [label, version] : seen.versions) {
        versions[label] = version;
    }
    return share::write_json(share::Json{{"tenant", seen.tenant}, {"keys", std::move(versions)}});
}

}  // namespace

std::string sign_seen(const SeenVersions& seen, const core::SigningKey& tenant) {
    return core::sign_jws(tenant, kSeenType, core::as_bytes(text_of_seen(seen)));
}

share::Result<SeenVersions> verify_seen(
    std::string_view jws, const core::VerifyingKey& key, std::string_view tenant
) {
    const share::Error refused{
        share::ErrorCode::kForged, "it was not written by this tenant, or altered"};
    const auto payload = core::verify_jws(key, kSeenType, jws);
    if (!payload.has_value()) {
        return refused;
    }
    share::JsonReader reader(core::as_text(*payload));
    SeenVersions seen;
    seen.tenant = reader.plain_name("tenant");
    share::JsonReader inner(reader.part("keys"));
    if (!reader.ok() || !inner.ok() || seen.tenant != tenant) {
        return refused;
    }
    for (const auto& one : inner.whole().items()) {
        seen.versions[one.key()] = inner.u64(one.key().c_str());
    }
    if (!inner.ok() || text_of_seen(seen) != core::as_text(*payload)) {
        return refused;
    }
    return seen;
}

share::Result<void> note_version(
    SeenVersions& seen, const std::string& label, std::uint64_t version
) {
    std::uint64_t& known = seen.versions[label];
    if (version < known) {
        return share::Error{
            share::ErrorCode::kOutOfOrder,
            "the dictionary has version " + std::to_string(version) + " of key \"" + label +
                "\", and version " + std::to_string(known) +
                " was seen before: somebody put old rows back"};
    }
    known = version;
    return {};
}

}  // namespace pgveil::catalogue
