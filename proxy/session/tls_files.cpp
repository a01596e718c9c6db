#include "proxy/session/tls_files.hpp"

#include <array>
#include <sys/stat.h>

namespace pgveil::session {

namespace {

using boost::system::result;
using TlsPtr = std::shared_ptr<const net::TlsContext>;

result<TlsPtr, LoadError> listener_tls(const config::ListenSettings& listen) {
    if (listen.tls == config::ListenTls::kDisable) {
        return TlsPtr();
    }
    auto context = net::TlsContext::load_server(listen.certificate, listen.key, listen.client_ca);
    if (!context.has_value()) {
        return LoadError{context.error().message};
    }
    return TlsPtr(std::move(*context));
}

result<TlsPtr, LoadError> upstream_tls(const config::UpstreamSettings& upstream) {
    if (upstream.tls == config::UpstreamTls::kDisable) {
        return TlsPtr();
    }
    auto context = net::TlsContext::load_client(upstream.ca);
    if (!context.has_value()) {
        return LoadError{context.error().message};
    }
    return TlsPtr(std::move(*context));
}

}  // namespace

result<TlsOfBothLegs, LoadError> load_tls(const config::Settings& settings) {
    auto clients = listener_tls(settings.listen);
    if (!clients.has_value()) {
        return clients.error();
    }
    auto upstream = upstream_tls(settings.upstream);
    if (!upstream.has_value()) {
        return upstream.error();
    }
    return TlsOfBothLegs{std::move(*clients), std::move(*upstream)};
}

void use_tls(Snapshot& snapshot, const TlsOfBothLegs& tls) {
    snapshot.rules.tls = tls.clients;
    for (UpstreamTarget& target : snapshot.upstream.targets) {
        target.tls = tls.upstream;
    }
}

std::string look_of_tls_files(const config::Settings& settings) {
    const config::ListenSettings& listen = settings.listen;
    const std::array<const std::string*, 4> files = {
        &listen.certificate, &listen.key, &listen.client_ca, &settings.upstream.ca};
    std::string look;
    for (const std::string* const file : files) {
        struct stat facts {};

        if (::stat(file->c_str(), &facts) == 0) {
            look += std::to_string(facts.st_ino) + " " + std::to_string(facts.st_size) + " " +
                    std::to_string(facts.st_mtim.tv_sec) + "." +
                    std::to_string(facts.st_mtim.tv_nsec);
        }
        look += ";";
    }
    return look;
}

}  // namespace pgveil::session
