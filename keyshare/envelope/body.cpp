#include "keyshare/envelope/body.hpp"

#include "keyshare/core/secret.hpp"
#include "keyshare/envelope/chunks.hpp"

#include <array>
#include <string>
#include <utility>

namespace pgveil::envelope {

namespace {

using Place = Chunks::Place;

/// Reads pieces of one size and knows of each whether it is the last: it is one piece ahead.
class Pieces {
public:
    Pieces(Source& from, std::size_t size) : from_(from), now_(size), ahead_(size) {}

    Result<void> start() { return fill_ahead(); }

    /// The next piece; empty only if the source is. Its bytes stay until the next call.
    Result<core::ByteView> next() {
        std::swap(now_, ahead_);
        std::swap(now_size_, ahead_size_);
        ahead_size_ = 0;
        // A short piece was the end: a pipe is not asked a second time.
        if (now_size_ == now_.size()) {
            if (auto filled = fill_ahead(); !filled) {
                return filled.error();
            }
        }
        return now_.reveal().first(now_size_);
    }

    Place place() const { return ahead_size_ == 0 ? Place::kLast : Place::kMore; }

private:
    Result<void> fill_ahead() {
        const auto got = from_.read(ahead_.reveal_mutable());
        if (!got) {
            return got.error();
        }
        ahead_size_ = *got;
        return {};
    }

    Source& from_;
    core::SecretBytes now_, ahead_;
    std::size_t now_size_ = 0, ahead_size_ = 0;
};

/// What is wrong with a chunk that does not open where it stands.
class Diagnosis {
public:
    Diagnosis(Chunks& chunks, core::ByteView sealed, Place place)
        : chunks_(chunks), sealed_(sealed), place_(place) {}

    user::Error error(core::MutableByteView room) {
        const std::uint64_t number = chunks_.next();
        const std::string name = "chunk " + std::to_string(number + 1);
        const Place other = place_ == Place::kLast ? Place::kMore : Place::kLast;
        if (may_be_chunk() && chunks_.open(sealed_, other, room)) {
            return user::failed(
                place_ == Place::kLast
                    ? "the file was cut off behind " + name + ": what follows is missing"
                    : "the file goes on behind " + name +
                          ", which is its last: something was added to it"
            );
        }
        const std::string where = name + " (content from byte " +
                                  std::to_string(number * kChunkSize) + ") does not verify: ";
        return user::failed(
            sealed_.size() < kSealedChunkSize
                ? where + "the file was cut off there, or altered"
                : where + "it was altered, moved, or belongs to another file"
        );
    }

private:
    bool may_be_chunk() const {
        return sealed_.size() >= core::kXaesTagSize && chunks_.next() < kChunksMax;
    }

    Chunks& chunks_;
    core::ByteView sealed_;
    Place place_;
};

}  // namespace

Result<Header> read_header(Source& from) {
    core::Bytes bytes(kHeaderStartSize);
    const auto got = from.read(bytes);
    if (!got) {
        return got.error();
    }
    const auto size = header_size(core::ByteView(bytes).first(*got));
    if (!size) {
        return size.error();
    }
    bytes.resize(*size);
    const auto more = from.read(core::MutableByteView(bytes).subspan(kHeaderStartSize));
    if (!more) {
        return more.error();
    }
    return parse_header(core::ByteView(bytes).first(kHeaderStartSize + *more));
}

Result<std::uint64_t> seal_body(Source& from, Sink& to, const FreshFile& file) {
    Chunks chunks(file.body_key, file.header);
    Pieces pieces(from, kChunkSize);
    core::Bytes sealed(kSealedChunkSize);
    std::uint64_t size = 0;
    if (auto started = pieces.start(); !started) {
        return started.error();
    }
    for (Place place = Place::kMore; place == Place::kMore;) {
        const auto piece = pieces.next();
        if (!piece) {
            return piece.error();
        }
        if (chunks.next() == kChunksMax) {
            return user::failed("the content is larger than 256 TiB: split it");
        }
        place = pieces.place();
        const auto out = core::MutableByteView(sealed).first(piece->size() + core::kXaesTagSize);
        chunks.seal(*piece, place, out);
        if (auto written = to.write(out); !written) {
            return written.error();
        }
        size += piece->size();
    }
    return size;
}

Result<std::uint64_t> open_body(Source& from, Sink& to, const Header& header, const BodyKey& key) {
    Chunks chunks(key, header);
    Pieces pieces(from, kSealedChunkSize);
    core::SecretBytes content(kChunkSize);
    std::uint64_t size = 0;
    if (auto started = pieces.start(); !started) {
        return started.error();
    }
    for (Place place = Place::kMore; place == Place::kMore;) {
        const auto piece = pieces.next();
        if (!piece) {
            return piece.error();
        }
        place = pieces.place();
        // Only an empty content has an empty chunk: otherwise one content would have two forms.
        const std::size_t least = core::kXaesTagSize + (chunks.next() == 0 ? 0 : 1);
        const std::size_t room = piece->size() < least ? 0 : piece->size() - core::kXaesTagSize;
        const auto out = content.reveal_mutable().first(room);
        if (piece->size() < least || chunks.next() == kChunksMax ||
            !chunks.open(*piece, place, out)) {
            return Diagnosis(chunks, *piece, place).error(out);
        }
        if (auto written = to.write(out); !written) {
            return written.error();
        }
        size += out.size();
    }
    return size;
}

}  // namespace pgveil::envelope
