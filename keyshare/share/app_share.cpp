#include "keyshare/share/app_share.hpp"

#include "keyshare/share/binary_fields.hpp"
#include "keyshare/share/text_form.hpp"

namespace pgveil::share {
namespace {

constexpr std::string_view kPrefix = "pgva1.";
constexpr std::string_view kFormat = "pgveil/1 app share";

}  // namespace

core::SecretBytes serialize(const AppShare& share) {
    FieldWriter writer(kFormat);
    writer.text(share.tenant).text(share.user_id).u32(share.epoch).parts(share.groups);
    return to_text_form(kPrefix, std::move(writer).finish().reveal());
}

Result<AppShare> parse_app_share(core::ByteView text) {
    auto bytes = from_text_form(kPrefix, text);
    if (!bytes.has_value()) {
        return bytes.error();
    }
    FieldReader reader(bytes->reveal(), kFormat);
    AppShare share;
    share.tenant = reader.plain_name();
    share.user_id = reader.plain_name();
    share.epoch = reader.u32();
    share.groups = reader.parts<AppPart>();
    if (!reader.ok()) {
        return Error{ErrorCode::kMalformed, "not an app share of a version this program knows"};
    }
    return share;
}

}  // namespace pgveil::share
