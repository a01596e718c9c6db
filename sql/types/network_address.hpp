#pragma once

#include "keyshare/core/bytes.hpp"
#include "keyshare/core/secret.hpp"
#include "sql/types/codec.hpp"

#include <string_view>

// inet and cidr (PostgreSQL documentation section 8.9). The send form is family (2 for IPv4, 3 for
// IPv6), bits of the netmask, 1 for cidr or 0 for inet, size of the address, address.
namespace pgveil::types {

/// inet or cidr.
bool is_network(Kind kind);

/// inet_in and cidr_in: an IPv4 address may be short where a netmask (or, for cidr, its class)
/// completes it. Refused (kUnsupportedForm): cidr in hexadecimal, a point at the end.
Result<core::SecretBytes> network_from_text(Kind kind, std::string_view text);

/// inet_recv and cidr_recv. 08P01, 22P03.
Result<core::SecretBytes> network_from_binary(Kind kind, core::ByteView binary);

/// inet_out and cidr_out; `binary` is a send form, else 22P03.
Result<void> append_network(Kind kind, core::ByteView binary, TextSink& sink);

/// `binary`, a send form of one of the two, as `to`: cidr loses the bits right of the netmask.
core::SecretBytes network_as(Kind to, core::ByteView binary);

/// True if bits right of the netmask are set, which no cidr has.
bool has_host_bits(core::ByteView binary);

/// True if the output of inet leaves the netmask out, because it covers the whole address.
bool is_single_host(core::ByteView binary);

}  // namespace pgveil::types
