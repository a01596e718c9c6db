#include "keyshare/share/text_form.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/share/token.hpp"

namespace pgveil::share {

core::SecretBytes to_text_form(std::string_view prefix, core::ByteView bytes) {
    core::SecretBytes text;
    text.append(core::as_bytes(prefix));
    text.append(core::base64url_encode_secret(bytes).reveal());
    return text;
}

Result<core::SecretBytes> from_text_form(std::string_view prefix, core::ByteView text) {
    const std::string_view characters = core::as_text(text);
    if (!characters.starts_with(prefix)) {
        return Error{
            ErrorCode::kMalformed, "it does not begin with \"" + std::string(prefix) + "\""};
    }
    if (characters.size() > kShareTextSizeMax) {
        return Error{ErrorCode::kMalformed, "it is too long"};
    }
    auto bytes = core::base64url_decode_secret(characters.substr(prefix.size()));
    if (!bytes.has_value()) {
        return Error{ErrorCode::kMalformed, "it is not whole: its base64url is damaged"};
    }
    return *std::move(bytes);
}

}  // namespace pgveil::share
