#include "keyshare/tpm/key_file.hpp"

#include "keyshare/core/descriptor.hpp"
#include "keyshare/core/lp.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace pgveil::tpm {
namespace {

constexpr std::string_view kFormat = "pgveil/1 tpm seal";
constexpr std::size_t kParts = 6;
constexpr std::size_t kSizeMax = 4096;

seal::Error trouble(const std::filesystem::path& path, std::string_view what, int error) {
    return {
        "sealed store key " + path.string() + " " + std::string(what) + ": " +
        std::generic_category().message(error)};
}

}  // namespace

core::Bytes to_bytes(const KeptKey& kept) {
    return core::length_prefixed(
        {core::as_bytes(kFormat),
         kept.storage_root,
         core::big_endian32(kept.counter),
         core::big_endian64(kept.generation),
         kept.sealed.public_part,
         kept.sealed.private_part}
    );
}

seal::Result<KeptKey> parse_kept_key(core::ByteView bytes) {
    KeptKey kept;
    const auto parts = core::split_length_prefixed(bytes, kParts);
    if (!parts.has_value() || core::as_text((*parts)[0]) != kFormat ||
        (*parts)[1].size() != kept.storage_root.size() ||
        (*parts)[2].size() != sizeof(kept.counter) ||
        (*parts)[3].size() != sizeof(kept.generation)) {
        return seal::Error{"it is not one that the tpm seal of this version has made"};
    }
    std::ranges::copy((*parts)[1], kept.storage_root.begin());
    kept.counter = core::read_big_endian32((*parts)[2]);
    kept.generation = core::read_big_endian64((*parts)[3]);
    kept.sealed.public_part = core::to_bytes((*parts)[4]);
    kept.sealed.private_part = core::to_bytes((*parts)[5]);
    return kept;
}

seal::Result<KeptKey> read_kept_key(const std::filesystem::path& path) {
    const core::Descriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!file.is_open()) {
        return trouble(
            path, "cannot be opened: restore it from a backup, or order a new proxy", errno
        );
    }
    std::array<std::uint8_t, kSizeMax> room{};
    const ssize_t size = core::read_up_to(file, room);
    if (size < 0) {
        return trouble(path, "cannot be read", errno);
    }
    auto kept = parse_kept_key(core::ByteView(room).first(static_cast<std::size_t>(size)));
    if (!kept.has_value()) {
        return seal::Error{"sealed store key " + path.string() + ": " + kept.error().message};
    }
    return kept;
}

seal::Result<void> write_kept_key(const std::filesystem::path& path, const KeptKey& kept) {
    const std::filesystem::path draft = path.string() + ".new";
    ::unlink(draft.c_str());
    {
        const core::Descriptor file(::open(
            draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR
        ));
        const bool is_written = file.is_open() && core::write_all(file.get(), to_bytes(kept));
        if (!is_written || ::fsync(file.get()) != 0) {
            const int error = errno;
            ::unlink(draft.c_str());
            return trouble(draft, "cannot be written", error);
        }
    }
    return move_durably(draft, path);
}

seal::Result<void> move_durably(
    const std::filesystem::path& from, const std::filesystem::path& to
) {
    if (::rename(from.c_str(), to.c_str()) != 0) {
        return trouble(to, "cannot be replaced", errno);
    }
    return core::sync_folder(core::folder_of(to)) ? seal::Result<void>()
                                                  : trouble(to, "cannot be made durable", errno);
}

}  // namespace pgveil::tpm
