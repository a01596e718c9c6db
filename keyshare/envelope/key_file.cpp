#include "keyshare/envelope/key_file.hpp"

#include "keyshare/envelope/custodian_holder.hpp"
#include "keyshare/share/tenant.hpp"
#include "keyshare/user/private_file.hpp"

namespace pgveil::envelope {

namespace {

constexpr std::string_view kStart = "pgveil envelope key 1\nkey: ";
constexpr std::size_t kSizeMax = 65536;  // a group of 255 custodians

}  // namespace

std::string write_key_file(const core::PublicPoint& key) {
    return std::string(kStart) + key.text() + "\n";
}

Result<core::PublicPoint> parse_key_file(std::string_view text) {
    if (text.starts_with(kStart) && text.ends_with('\n')) {
        text.remove_prefix(kStart.size());
        text.remove_suffix(1);
        if (const auto key = core::PublicPoint::from_text(text)) {
            return *key;
        }
    }
    return user::unusable(
        "this is no key to protect files with: use the file that pgveil-envelope init "
        "wrote, or the group file of custodians"
    );
}

Result<core::PublicPoint> read_key_file(const std::string& path) {
    const auto text = user::read_public_file(path, kSizeMax);
    if (!text) {
        return text.error();
    }
    if (text->starts_with('{')) {
        return key_of_group_file(path, *text);
    }
    auto key = parse_key_file(*text);
    if (!key) {
        return user::unusable(path + ": " + key.error().message);
    }
    return key;
}

std::string fingerprint_of(const core::PublicPoint& key) {
    return share::fingerprint_text(key.fingerprint());
}

}  // namespace pgveil::envelope
