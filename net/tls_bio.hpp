#pragma once

#include "net/socket.hpp"

struct bio_st;

namespace pgveil::net {

/// A BIO that reads and writes a Socket and fails with "retry" where the socket would block. Does
/// not own the socket. nullptr when out of memory.
bio_st* new_socket_bio(Socket& socket);

}  // namespace pgveil::net
