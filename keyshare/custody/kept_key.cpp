#include "keyshare/custody/kept_key.hpp"

#include "keyshare/core/descriptor.hpp"
#include "keyshare/core/hkdf.hpp"
#include "keyshare/core/lp.hpp"
#include "keyshare/quorum/curve.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace pgveil::custody {
namespace {

constexpr std::string_view kSealFormat = "pgveil/1 custodians seal";
constexpr std::size_t kSealParts = 6;
constexpr std::size_t kSealSizeMax = 4096;

seal::Error trouble_with(const std::filesystem::path& path, std::string_view what, int error) {
    return {
        "sealed store key " + path.string() + " " + std::string(what) + ": " +
        std::generic_category().message(error)};
}

}  // namespace

core::Bytes header_of(const KeptKey& kept) {
    return core::length_prefixed(
        {core::as_bytes(kSealFormat),
         kept.store.store,
         core::big_endian64(kept.store.version),
         kept.group,
         quorum::compressed(kept.point)}
    );
}

core::Bytes to_bytes(const KeptKey& kept) {
    return core::length_prefixed(
        {core::as_bytes(kSealFormat),
         kept.store.store,
         core::big_endian64(kept.store.version),
         kept.group,
         quorum::compressed(kept.point),
         kept.sealed}
    );
}

std::optional<KeptKey> parse_kept_key(core::ByteView bytes) {
    StoreVersion store;
    core::Sha256Digest group{};
    const auto parts = core::split_length_prefixed(bytes, kSealParts);
    if (!parts.has_value() || core::as_text((*parts)[0]) != kSealFormat ||
        (*parts)[1].size() != store.store.size() || (*parts)[2].size() != sizeof(store.version) ||
        (*parts)[3].size() != group.size()) {
        return std::nullopt;
    }
    const auto point = quorum::decompressed((*parts)[4]);
    if (!point) {
        return std::nullopt;
    }
    std::ranges::copy((*parts)[1], store.store.begin());
    store.version = core::read_big_endian64((*parts)[2]);
    std::ranges::copy((*parts)[3], group.begin());
    return KeptKey{store, group, *point, core::to_bytes((*parts)[5])};
}

core::SecretBytes sealing_key(
    const KeptKey& kept, core::ByteView shared, core::ByteView beside_or_empty
) {
    const core::SecretBytes both = core::secret_length_prefixed({shared, beside_or_empty});
    return core::hkdf_sha256(both.reveal(), header_of(kept));
}

bool is_there(const std::filesystem::path& path) {
    return ::access(path.c_str(), F_OK) == 0;
}

seal::Result<KeptKey> read_kept_key(const std::filesystem::path& path) {
    const core::Descriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!file.is_open()) {
        return trouble_with(
            path, "cannot be opened: restore it from a backup, or order a new proxy", errno
        );
    }
    std::array<std::uint8_t, kSealSizeMax> room{};
    const ssize_t size = core::read_up_to(file, room);
    if (size < 0) {
        return trouble_with(path, "cannot be read", errno);
    }
    auto kept = parse_kept_key(core::ByteView(room).first(static_cast<std::size_t>(size)));
    if (!kept) {
        return seal::Error{
            "sealed store key " + path.string() +
            ": it is not one that the custodians seal of this version has made"};
    }
    return *std::move(kept);
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
            return trouble_with(draft, "cannot be written", error);
        }
    }
    return move_durably(draft, path);
}

seal::Result<void> move_durably(
    const std::filesystem::path& from, const std::filesystem::path& to
) {
    if (::rename(from.c_str(), to.c_str()) != 0) {
        return trouble_with(to, "cannot be replaced", errno);
    }
    return core::sync_folder(core::folder_of(to))
               ? seal::Result<void>()
               : trouble_with(to, "cannot be made durable", errno);
}

}  // namespace pgveil::custody
