#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/secret.hpp"
#include "sql/types/codec.hpp"

#include <string_view>
#include <utility>

namespace pgveil::types {

/// Text in secret memory.
class SecretSink : public TextSink {
public:
    void append(std::string_view text) override { bytes_.append(core::as_bytes(text)); }

    std::string_view text() const { return core::as_text(bytes_.reveal()); }

    core::SecretBytes take() { return std::move(bytes_); }

private:
    core::SecretBytes bytes_;
};

}  // namespace pgveil::types
