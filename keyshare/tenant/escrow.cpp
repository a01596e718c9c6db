#include "keyshare/tenant/escrow.hpp"

#include "keyshare/core/lp.hpp"
#include "keyshare/envelope/body.hpp"
#include "keyshare/envelope/chunks.hpp"
#include "keyshare/tenant/delivery.hpp"
#include "keyshare/tenant/home.hpp"
#include "keyshare/user/private_file.hpp"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <utility>

namespace pgveil::tenant {

namespace {

constexpr std::string_view kNoteTitle = "pgveil escrow note 1";
constexpr std::size_t kNoteParts = 8;
constexpr std::size_t kNoteSizeMax = std::size_t{64} * 1024;

class BytesIn final : public envelope::Source {
public:
    explicit BytesIn(core::ByteView bytes) : left_(bytes) {}

    Result<std::size_t> read(core::MutableByteView out) override {
        const std::size_t size = std::min(out.size(), left_.size());
        std::ranges::copy(left_.first(size), out.begin());
        left_ = left_.subspan(size);
        return size;
    }

private:
    core::ByteView left_;
};

/// The same of secret bytes, which leave no trace in registers.
class SecretIn final : public envelope::Source {
public:
    explicit SecretIn(core::ByteView bytes) : left_(bytes) {}

    Result<std::size_t> read(core::MutableByteView out) override {
        const std::size_t size = std::min(out.size(), left_.size());
        core::copy_secret(out.first(size), left_.first(size));
        left_ = left_.subspan(size);
        return size;
    }

private:
    core::ByteView left_;
};

class BytesOut final : public envelope::Sink {
public:
    explicit BytesOut(core::Bytes& bytes) : bytes_(bytes) {}

    Result<void> write(core::ByteView bytes) override {
        core::append(bytes_, bytes);
        return {};
    }

private:
    core::Bytes& bytes_;
};

class SecretOut final : public envelope::Sink {
public:
    explicit SecretOut(std::size_t room) { bytes_.reserve(room); }

    Result<void> write(core::ByteView bytes) override {
        bytes_.append(bytes);
        return {};
    }

