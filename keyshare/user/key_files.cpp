#include "keyshare/user/key_files.hpp"

#include "keyshare/share/app_share.hpp"
#include "keyshare/user/private_file.hpp"
#include "keyshare/user/user_file.hpp"

namespace pgveil::user {

namespace {

struct ReadUserFile {
    core::SecretBytes text;
    UserFile file;
};

Result<ReadUserFile> read_user_file(const std::string& path) {
    auto text = read_private_file(path, kUserFileSizeMax);
    if (!text) {
        return text.error();
    }
    auto file = UserFile::parse(text->reveal(), path);
    if (!file) {
        return file.error();
    }
    return ReadUserFile{*std::move(text), *std::move(file)};
}

}  // namespace

Result<share::UserKey> open_user_key(const std::string& path, const SecretSource& passphrase) {
    const auto read = read_user_file(path);
    if (!read) {
        return read.error();
    }
    if (!read->file.needs_passphrase()) {
        return read->file.open(nullptr);
    }
    const auto given = read_secret(passphrase, "passphrase of " + path, Asking::kKnown);
    if (!given) {
        return given.error();
    }
    return read->file.open(&*given);
}

Result<UserKeyLook> look_at_user_key(const std::string& path) {
    const auto read = read_user_file(path);
    if (!read) {
        return read.error();
    }
    return UserKeyLook{core::sha256(read->text.reveal()), read->file.needs_passphrase()};
}

Result<core::SecretBytes> read_app_share(
    const std::string& path, std::string_view tenant, std::string_view user_id
) {
    auto text = read_private_file(path, share::kShareTextSizeMax + 1);
    if (!text) {
        return text;
    }
    if (!text->empty() && text->reveal().back() == '\n') {
        text->resize_down(text->size() - 1);
    }
    const auto share = share::parse_app_share(text->reveal());
    if (!share) {
        return unusable(path + " holds no app share: " + share.error().message);
    }
    if (share->tenant != tenant || share->user_id != user_id) {
        return unusable(
            path + " is the app share of " + share->user_id + " (tenant " + share->tenant +
            "), but the key file is of " + std::string(user_id) + " (tenant " +
            std::string(tenant) + ")"
        );
    }
    return text;
}

}  // namespace pgveil::user
