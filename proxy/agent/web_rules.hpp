#pragma once

#include "net/http_message.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::agent {

/// Which requests of a browser on this machine may use its user's key. Pure.
///
/// Any page that the browser shows can make it send requests to a port of this machine. So a
/// request must say that it comes from a page of the application as the agent shows it, or from the
/// user's own hand: by Host (against DNS names that are made to point here), by Origin, and by
/// Sec-Fetch-Site (Fetch Metadata Request Headers, W3C), of which one of the last two has to be
/// there.
class WebRules {
public:
    /// @param host the address that the agent listens on: 127.0.0.1 or ::1
    WebRules(std::string_view host, std::uint16_t port);

    /// An answer 421 or 403 that says why, or nothing: it may pass.
    std::optional<net::HttpResponse> refusal_of(const net::HttpRequest& request) const;

    /// Takes every field away that could be read as one of the user's shares; some applications
    /// take an underscore for a hyphen.
    static void strip_shares(net::HttpFields& fields);

private:
    std::vector<std::string> authorities_;  ///< by which a browser may call us
};

}  // namespace pgveil::agent
