#include "net/http_message.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/status.hpp>

#include <algorithm>
#include <array>

namespace pgveil::net {

namespace {

constexpr unsigned kMethodNotAllowed = 405;

constexpr std::array<std::string_view, 5> kHopByHop{
    "Connection", "Keep-Alive", "Proxy-Connection", "TE", "Upgrade"};

/// Without these the next hop would see another message than we did.
constexpr std::array<std::string_view, 3> kKept{"Host", "Content-Length", "Transfer-Encoding"};

template <class Names>
bool is_among(const Names& names, std::string_view name) {
    return std::ranges::any_of(names, [name](std::string_view each) {
        return is_same_name(each, name);
    });
}

std::vector<std::string> named_by_connection(const HttpFields& fields) {
    std::vector<std::string> names;
    for (const HttpField& field : fields) {
        if (is_same_name(field.name, "Connection")) {
            for (const auto& token : boost::beast::http::token_list(field.value)) {
                names.emplace_back(token.data(), token.size());
            }
        }
    }
    return names;
}

}  // namespace

std::string reason_phrase(unsigned status) {
    namespace http = boost::beast::http;
    const auto reason = http::obsolete_reason(http::int_to_status(status));
    return {reason.data(), reason.size()};
}

HttpResponse error_response(unsigned status) {
    return {status, reason_phrase(status) + "\n"};
}

std::string response_text(const HttpResponse& response, bool is_head, bool stays_open) {
    std::string text = "HTTP/1.1 " + std::to_string(response.status);
    text += " " + reason_phrase(response.status);
    text += "\r\nContent-Type: " + response.content_type;
    text += "\r\nContent-Length: " + std::to_string(response.body.size());
    const bool says_allow = std::ranges::any_of(response.fields, [](const HttpField& field) {
        return is_same_name(field.name, "Allow");
    });
    if (response.status == kMethodNotAllowed && !says_allow) {
        text += "\r\nAllow: GET, HEAD";
    }
    text += "\r\nCache-Control: no-store\r\nConnection: ";
    text += stays_open ? "keep-alive\r\n" : "close\r\n";
    text += field_lines(response.fields) + "\r\n";
    return is_head ? text : text + response.body;
}

ByteView bytes_of_text(std::string_view text) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): characters as bytes
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

bool is_same_name(std::string_view left, std::string_view right) {
    return boost::beast::iequals({left.data(), left.size()}, {right.data(), right.size()});
}

std::size_t HttpRequest::count(std::string_view name) const {
    return static_cast<std::size_t>(std::ranges::count_if(fields, [name](const HttpField& field) {
        return is_same_name(field.name, name);
    }));
}

std::optional<std::string_view> HttpRequest::find(std::string_view name) const {
    const auto found = std::ranges::find_if(fields, [name](const HttpField& field) {
        return is_same_name(field.name, name);
    });
    return found == fields.end() ? std::nullopt : std::optional<std::string_view>(found->value);
}

bool may_be_repeated(const HttpRequest& request) {
    const bool is_safe =
        request.method == "GET" || request.method == "HEAD" || request.method == "OPTIONS";
    return is_safe && request.count("Content-Length") == 0 &&
           request.count("Transfer-Encoding") == 0 && request.count("Upgrade") == 0;
}

HttpFields end_to_end_fields(const HttpFields& fields) {
    const std::vector<std::string> named = named_by_connection(fields);
    HttpFields kept;
    for (const HttpField& field : fields) {
        const bool is_dropped = is_among(kHopByHop, field.name) || is_among(named, field.name);
        if (!is_dropped || is_among(kKept, field.name)) {
            kept.push_back(field);
        }
    }
    return kept;
}

std::string field_lines(const HttpFields& fields) {
    std::string text;
    for (const HttpField& field : fields) {
        text += field.name + ": " + field.value + "\r\n";
    }
    return text;
}

void replace_origin(std::string& url, std::string_view from, std::string_view to) {
    const bool begins_so = std::string_view(url).starts_with(from);
    const bool ends_there =
        begins_so && (url.size() == from.size() ||
                      std::string_view("/?#").find(url[from.size()]) != std::string_view::npos);
    if (ends_there) {
        url.replace(0, from.size(), to);
    }
}

}  // namespace pgveil::net
