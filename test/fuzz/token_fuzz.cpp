#include "keyshare/core/bytes.hpp"
#include "keyshare/core/lp.hpp"
#include "keyshare/share/app_share.hpp"
#include "keyshare/share/text_form.hpp"
#include "keyshare/share/token.hpp"
#include "test/fuzz/patched.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace pgveil;

constexpr std::string_view kTenant = "acme";

void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

bool equal(core::ByteView left, core::ByteView right) {
    return std::ranges::equal(left, right);
}

/// Any text as a token or an app share, from the very first byte.
void check_texts(core::ByteView text) {
    static_cast<void>(share::parse_token(text));
    const auto app_share = share::parse_app_share(text);
    if (app_share.has_value()) {
        require(equal(serialize(*app_share).reveal(), text));
    }
}

/// The same behind the text form: what is accepted has one form.
void check_forms(core::ByteView bytes) {
    check_texts(share::to_text_form("pgva1.", bytes).reveal());
    check_texts(share::to_text_form("pgvt1.", bytes).reveal());
    const auto user_key = share::parse_user_key(bytes);
    if (user_key.has_value()) {
        require(equal(serialize(*user_key).reveal(), bytes));
    }
}

/// The same as the scope of a token.
void check_scope(core::ByteView bytes) {
    const auto scope = share::parse_token_scope(core::as_text(bytes));
    if (scope.has_value()) {
        require(scope->restricts());
        require(*serialize(*scope) == core::as_text(bytes));
    }
}

constexpr std::uint32_t kKeyId = 7;

const core::HpkeKeyPair& token_key() {
    static const core::HpkeKeyPair kKey = core::HpkeKeyPair::generate();
    return kKey;
}

core::Bytes token_info() {
    return core::length_prefixed(
        {core::as_bytes("pgveil/1 token"), core::as_bytes(kTenant), core::big_endian32(kKeyId)}
    );
}

/// The contents of a sound token, as they are sealed.
core::Bytes sound_contents() {
    share::TokenContents contents;
    contents.tenant = kTenant;
    contents.user_id = "nurse";
    contents.issued_at_s = 1000;
    contents.expires_at_s = 1060;
    contents.epoch = 1;
    share::TokenScope scope;
    scope.read_only = true;
    scope.tables = {"*.patients", "public.visits"};
    scope.statements = 5;
    contents.scope = *share::serialize(scope);
    contents.groups.push_back({"default", share::UserPart()});
    contents.groups.push_back({"medical", share::UserPart()});
    const auto text = share::seal_token(contents, {kKeyId, token_key().point});
    const auto sealed = share::parse_token(text->reveal());
    const auto opened = core::hpke_open(token_key(), token_info(), {}, sealed->sealed);
    return core::to_bytes(opened->reveal());
}

/// Any contents, rightly sealed: what a user whose program is not ours could send.
void check_contents(core::ByteView contents) {
    const share::SealedToken sealed{
        kKeyId, core::hpke_seal(token_key().point, token_info(), {}, contents)};
    const auto opened = share::open_token(sealed, token_key(), kTenant);
    if (!opened.has_value()) {
        require(opened.error().code != share::ErrorCode::kForged);
        return;
    }
    require(opened->tenant == kTenant && opened->expires_at_s > opened->issued_at_s);
    require(!opened->groups.empty());
    check_scope(core::as_bytes(opened->scope));
}

}  // namespace

// The first byte says what the rest is: a text, a binary form, the contents of a sealed token, or
// changes to sound ones.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const core::ByteView rest = core::ByteView(bytes, size).subspan(1);
    if (rest.size() > share::kShareTextSizeMax) {
        return 0;
    }
    static const core::Bytes kSound = sound_contents();
    switch (bytes[0] % 4) {
        case 0: check_texts(rest); break;
        case 1:
            check_forms(rest);
            check_scope(rest);
            break;
        case 2: check_contents(rest); break;
        default: check_contents(fuzz::patched(kSound, rest)); break;
    }
    return 0;
}
