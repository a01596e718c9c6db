#pragma once

#include "keyshare/envelope/body.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

namespace pgveil::envelope {

/// Bytes in memory as a file is read.
class MemorySource final : public Source {
public:
    explicit MemorySource(core::ByteView bytes) : left_(bytes) {}

    Result<std::size_t> read(core::MutableByteView out) override {
        const std::size_t size = std::min(out.size(), left_.size());
        std::ranges::copy(left_.first(size), out.begin());
        left_ = left_.subspan(size);
        return size;
    }

private:
    core::ByteView left_;
};

class MemorySink final : public Sink {
public:
    Result<void> write(core::ByteView bytes) override {
        core::append(bytes_, bytes);
        return {};
    }

    const core::Bytes& bytes() const { return bytes_; }

private:
    core::Bytes bytes_;
};

/// A group whose private key nobody split: the format does not care how the point is put together.
struct Group {
    core::Scalar key = core::generate_scalar();
    core::PublicPoint public_key = *core::PublicPoint::of_scalar(key);
};

inline core::Bytes sealed_to(
    const core::PublicPoint& public_key, core::ByteView content, const Policy& policy = {}
) {
    const auto file = make_header(public_key, policy, core::system_random());
    EXPECT_TRUE(file);
    MemorySource source(content);
    MemorySink sink;
    EXPECT_TRUE(seal_body(source, sink, *file));
    core::Bytes all = file->header.bytes;
    core::append(all, sink.bytes());
    return all;
}

/// What came of opening a file: the error, and all that was written until then.
struct Opened {
    std::string error;
    core::Bytes content;
};

inline Opened opened_by(const Group& group, core::ByteView file) {
    MemorySource source(file);
    const auto header = read_header(source);
    if (!header) {
        return {header.error().message, {}};
    }
    const auto shared = core::ecdh_x(group.key, header->point);
    const auto key = open_keys(*header, shared->reveal());
    if (!key) {
        return {key.error().message, {}};
    }
    MemorySink sink;
    const auto done = open_body(source, sink, *header, *key);
    return {done ? "" : done.error().message, sink.bytes()};
}

/// Content whose chunks all differ.
inline core::Bytes content_of(std::size_t size) {
    core::Bytes content(size);
    for (std::size_t at = 0; at < size; ++at) {
        content[at] = static_cast<std::uint8_t>(at * 31 + at / 65536 * 7);
    }
    return content;
}

}  // namespace pgveil::envelope
