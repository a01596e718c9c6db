#pragma once

#include "proxy/session/snapshot.hpp"

#include <cstdint>
#include <string>

namespace pgveil::proxy {

/// Notices that certificates, keys or authorities of a running proxy were written anew, as those
/// who renew them do: without a word. Settings, policy and users wait for a reload. Main thread.
class CertificateWatch {
public:
    /// @param settings of which the files were just read
    explicit CertificateWatch(const config::Settings& settings);

    /// Often. The snapshot with the new files, if they have changed and not changed again since
    /// the look before; null: nothing to take up. Files that cannot be used are in the log, once.
    session::SnapshotPtr look(const session::Snapshot& running, std::int64_t now_s);

private:
    std::string taken_;  ///< look_of_tls_files() of what was read last
    std::string seen_;
    std::int64_t looked_s_ = 0;
};

}  // namespace pgveil::proxy
