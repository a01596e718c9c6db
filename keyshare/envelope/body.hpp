#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/envelope/header.hpp"

#include <cstddef>
#include <cstdint>

namespace pgveil::envelope {

/// Where bytes come from: a file, a pipe, memory.
class Source {
public:
    Source() = default;
    virtual ~Source() = default;
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;
    Source(Source&&) = delete;
    Source& operator=(Source&&) = delete;

    /// Fills `out`; fewer bytes only where the source ends, none from then on.
    virtual Result<std::size_t> read(core::MutableByteView out) = 0;
};

/// Where bytes go.
class Sink {
public:
    Sink() = default;
    virtual ~Sink() = default;
    Sink(const Sink&) = delete;
    Sink& operator=(const Sink&) = delete;
    Sink(Sink&&) = delete;
    Sink& operator=(Sink&&) = delete;

    virtual Result<void> write(core::ByteView bytes) = 0;
};

/// Reads the header from the start of a file; the body is next in the source then.
Result<Header> read_header(Source& from);

/// Writes the body behind a header; returns how many bytes of content it has. Memory is three
/// chunks, whatever the size.
Result<std::uint64_t> seal_body(Source& from, Sink& to, const FreshFile& file);

/// Opens a body and writes its content, chunk by chunk: what is written was verified, but only the
/// end of the call without error says that it is all. An error names the chunk, counted from 1, and
/// says whether the file was cut off, goes on behind its end, or does not fit there.
Result<std::uint64_t> open_body(Source& from, Sink& to, const Header& header, const BodyKey& key);

}  // namespace pgveil::envelope
