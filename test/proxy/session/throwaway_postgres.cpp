#include "test/proxy/session/throwaway_postgres.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <libpq-fe.h>
#include <memory>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace pgveil::session::testing_support {

namespace {

[[noreturn]] void give_up(const std::string& why) {
    static_cast<void>(std::fprintf(stderr, "throwaway PostgreSQL: %s\n", why.c_str()));
    std::abort();
}

/// PGVEIL_PG_BIN, or the newest of Debian's versions.
std::string find_programs() {
    if (const char* const given = std::getenv("PGVEIL_PG_BIN")) {
        return given;
    }
    std::vector<std::string> found;
    const std::filesystem::path root("/usr/lib/postgresql");
    if (std::filesystem::exists(root)) {
        for (const auto& version : std::filesystem::directory_iterator(root)) {
            if (std::filesystem::exists(version.path() / "bin" / "initdb")) {
                found.push_back(version.path() / "bin");
            }
        }
    }
    if (found.empty()) {
        give_up("no initdb under /usr/lib/postgresql; install postgresql or set PGVEIL_PG_BIN");
    }
    return *std::max_element(found.begin(), found.end());
}

std::string make_folder() {
    std::string pattern = "/tmp/pgveil-live-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) {
        give_up("cannot make a temporary folder");
    }
    return pattern;
}

}  // namespace

std::uint16_t free_port() {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(descriptor, generic, size) != 0 || ::getsockname(descriptor, generic, &size) != 0) {
        give_up("no free port");
    }
    ::close(descriptor);
    return ntohs(address.sin_port);
}

ThrowawayPostgres::ThrowawayPostgres()
    : folder_(make_folder()), programs_(find_programs()), port_(free_port()) {
    make_certificates();
    make_cluster();
    sql("CREATE ROLE nurse LOGIN PASSWORD 'pencil'");
    sql("CREATE ROLE guest LOGIN");
    sql("SET password_encryption = 'md5'; CREATE ROLE old LOGIN PASSWORD 'pencil'");
    sql("CREATE DATABASE clinic");
}

ThrowawayPostgres::~ThrowawayPostgres() {
    run(as_server(programs_ + "/pg_ctl -D cluster -m immediate -w stop"));
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

void ThrowawayPostgres::run(const std::string& command) const {
    const std::string whole = "cd " + folder_ + " && { " + command + "; } >>log 2>&1";
    if (std::system(whole.c_str()) != 0) {
        std::ifstream log(file("log"));
        const std::string text{std::istreambuf_iterator<char>(log), {}};
        give_up(command + " failed:\n" + text);
    }
}

std::string ThrowawayPostgres::as_server(const std::string& command) const {
    return ::geteuid() == 0 ? "runuser -u postgres -- " + command : command;
}

void ThrowawayPostgres::make_certificates() const {
    const std::string key = "openssl req -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 ";
    for (const char* const name : {"ca", "other-ca"}) {
        const std::string stem(name);
        run(key + "-x509 -days 2 -subj /CN=" + stem + " -keyout " + stem + ".key -out " + stem +
            ".crt");
    }
    std::ofstream(file("names.ext")) << "subjectAltName=DNS:localhost,IP:127.0.0.1\n";
    for (const char* const name : {"server", "proxy"}) {
        const std::string stem(name);
        run(key + "-subj /CN=" + stem + " -keyout " + stem + ".key -out " + stem + ".csr");
        run("openssl x509 -req -days 2 -in " + stem + ".csr -CA ca.crt -CAkey ca.key -set_serial " +
            std::to_string(stem.size()) + " -extfile names.ext -out " + stem + ".crt");
    }
    run("chmod 600 server.key proxy.key");
}

void ThrowawayPostgres::make_cluster() const {
    std::ofstream(file("hba.conf")) << "local all all trust\n"
                                       "host all old 127.0.0.1/32 md5\n"
                                       "host all guest 127.0.0.1/32 trust\n"
                                       "host all all 127.0.0.1/32 scram-sha-256\n";
    std::ofstream(file("extra.conf"))
        << "port = " << port_ << "\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '"
        << folder_ << "'\nssl = on\nssl_cert_file = '" << file("server.crt")
        << "'\nssl_key_file = '" << file("server.key") << "'\nhba_file = '" << file("hba.conf")
        << "'\nfsync = off\nmax_connections = 20\nshared_buffers = 8MB\n";
    if (::geteuid() == 0) {
        run("chown -R postgres: .");
    }
    run(as_server(programs_ + "/initdb -D cluster -U owner -A trust --no-sync"));
    run("cat extra.conf >>cluster/postgresql.conf");
    run(as_server(programs_ + "/pg_ctl -D cluster -l server.log -w start"));
}

std::string ThrowawayPostgres::sql(const std::string& text) const {
    const std::string where =
        "host=" + folder_ + " port=" + std::to_string(port_) + " user=owner dbname=postgres";
    const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(
        PQconnectdb(where.c_str()), PQfinish
    );
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(
        PQexec(connection.get(), text.c_str()), PQclear
    );
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        give_up(text + ": " + PQerrorMessage(connection.get()));
    }
    return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}

}  // namespace pgveil::session::testing_support
