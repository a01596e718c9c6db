#pragma once

#include "proxy/session/snapshot.hpp"

#include <string>

// The certificates, keys and authorities that a snapshot was made from.
namespace pgveil::session {

/// TLS as the files say now, for clients and for the upstream.
struct TlsOfBothLegs {
    std::shared_ptr<const net::TlsContext> clients;   ///< null: off
    std::shared_ptr<const net::TlsContext> upstream;  ///< null: off
};

/// The error names the file.
boost::system::result<TlsOfBothLegs, LoadError> load_tls(const config::Settings& settings);

void use_tls(Snapshot& snapshot, const TlsOfBothLegs& tls);

/// Another text whenever one of the files was written or replaced. Never fails: a file that is not
/// there has a look, too.
std::string look_of_tls_files(const config::Settings& settings);

}  // namespace pgveil::session
