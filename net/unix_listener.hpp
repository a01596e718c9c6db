#pragma once

#include "net/error.hpp"
#include "net/socket.hpp"

#include <cstdint>
#include <string>
#include <sys/types.h>

namespace pgveil::net {

/// A listening Unix socket where PostgreSQL's clients look for it: DIRECTORY/.s.PGSQL.PORT. One
/// socket for all workers (SO_REUSEPORT does not spread connections over several): each gets a
/// descriptor of it by Listener::share. Owns the file, which goes with it unless somebody has
/// replaced it.
class UnixListener {
public:
    /// A file that nobody listens on any more is replaced.
    /// @param permissions of the file, e.g. 0777; connecting needs the right to write
    static Result<UnixListener> open(
        const std::string& directory, std::uint16_t port, ::mode_t permissions
    );

    UnixListener(const UnixListener&) = delete;
    UnixListener& operator=(const UnixListener&) = delete;
    UnixListener(UnixListener&& other) noexcept;
    UnixListener& operator=(UnixListener&&) = delete;
    ~UnixListener();

    /// For Listener::share.
    const Socket& socket() const noexcept { return socket_; }

    /// Gives our own descriptor up: the socket then lives as long as those that were shared.
    void release() noexcept { socket_.close(); }

    const std::string& path() const noexcept { return path_; }

private:
    UnixListener(Socket socket, std::string path);

    Socket socket_;
    std::string path_;
    ::dev_t device_ = 0;
    ::ino_t inode_ = 0;
};

}  // namespace pgveil::net
