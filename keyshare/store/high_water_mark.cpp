#include "keyshare/store/high_water_mark.hpp"

#include "keyshare/core/digest_signature.hpp"
#include "keyshare/share/binary_fields.hpp"
#include "keyshare/store/custody_impl.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace pgveil::store {
namespace {

constexpr std::string_view kCommandFormat = "pgveil/1 last command";
constexpr std::string_view kMarkFormat = "pgveil/1 high-water mark";
constexpr std::size_t kMarkMax = 4096;
constexpr std::string_view kWhatToDo =
    ". Nothing is served from it: bring the newer store back. If it is lost, stop all proxies and "
    "accept this one with `pgveil restore --accept-older` on each machine";

class MarkFile {
public:
    MarkFile(const std::filesystem::path& path, int flags)
        : descriptor_(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600)) {}

    MarkFile(const MarkFile&) = delete;
    MarkFile& operator=(const MarkFile&) = delete;
    MarkFile(MarkFile&&) = delete;
    MarkFile& operator=(MarkFile&&) = delete;

    ~MarkFile() {
        if (descriptor_ >= 0) {
            ::close(descriptor_);
        }
    }

    int descriptor() const { return descriptor_; }

private:
    int descriptor_;
};

Error failure(const std::filesystem::path& path, const std::string& what) {
    return Error{
        ErrorCode::kUnavailable,
        "the high-water mark " + path.string() + " cannot be " + what + ": " +
            std::generic_category().message(errno)};
}

Error older(std::string what) {
    return Error{ErrorCode::kBroken, std::move(what) + std::string(kWhatToDo)};
}

void put(share::FieldWriter& writer, const LastCommand& last) {
    writer.u64(last.sequence).bytes(last.hash).bytes(last.signature);
}

LastCommand get(share::FieldReader& reader) {
    LastCommand last;
    last.sequence = reader.u64();
    last.hash = reader.digest();
    last.signature = core::to_bytes(reader.bytes());
    return last;
}

std::string commands_missing(std::uint64_t found, std::uint64_t marked) {
    return "the share store was put back to an older state: the tenant's commands " +
           std::to_string(found + 1) + " to " + std::to_string(marked) +
           " are missing in it, which this proxy has seen, so that users who were withdrawn or "
           "changed by them could use their old shares again";
}

// The hash of the command that the store has carried out under this number.
Result<share::Digest> hash_in(
    const SealedStore& store, const HighWaterMark& found, std::uint64_t sequence
) {
    if (found.last && found.last->sequence == sequence) {
        return found.last->hash;
    }
    const auto bytes = store.read(receipt_row(sequence));
    const auto record = bytes.has_value() ? parse_receipt_record(bytes->reveal()) : bytes.error();
    return record.has_value() ? Result<share::Digest>(record->command_hash) : record.error();
}

}  // namespace

RowName last_command_row() {
    return {"custody", "last_command"};
}

core::SecretBytes serialize(const LastCommand& last) {
    share::FieldWriter writer(kCommandFormat);
    put(writer, last);
    return std::move(writer).finish();
}

Result<LastCommand> parse_last_command(core::ByteView bytes) {
    share::FieldReader reader(bytes, kCommandFormat);
    LastCommand last = get(reader);
    return reader.ok() ? Result<LastCommand>(std::move(last))
                       : broken_store("holds a last command that cannot be read");
}

core::Bytes serialize(const HighWaterMark& mark) {
    share::FieldWriter writer(kMarkFormat);
    writer.bytes(mark.identity).u64(mark.store_version).u32(mark.last ? 1 : 0);
    if (mark.last) {
        put(writer, *mark.last);
    }
    return core::to_bytes(std::move(writer).finish().reveal());
}

Result<HighWaterMark> parse_high_water_mark(core::ByteView bytes) {
    share::FieldReader reader(bytes, kMarkFormat);
    HighWaterMark mark;
    mark.identity = reader.digest();
    mark.store_version = reader.u64();
    const std::uint32_t count = reader.u32();
    if (count == 1) {
        mark.last = get(reader);
    }
    return reader.ok() && count <= 1
               ? Result<HighWaterMark>(std::move(mark))
               : Error{ErrorCode::kBroken, "it is not a high-water mark of this program"};
}

