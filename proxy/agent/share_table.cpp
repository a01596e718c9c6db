#include "proxy/agent/share_table.hpp"

#include "keyshare/share/app_share.hpp"
#include "keyshare/share/token.hpp"
#include "keyshare/user/private_file.hpp"

#include <filesystem>
#include <system_error>
#include <utility>

namespace pgveil::agent {

namespace {

using user::Result;

constexpr std::string_view kEnding = ".app";

/// A user id that is a file's name. Others have no place in the table.
bool is_file_name(std::string_view user_id) {
    return !user_id.empty() && user_id.front() != '.' &&
           user_id.find('/') == std::string_view::npos;
}

Result<core::SecretBytes> read_share(const std::string& path) {
    auto text = user::read_private_file(path, share::kShareTextSizeMax + 1);
    if (text && !text->empty() && text->reveal().back() == '\n') {
        text->resize_down(text->size() - 1);
    }
    return text;
}

}  // namespace

Result<ShareTable> ShareTable::open(std::string directory) {
    if (auto made = user::make_private_directory(directory); !made) {
        return made.error();
    }
    ShareTable table(std::move(directory));
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator(table.directory_, failed)) {
        const std::string name = entry.path().filename().string();
        if (!name.ends_with(kEnding) || name.starts_with('.')) {
            continue;
        }
        auto text = read_share(entry.path().string());
        if (!text) {
            return text.error();
        }
        const auto share = share::parse_app_share(text->reveal());
        if (!share || share->user_id + std::string(kEnding) != name) {
            return user::unusable(
                entry.path().string() + " is not the app share of the user it is named after"
            );
        }
        table.shares_.insert_or_assign(share->user_id, std::move(*text));
    }
    if (failed) {
        return user::unusable(table.directory_ + " cannot be read: " + failed.message());
    }
    return table;
}

const core::SecretBytes* ShareTable::find(std::string_view user_id) const {
    const auto found = shares_.find(user_id);
    return found == shares_.end() ? nullptr : &found->second;
}

Result<void> ShareTable::keep(
    std::string_view tenant, std::string_view user_id, core::ByteView text
) {
    const auto share = share::parse_app_share(text);
    if (!share) {
        return user::failed("it is no app share: " + share.error().message);
    }
    if (share->tenant != tenant || share->user_id != user_id) {
        return user::failed(
            "it is the app share of " + share->user_id + " (tenant " + share->tenant + ")"
        );
    }
    if (!is_file_name(user_id)) {
        return user::failed("the user id cannot be the name of a file");
    }
    core::SecretBytes line = core::SecretBytes::copy_of(text);
    line.append(core::as_bytes("\n"));
    if (auto written = user::replace_private_file(path_of(user_id), line.reveal()); !written) {
        return written;
    }
    shares_.insert_or_assign(std::string(user_id), core::SecretBytes::copy_of(text));
    return {};
}

Result<void> ShareTable::forget(std::string_view user_id) {
    const auto found = shares_.find(user_id);
    if (found == shares_.end()) {
        return {};
    }
    std::error_code failed;
    std::filesystem::remove(path_of(user_id), failed);
    if (failed) {
        return user::failed(path_of(user_id) + " cannot be removed: " + failed.message());
    }
    shares_.erase(found);
    return {};
}

std::string ShareTable::path_of(std::string_view user_id) const {
    return directory_ + "/" + std::string(user_id) + std::string(kEnding);
}

}  // namespace pgveil::agent
