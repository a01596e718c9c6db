#pragma once

#include <cstdint>
#include <string>

namespace pgveil::session::testing_support {

/// A PostgreSQL server of its own for one test program: a fresh cluster in a temporary folder, on a
/// free loopback port, with TLS by certificates made here. As root it runs as user postgres, who
/// owns the folder. Stopped and removed by the destructor; ends the program when it cannot start.
///
/// Roles: `owner` (superuser, over the unix socket without a password), `nurse` with password
/// `pencil` by SCRAM, `old` with an md5 secret, `guest` trusted without a password.
class ThrowawayPostgres {
public:
    ThrowawayPostgres();
    ThrowawayPostgres(const ThrowawayPostgres&) = delete;
    ThrowawayPostgres& operator=(const ThrowawayPostgres&) = delete;
    ThrowawayPostgres(ThrowawayPostgres&&) = delete;
    ThrowawayPostgres& operator=(ThrowawayPostgres&&) = delete;
    ~ThrowawayPostgres();

    std::uint16_t port() const { return port_; }

    /// A file in the folder. `ca.crt` signed `server.crt` (the database server's) and `proxy.crt`
    /// with `proxy.key`, both for 127.0.0.1 and localhost; `other-ca.crt` signed neither.
    std::string file(const std::string& name) const { return folder_ + "/" + name; }

    /// Runs SQL as owner and returns the first cell (empty without a row).
    std::string sql(const std::string& text) const;

    /// The unix-socket directory.
    const std::string& folder() const { return folder_; }

private:
    void run(const std::string& command) const;
    void make_certificates() const;
    void make_cluster() const;
    std::string as_server(const std::string& command) const;

    std::string folder_;
    std::string programs_;
    std::uint16_t port_;
};

/// A loopback port nobody listens on at the moment.
std::uint16_t free_port();

}  // namespace pgveil::session::testing_support