Result<std::optional<HighWaterMark>> read_high_water_mark(const std::filesystem::path& path) {
    const MarkFile file(path, O_RDONLY);
    if (file.descriptor() < 0) {
        return errno == ENOENT ? Result<std::optional<HighWaterMark>>(std::nullopt)
                               : failure(path, "opened");
    }
    core::Bytes bytes(kMarkMax);
    const ssize_t got = ::read(file.descriptor(), bytes.data(), bytes.size());
    if (got < 0) {
        return failure(path, "read");
    }
    auto mark = parse_high_water_mark(core::ByteView(bytes).first(static_cast<std::size_t>(got)));
    if (!mark.has_value()) {
        return Error{
            ErrorCode::kBroken,
            "the high-water mark " + path.string() +
                " was damaged or altered: " + mark.error().message +
                "; compare the share store's version with that of another "
                "proxy (SHOW STATE), then accept it with `pgveil restore --accept-older`"};
    }
    return std::optional(*std::move(mark));
}

Result<void> write_high_water_mark(const std::filesystem::path& path, const HighWaterMark& mark) {
    const core::Bytes bytes = serialize(mark);
    const std::filesystem::path draft = path.string() + ".new";
    ::unlink(draft.c_str());
    {
        const MarkFile file(draft, O_WRONLY | O_CREAT | O_EXCL);
        const auto size = static_cast<ssize_t>(bytes.size());
        if (file.descriptor() < 0 ||
            ::write(file.descriptor(), bytes.data(), bytes.size()) != size ||
            ::fsync(file.descriptor()) != 0) {
            return failure(path, "written");
        }
    }
    if (::rename(draft.c_str(), path.c_str()) != 0) {
        return failure(path, "written");
    }
    const std::filesystem::path parent = path.parent_path();
    const MarkFile folder(parent.empty() ? "." : parent, O_RDONLY | O_DIRECTORY);
    return folder.descriptor() >= 0 && ::fsync(folder.descriptor()) == 0
               ? Result<void>()
               : failure(path, "synced to disk");
}

Result<HighWaterMark> mark_of(const SealedStore& store, const share::Digest& identity) {
    HighWaterMark mark;
    mark.identity = identity;
    mark.store_version = store.version();
    if (store.contains(last_command_row())) {
        const auto bytes = store.read(last_command_row());
        auto last = bytes.has_value() ? parse_last_command(bytes->reveal()) : bytes.error();
        if (!last.has_value()) {
            return last.error();
        }
        mark.last = *std::move(last);
    }
    return mark;
}

Result<void> check_against(
    const HighWaterMark& mark,
    const SealedStore& store,
    const HighWaterMark& found,
    const core::PublicPoint* tenant
) {
    if (mark.identity != found.identity) {
        return older(
            "the share store is not the one that this proxy has seen before: the identity key in "
            "it is another"
        );
    }
    if (mark.last) {
        const std::uint64_t present = found.last ? found.last->sequence : 0;
        if (present < mark.last->sequence) {
            return older(commands_missing(present, mark.last->sequence));
        }
        if (tenant == nullptr ||
            !core::verify_digest(*tenant, mark.last->hash, mark.last->signature)) {
            return older(
                "the high-water mark names a command that this store's tenant has not signed: the "
                "mark was altered, or the store is another tenant's"
            );
        }
        const auto hash = hash_in(store, found, mark.last->sequence);
        if (!hash.has_value()) {
            return hash.error();
        }
        if (*hash != mark.last->hash) {
            return older(
                "the share store is not the continuation of what this proxy has seen: command " +
                std::to_string(mark.last->sequence) + " of the tenant is another in it"
            );
        }
    }
    if (found.store_version < mark.store_version) {
        return older(
            "the share store was put back to an older state: it is at version " +
            std::to_string(found.store_version) + ", and this proxy has seen version " +
            std::to_string(mark.store_version) + "; no command of the tenant is missing in it"
        );
    }
    return {};
}

}  // namespace pgveil::store
