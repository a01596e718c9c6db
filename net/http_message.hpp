#pragma once

#include "net/buffer.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgveil::net {

/// One field line of a head.
struct HttpField {
    std::string name;
    std::string value;
};

using HttpFields = std::vector<HttpField>;

/// What one request gets. A body of text; HEAD gets its length only.
struct HttpResponse {
    HttpResponse() = default;

    HttpResponse(unsigned code, std::string text) : status(code), body(std::move(text)) {}

    unsigned status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body;
    HttpFields fields;  ///< beside Content-Type, Content-Length, Cache-Control and Connection
};

/// The whole answer as it goes out, on a connection that ends with it unless it `stays_open`.
std::string response_text(const HttpResponse& response, bool is_head, bool stays_open = false);

/// "Not Found" for 404.
std::string reason_phrase(unsigned status);

HttpResponse error_response(unsigned status);

ByteView bytes_of_text(std::string_view text);

/// Field names are compared without regard to case.
bool is_same_name(std::string_view left, std::string_view right);

/// The head of a request as it came.
struct HttpRequest {
    std::string method;
    std::string target;
    HttpFields fields;

    std::size_t count(std::string_view name) const;
    /// Of the first one.
    std::optional<std::string_view> find(std::string_view name) const;
};

/// Sent twice it does what it does once, and it has no body that could end elsewhere for another
/// reader: GET, HEAD or OPTIONS, no upgrade.
bool may_be_repeated(const HttpRequest& request);

/// The fields that go beyond the next hop (RFC 9110 section 7.6.1): without Connection and what it
/// names, Keep-Alive, Proxy-Connection, TE and Upgrade. What says where a body ends stays, because
/// bodies are passed on as they are framed; so do Host and whatever else a Connection field must
/// not take away.
HttpFields end_to_end_fields(const HttpFields& fields);

/// "Name: value\r\n" for each.
std::string field_lines(const HttpFields& fields);

/// Puts `to` in the place of `from` where a URL begins with it: up to its end, or a slash, question
/// mark or hash.
void replace_origin(std::string& url, std::string_view from, std::string_view to);

}  // namespace pgveil::net
