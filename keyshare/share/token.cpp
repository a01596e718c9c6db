#include "keyshare/share/token.hpp"

#include "keyshare/core/lp.hpp"
#include "keyshare/share/binary_fields.hpp"
#include "keyshare/share/names.hpp"
#include "keyshare/share/text_form.hpp"

#include <utility>

namespace pgveil::share {
namespace {

constexpr std::string_view kPrefix = "pgvt1.";
constexpr std::string_view kFormat = "pgveil/1 token contents";
constexpr std::string_view kUserKeyFormat = "pgveil/1 user key";
constexpr std::size_t kKeyIdSize = 4;

core::Bytes token_info(std::string_view tenant, std::uint32_t key_id) {
    return core::length_prefixed(
        {core::as_bytes("pgveil/1 token"), core::as_bytes(tenant), core::big_endian32(key_id)}
    );
}

core::SecretBytes serialize(const TokenContents& contents) {
    FieldWriter writer(kFormat);
    writer.text(contents.tenant)
        .text(contents.user_id)
        .i64(contents.issued_at_s)
        .i64(contents.expires_at_s)
        .bytes(contents.nonce)
        .bytes(contents.audience)
        .u32(contents.epoch)
        .text(contents.scope)
        .parts(contents.groups);
    return std::move(writer).finish();
}

Result<TokenContents> parse_contents(core::ByteView bytes) {
    FieldReader reader(bytes, kFormat);
    TokenContents contents;
    contents.tenant = reader.plain_name();
    contents.user_id = reader.plain_name();
    contents.issued_at_s = reader.i64();
    contents.expires_at_s = reader.i64();
    contents.nonce = reader.array<std::tuple_size_v<Nonce>>();
    contents.audience = reader.digest();
    contents.epoch = reader.u32();
    contents.scope = reader.text();
    contents.groups = reader.parts<UserPart>();
    const bool times_fit =
        contents.issued_at_s >= 0 && contents.expires_at_s > contents.issued_at_s;
    if (!reader.ok() || !times_fit) {
        return Error{ErrorCode::kMalformed, "not a token of a version this program knows"};
    }
    return contents;
}

}  // namespace

Result<core::SecretBytes> seal_token(const TokenContents& contents, const TokenPublicKey& key) {
    const bool times_fit =
        contents.issued_at_s >= 0 && contents.expires_at_s > contents.issued_at_s;
    if (!is_plain_name(contents.tenant) || !is_plain_name(contents.user_id) ||
        contents.groups.empty() || !times_fit) {
        return Error{
            ErrorCode::kInvalidArgument,
            "a token needs a tenant, a user, a group and a time to live"};
    }
    const core::Bytes sealed = core::hpke_seal(
        key.point, token_info(contents.tenant, key.key_id), {}, serialize(contents).reveal()
    );
    core::Bytes whole = core::to_bytes(core::big_endian32(key.key_id));
    core::append(whole, sealed);
    return to_text_form(kPrefix, whole);
}

Result<SealedToken> parse_token(core::ByteView text) {
    const auto bytes = from_text_form(kPrefix, text);
    if (!bytes.has_value()) {
        return bytes.error();
    }
    const core::ByteView whole = bytes->reveal();
    if (whole.size() < kKeyIdSize + core::kHpkeOverhead) {
        return Error{ErrorCode::kMalformed, "it is too short"};
    }
    return SealedToken{core::read_big_endian32(whole), core::to_bytes(whole.subspan(kKeyIdSize))};
}

Result<TokenContents> open_token(
    const SealedToken& token, const core::HpkeKeyPair& key, std::string_view tenant
) {
    const auto opened = core::hpke_open(key, token_info(tenant, token.key_id), {}, token.sealed);
    if (!opened.has_value()) {
        return Error{
            ErrorCode::kForged, "it was altered, or sealed for another tenant or another proxy"};
    }
    auto contents = parse_contents(opened->reveal());
    if (contents.has_value() && contents->tenant != tenant) {
        return Error{ErrorCode::kForeign, "it is of tenant " + contents->tenant};
    }
    return contents;
}

core::SecretBytes serialize(const UserKey& key) {
    FieldWriter writer(kUserKeyFormat);
    writer.text(key.tenant)
        .text(key.user_id)
        .u32(key.epoch)
        .point(key.proxy_identity)
        .parts(key.groups);
    return std::move(writer).finish();
}

Result<UserKey> parse_user_key(core::ByteView bytes) {
    FieldReader reader(bytes, kUserKeyFormat);
    std::string tenant = reader.plain_name();
    std::string user_id = reader.plain_name();
    const std::uint32_t epoch = reader.u32();
    const auto identity = reader.point();
    auto groups = reader.parts<UserPart>();
    if (!reader.ok() || !identity) {
        return Error{ErrorCode::kMalformed, "not a user key of a version this program knows"};
    }
    return UserKey{std::move(tenant), std::move(user_id), epoch, *identity, std::move(groups)};
}

Result<core::SecretBytes> make_token(
    const UserKey& user,
    const TokenPublicKey& key,
    TokenTimes times,
    core::RandomSource& random,
    const TokenScope& scope
) {
    auto restrictions = serialize(scope);
    if (!restrictions.has_value()) {
        return restrictions.error();
    }
    if (times.validity_s <= 0) {
        return Error{ErrorCode::kInvalidArgument, "a token must be valid for at least one second"};
    }
    TokenContents contents;
    contents.tenant = user.tenant;
    contents.user_id = user.user_id;
    contents.issued_at_s = times.now_s;
    contents.expires_at_s = times.now_s + times.validity_s;
    random.fill(contents.nonce);
    contents.audience = user.proxy_identity.fingerprint();
    contents.epoch = user.epoch;
    contents.scope = *std::move(restrictions);
    for (const auto& [group, part] : user.groups) {
        contents.groups.push_back({group, part.duplicate()});
    }
    return seal_token(contents, key);
}

}  // namespace pgveil::share
