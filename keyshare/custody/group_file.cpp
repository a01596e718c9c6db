#include "keyshare/custody/group_file.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/core/descriptor.hpp"
#include "keyshare/custody/asker_settings.hpp"
#include "keyshare/share/json_fields.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace pgveil::custody {
namespace {

constexpr std::string_view kFormat = "pgveil-group/1";

Error not_written(const std::string& file, int error) {
    return {
        ErrorCode::kSettings,
        file + " cannot be written: " + std::generic_category().message(error)};
}

}  // namespace

std::string write_group(const PinnedGroup& pinned) {
    share::Json json;
    json["format"] = kFormat;
    json["id"] = core::base64url_encode(pinned.group.id);
    json["epoch"] = pinned.group.epoch;
    json["threshold"] = pinned.group.threshold;
    json["public_key"] = identity_text(pinned.group.public_key());
    json["members"] = pinned.members;
    json["group"] = core::base64url_encode(quorum::serialize(pinned.group));
    return json.dump(2) + "\n";
}

Result<PinnedGroup> parse_group_file(const std::string& file, std::string_view text) {
    share::JsonReader reader(text);
    const core::Bytes bytes = reader.bytes("group");
    const share::Json& members = reader.part("members");
    auto group = quorum::parse_group(bytes);
    if (reader.ok() && group.has_value() && members.is_array()) {
        PinnedGroup pinned{*std::move(group), {}};
        for (const share::Json& member : members) {
            pinned.members.push_back(member.is_string() ? member.get<std::string>() : "");
        }
        if (pinned.members.size() == pinned.group.size() && write_group(pinned) == text) {
            return pinned;
        }
    }
    return Error{
        ErrorCode::kSettings,
        file + " is no file of a group: take the one that `pgveil-custodian group create` wrote"};
}

Result<PinnedGroup> load_group(const std::string& file) {
    const auto text = read_file(file);
    return text.has_value() ? parse_group_file(file, *text) : text.error();
}

Result<void> save_file(const std::string& file, std::string_view text) {
    const std::string draft = file + ".new";
    {
        const core::Descriptor descriptor(
            ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644)
        );
        if (!descriptor.is_open() || !core::write_all(descriptor.get(), core::as_bytes(text)) ||
            ::fsync(descriptor.get()) != 0) {
            return not_written(draft, errno);
        }
    }
    if (std::rename(draft.c_str(), file.c_str()) != 0 ||
        !core::sync_folder(core::folder_of(file))) {
        return not_written(file, errno);
    }
    return {};
}

Result<void> save_group(const std::string& file, const PinnedGroup& pinned) {
    return save_file(file, write_group(pinned));
}

}  // namespace pgveil::custody
