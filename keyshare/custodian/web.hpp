#pragma once

#include "keyshare/user/error.hpp"
#include "net/https_server.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pgveil::custodian {

/// What browsers get of a custodian beside its API: the files of a page, and leave for pages of
/// other custodians to ask (CORS, Fetch standard section 3.2).
///
/// A browser shows its user's certificate with every request, whatever page makes it. So a request
/// that could change something is refused when it says that it comes from a page of an origin that
/// is neither this custodian's own nor listed. Programs send no Origin and are not concerned.
/// Constant after load(): any thread.
class Web {
public:
    static constexpr std::size_t kFilesMax = 512;
    static constexpr std::size_t kBytesMax = std::size_t{16} << 20U;

    /// Reads the page's files into memory, once: what is changed in the folder counts from the next
    /// start. Links and hidden files are left out. No folder: no page.
    static user::Result<Web> load(const std::string& folder, std::vector<std::string> origins);

    /// The whole answer to a request for a file, a preflight of a listed origin, and a request of a
    /// page that may not ask. Nothing: the API's to answer.
    std::optional<net::HttpResponse> answer(const net::HttpsRequest& request) const;

    /// Adds what lets a page of a listed origin read the answer.
    void allow(const net::HttpsRequest& request, net::HttpResponse& response) const;

private:
    struct File {
        std::string type;
        std::string content;
    };

    explicit Web(std::vector<std::string> origins) : origins_(std::move(origins)) {}

    user::Result<void> read(const std::string& folder);
    bool is_listed(const net::HttpsRequest& request) const;

    std::map<std::string, File, std::less<>> files_;  ///< by path, "/style.css"
    std::vector<std::string> origins_;
};

}  // namespace pgveil::custodian
