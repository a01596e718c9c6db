#include "keyshare/custodian/web.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>
#include <utility>

namespace pgveil::custodian {
namespace {

constexpr unsigned kNoContent = 204;
constexpr unsigned kForbidden = 403;
constexpr std::string_view kIndex = "/index.html";

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kTypes{{
    {".html", "text/html; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".json", "application/json"},
}};

std::string type_of(const std::filesystem::path& path) {
    const std::string extension = path.extension().string();
    const auto* const found =
        std::ranges::find(kTypes, extension, [](const auto& type) { return type.first; });
    return std::string(found == kTypes.end() ? "text/plain; charset=utf-8" : found->second);
}

// What a request's path can be without being decoded.
bool is_plain(std::string_view path) {
    return std::ranges::all_of(path, [](char letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
               (letter >= '0' && letter <= '9') ||
               std::string_view("/._-").find(letter) != std::string_view::npos;
    });
}

bool is_reading(const net::HttpsRequest& request) {
    return request.head.method == "GET" || request.head.method == "HEAD";
}

std::string_view origin_of(const net::HttpsRequest& request) {
    return request.head.find("Origin").value_or(std::string_view());
}

bool is_own(const net::HttpsRequest& request) {
    constexpr std::string_view kScheme = "https://";
    const std::string_view origin = origin_of(request);
    const auto host = request.head.find("Host");
    return host.has_value() && origin.starts_with(kScheme) &&
           net::is_same_name(origin.substr(kScheme.size()), *host);
}

net::HttpResponse refusal_of_page() {
    net::HttpResponse out(
        kForbidden,
        R"({"error":{"code":"origin","message":"pages of this origin may not ask this custodian: )"
        R"(its administrator lists those that may in \"web\""}})"
        "\n"
    );
    out.content_type = "application/json";
    return out;
}

}  // namespace

user::Result<Web> Web::load(const std::string& folder, std::vector<std::string> origins) {
    Web out(std::move(origins));
    if (!folder.empty()) {
        if (auto done = out.read(folder); !done) {
            return done.error();
        }
    }
    return out;
}

user::Result<void> Web::read(const std::string& folder) {
    namespace fs = std::filesystem;
    std::error_code error;
    std::size_t bytes = 0;
    for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end;
         at.increment(error)) {
        if (at->symlink_status().type() != fs::file_type::regular) {
            continue;
        }
        const std::string path = "/" + at->path().lexically_relative(folder).generic_string();
        if (!is_plain(path) || path.find("/.") != std::string::npos) {
            continue;
        }
        std::ifstream stream(at->path(), std::ios::binary);
        std::string content{std::istreambuf_iterator<char>(stream), {}};
        bytes += content.size();
        if (!stream || files_.size() == kFilesMax || bytes > kBytesMax) {
            return user::unusable(
                "the page in " + folder + " cannot be served: " +
                (stream ? "it has more than 512 files or 16 MiB"
                        : path.substr(1) + " cannot be read")
            );
        }
        files_[path] = {type_of(at->path()), std::move(content)};
    }
    if (error || !files_.contains(kIndex)) {
        return user::unusable(
            "the page in " + folder + " cannot be served: " +
            (error ? error.message() : "it has no index.html; make it as docs/OPERATIONS.md says")
        );
    }
    return {};
}

bool Web::is_listed(const net::HttpsRequest& request) const {
    return std::ranges::find(origins_, origin_of(request)) != origins_.end();
}

std::optional<net::HttpResponse> Web::answer(const net::HttpsRequest& request) const {
    if (is_reading(request)) {
        const auto found = files_.find(request.path == "/" ? kIndex : request.path);
        if (found == files_.end()) {
            return std::nullopt;
        }
        net::HttpResponse out(200, found->second.content);
        out.content_type = found->second.type;
        // The page's own policy stands in it; what it cannot say there is that nobody may frame it.
        out.fields = {
            {"Content-Security-Policy", "frame-ancestors 'none'"},
            {"X-Content-Type-Options", "nosniff"},
            {"Referrer-Policy", "no-referrer"}};
        return out;
    }
    const bool may_ask = request.head.count("Origin") == 0 || is_own(request) || is_listed(request);
    if (!may_ask) {
        return refusal_of_page();
    }
    // Without a certificate: browsers show none before they know that they may ask.
    if (request.head.method == "OPTIONS" && is_listed(request) &&
        request.head.count("Access-Control-Request-Method") == 1) {
        net::HttpResponse out(kNoContent, "");
        out.fields = {
            {"Access-Control-Allow-Methods", "GET, POST"},
            {"Access-Control-Allow-Headers", "Content-Type"},
            {"Access-Control-Max-Age", "600"}};
        allow(request, out);
        return out;
    }
    return std::nullopt;
}

void Web::allow(const net::HttpsRequest& request, net::HttpResponse& response) const {
    if (origins_.empty()) {
        return;
    }
    response.fields.push_back({"Vary", "Origin"});
    if (is_listed(request)) {
        response.fields.push_back({"Access-Control-Allow-Origin", std::string(origin_of(request))});
        response.fields.push_back({"Access-Control-Allow-Credentials", "true"});
    }
}

}  // namespace pgveil::custodian