    core::SecretBytes take() { return std::move(bytes_); }

private:
    core::SecretBytes bytes_;
};

Result<core::SecretBytes> content_of(const EscrowFile& escrow, const envelope::BodyKey& key) {
    BytesIn body(core::ByteView(escrow.bytes).subspan(escrow.header.bytes.size()));
    SecretOut content(escrow.content_size);
    if (auto opened = envelope::open_body(body, content, escrow.header, key); !opened) {
        return opened.error();
    }
    return content.take();
}

/// How much content a body of this size has; nothing if no body that a home is in has this size.
std::optional<std::size_t> content_size_of(std::size_t body) {
    const std::size_t chunks =
        body / envelope::kSealedChunkSize + (body % envelope::kSealedChunkSize == 0 ? 0 : 1);
    const std::size_t last = chunks == 0 ? 0 : body - (chunks - 1) * envelope::kSealedChunkSize;
    if (last <= core::kXaesTagSize) {
        return std::nullopt;
    }
    return body - chunks * core::kXaesTagSize;
}

std::string note_file(const std::string& directory) {
    return directory + "/escrow";
}

core::Bytes fields_of(const EscrowNote& note) {
    const auto at = core::big_endian64(static_cast<std::uint64_t>(note.made_at_s));
    return core::length_prefixed(
        {core::as_bytes(kNoteTitle),
         core::as_bytes(note.tenant),
         core::as_bytes(note.file),
         note.file_digest,
         note.state_digest,
         note.group_key.bytes(),
         at}
    );
}

std::optional<EscrowNote> parse_fields(const std::vector<core::ByteView>& parts) {
    const auto key = core::PublicPoint::parse(parts[5]);
    if (core::as_text(parts[0]) != kNoteTitle || parts[3].size() != core::kSha256Size ||
        parts[4].size() != core::kSha256Size || !key || parts[6].size() != sizeof(std::uint64_t)) {
        return std::nullopt;
    }
    EscrowNote note{
        .tenant = std::string(core::as_text(parts[1])),
        .file = std::string(core::as_text(parts[2])),
        .file_digest = {},
        .state_digest = {},
        .group_key = *key,
        .made_at_s = static_cast<std::int64_t>(core::read_big_endian64(parts[6]))};
    std::ranges::copy(parts[3], note.file_digest.begin());
    std::ranges::copy(parts[4], note.state_digest.begin());
    return note;
}

}  // namespace

Result<core::Bytes> seal_home(
    const HomeState& state,
    const core::PublicPoint& group_key,
    envelope::Policy policy,
    core::RandomSource& random
) {
    policy.purpose = kRecoverPurpose;
    const auto file = envelope::make_header(group_key, std::move(policy), random);
    if (!file) {
        return file.error();
    }
    const core::SecretBytes content = serialize(state);
    SecretIn from(content.reveal());
    core::Bytes bytes = file->header.bytes;
    BytesOut to(bytes);
    if (auto sealed = envelope::seal_body(from, to, *file); !sealed) {
        return sealed.error();
    }
    const auto escrow = parse_escrow(bytes);
    const auto read = escrow ? content_of(*escrow, file->body_key) : escrow.error();
    if (!read || !core::equal_in_constant_time(read->reveal(), content.reveal())) {
        return user::failed("the home does not read as it was sealed: is the memory in order?");
    }
    return bytes;
}

Result<EscrowFile> parse_escrow(core::Bytes bytes) {
    const auto size = envelope::header_size(bytes);
    if (!size) {
        return size.error();
    }
    auto header =
        envelope::parse_header(core::ByteView(bytes).first(std::min(*size, bytes.size())));
    if (!header) {
        return header.error();
    }
    if (header->policy.purpose != kRecoverPurpose) {
        return user::failed("this protected file is no home: its purpose is not \"recover\"");
    }
    const auto content_size = content_size_of(bytes.size() - *size);
    if (!content_size) {
        return user::failed("it was cut off: no last chunk has that length");
    }
    return EscrowFile{*std::move(header), std::move(bytes), *content_size};
}

Result<EscrowFile> read_escrow(const std::string& path) {
    const auto text = user::read_public_file(path, Home::kSizeMax);
    if (!text) {
        return text.error();
    }
    auto escrow = parse_escrow(core::to_bytes(core::as_bytes(*text)));
    if (!escrow) {
        return user::failed(path + ": " + escrow.error().message);
    }
    return escrow;
}

Result<HomeState> open_escrow(const EscrowFile& escrow, const envelope::BodyKey& key) {
    const auto content = content_of(escrow, key);
    return content ? parse_home_state(content->reveal()) : content.error();
}

core::Sha256Digest digest_of(const HomeState& state) {
    const core::SecretBytes content = serialize(state);
    const core::SecretBytes digest = core::secret_sha256(
        core::secret_length_prefixed({core::as_bytes("pgveil/1 escrowed home"), content.reveal()})
            .reveal()
    );
    core::Sha256Digest published{};
    std::ranges::copy(digest.reveal(), published.begin());
    return published;
}

EscrowNote note_on(
    const HomeState& state,
    const std::string& file,
    core::ByteView bytes,
    const core::PublicPoint& group_key,
    std::int64_t now_s
) {
    return {
        .tenant = state.tenant,
        .file = std::filesystem::absolute(file).lexically_normal().string(),
        .file_digest = core::sha256(bytes),
        .state_digest = digest_of(state),
        .group_key = group_key,
        .made_at_s = now_s};
}

core::Bytes sign_note(const EscrowNote& note, const core::SigningKey& key) {
    const core::Bytes fields = fields_of(note);
    core::Bytes bytes = fields;
    core::append(bytes, core::length_prefixed({key.sign(fields)}));
    return bytes;
}

Result<EscrowNote> parse_note(
    core::ByteView bytes, const core::VerifyingKey& key, const std::string& tenant
) {
    const user::Error foreign =
        user::failed("the note about the last escrow is not this home's: escrow it anew");
    const auto parts = core::split_length_prefixed(bytes, kNoteParts);
    auto note = parts ? parse_fields(*parts) : std::nullopt;
    if (!note || note->tenant != tenant || !key.verify(fields_of(*note), parts->back())) {
        return foreign;
    }
    return *std::move(note);
}

Result<void> save_note(
    const std::string& directory, const HomeState& state, const EscrowNote& note
) {
    return user::replace_private_file(
        note_file(directory), sign_note(note, state.identity.signing)
    );
}

Result<std::optional<EscrowNote>> read_note(const std::string& directory, const HomeState& state) {
    if (!user::exists(note_file(directory))) {
        return std::optional<EscrowNote>();
    }
    const auto bytes = user::read_private_file(note_file(directory), kNoteSizeMax);
    if (!bytes) {
        return bytes.error();
    }
    auto note = parse_note(bytes->reveal(), state.identity.signing.verifying_key(), state.tenant);
    if (!note) {
        return note.error();
    }
    return std::optional(*std::move(note));
}

std::string escrow_line(const std::string& directory, const HomeState& state) {
    const auto note = read_note(directory, state);
    if (!note) {
        return "escrow: " + note.error().message + "\n";
    }
    if (!note->has_value()) {
        return "escrow: none\n";
    }
    const EscrowNote& last = **note;
    const std::string fate =
        last.state_digest == digest_of(state)
            ? ", the home as it is"
            : ", STALE: the home has changed; run `pgveil-tenant escrow refresh FILE`";
    return "escrow: " + time_text(last.made_at_s) + " " + last.file + fate + "\n";
}

}  // namespace pgveil::tenant
