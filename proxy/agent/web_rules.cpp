#include "proxy/agent/web_rules.hpp"

#include <algorithm>

namespace pgveil::agent {

namespace {

constexpr unsigned kForbidden = 403;
constexpr unsigned kMisdirected = 421;
constexpr std::string_view kPrefix = "pgveil-";

net::HttpResponse forbidden(const std::string& why) {
    return {kForbidden, "pgveil-agent lends your key to your own requests only: " + why + "\n"};
}

bool is_share_field(std::string_view name) {
    std::string spelt(name.substr(0, kPrefix.size()));
    std::ranges::replace(spelt, '_', '-');
    return net::is_same_name(spelt, kPrefix);
}

}  // namespace

WebRules::WebRules(std::string_view host, std::uint16_t port) {
    const bool is_v6 = host.find(':') != std::string_view::npos;
    const std::string address = is_v6 ? "[" + std::string(host) + "]" : std::string(host);
    for (const std::string& name : {address, std::string("localhost")}) {
        authorities_.push_back(name + ":" + std::to_string(port));
    }
}

std::optional<net::HttpResponse> WebRules::refusal_of(const net::HttpRequest& request) const {
    const auto host = request.find("Host");
    const bool is_ours = host && std::ranges::find(authorities_, *host) != authorities_.end();
    if (!is_ours) {
        return net::HttpResponse(
            kMisdirected, "this is pgveil-agent; open http://" + authorities_.front() + "/\n"
        );
    }
    const auto origin = request.find("Origin");
    if (request.count("Origin") > 1 || (origin && *origin != "http://" + std::string(*host))) {
        return forbidden("this one comes from another page");
    }
    const auto site = request.find("Sec-Fetch-Site");
    if (!site && !origin) {
        return forbidden(
            "this one does not say where it comes from. Browsers since 2023 send Sec-Fetch-Site; "
            "a program may send \"Sec-Fetch-Site: none\""
        );
    }
    if (request.count("Sec-Fetch-Site") > 1 ||
        (site && *site != "same-origin" && *site != "none")) {
        return forbidden(
            "this one comes from another page. Type the address, or open it from a bookmark"
        );
    }
    return std::nullopt;
}

void WebRules::strip_shares(net::HttpFields& fields) {
    std::erase_if(fields, [](const net::HttpField& field) { return is_share_field(field.name); });
}

}  // namespace pgveil::agent
