#pragma once

#include "keyshare/core/bytes.hpp"
#include "proxy/wire/frontend.hpp"

namespace pgveil::relay {

/// The bytes of a bytea cell as the server sends it: binary, or text in either form of
/// bytea_output. A text that is neither gives some other bytes or none.
core::Bytes bytes_of_bytea(core::ByteView cell, wire::Format format);

/// The same of a text, in place of what `bytes` held.
void read_bytea(core::ByteView cell, core::Bytes& bytes);

}  // namespace pgveil::relay
