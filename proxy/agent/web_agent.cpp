#include "proxy/agent/web_agent.hpp"

#include "keyshare/user/fresh_token.hpp"
#include "keyshare/user/key_files.hpp"
#include "proxy/agent/ending_signals.hpp"
#include "proxy/log/log.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <thread>
#include <utility>

namespace pgveil::agent {

namespace {

constexpr unsigned kUnauthorized = 401;
constexpr unsigned kNoToken = 503;
constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;

// What one client takes of the arena at most: libssl with one TLS leg about 16 KB, and a token.
constexpr std::size_t kWebBytesPerClient = 40960;
constexpr std::size_t kWebBytesShared = 2097152;

user::Error unusable_url(const std::string& url, const std::string& why) {
    return user::unusable("the application's URL " + url + " " + why);
}

bool is_this_machine(std::string_view host) {
    return host == "localhost" || host == "127.0.0.1" || host == "::1";
}

/// Takes the port off the end; false if there is a wrong one.
bool split_port(std::string_view& authority, std::uint16_t& port) {
    const std::size_t bracket = authority.find(']');
    const std::size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
    if (colon == std::string_view::npos) {
        return true;
    }
    const std::string_view digits = authority.substr(colon + 1);
    const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    authority = authority.substr(0, colon);
    return problem == std::errc() && end == digits.data() + digits.size() && port > 0;
}

bool is_visible_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char ch) { return ch > ' ' && ch < '\x7f'; });
}

net::ByteView text_bytes(std::string_view text) {
    return net::bytes_of_text(text);
}

}  // namespace

user::Result<net::HttpOrigin> parse_application(const std::string& url) {
    std::string_view rest = url;
    const bool is_https = rest.starts_with("https://");
    if (!is_https && !rest.starts_with("http://")) {
        return unusable_url(url, "does not begin with https:// or http://");
    }
    rest.remove_prefix(
        is_https ? std::string_view("https://").size() : std::string_view("http://").size()
    );
    rest = rest.substr(0, rest.size() - (rest.ends_with('/') ? 1 : 0));
    net::HttpOrigin origin;
    origin.authority = rest;
    origin.port = is_https ? kHttpsPort : kHttpPort;
    if (!split_port(rest, origin.port) || rest.empty() || !is_visible_ascii(rest) ||
        rest.find_first_of("/?#@\\") != std::string_view::npos) {
        return unusable_url(url, "is more or less than https://HOST or https://HOST:PORT");
    }
    const bool is_bracketed = rest.starts_with('[') && rest.ends_with(']');
    origin.host = is_bracketed ? rest.substr(1, rest.size() - 2) : rest;
    if (!is_https && !is_this_machine(origin.host)) {
        return unusable_url(
            url, "would carry tokens in the clear; give https://, or an application of this machine"
        );
    }
    return origin;
}

std::size_t WebAgent::arena_size() {
    return kWebBytesShared + kWebBytesPerClient * kClientsMax;
}

WebAgent::WebAgent(share::UserKey key, const WebArguments& arguments, net::HttpOrigin origin)
    : key_(std::move(key)),
      host_(arguments.host),
      port_(arguments.port),
      statement_(arguments.statement),
      origin_(std::move(origin)),
      rules_(host_, port_),
      tokens_(arguments.valid_s) {}

WebAgent::~WebAgent() = default;

net::Result<void> WebAgent::open() {
    net::HttpForwarder::Limits limits;
    limits.clients = kClientsMax;
    auto judge = [this](net::HttpRequest& request) {
        return this->judge(request);
    };
    auto opened = net::HttpForwarder::open(loop_, {host_, port_}, origin_, judge, limits);
    if (!opened.has_value()) {
        return opened.error();
    }
    forwarder_ = *std::move(opened);
    log::info(
        "http://{host}:{port}/ is {application}, with the shares of {user}",
        {{"host", host_}, {"port", port_}, {"application", origin_.text()}, {"user", key_.user_id}}
    );
    return {};
}

void WebAgent::run() {
    block_signals(ending_signals());
    const sigset_t signals = ending_signals();
    std::thread thread([this] { loop_.run(); });
    int signal = 0;
    sigwait(&signals, &signal);
    log::info("stopping");
    loop_.stop();
    thread.join();
}

net::Awaitable<net::HttpVerdict> WebAgent::judge(net::HttpRequest& request) {
    net::HttpVerdict verdict;
    verdict.refusal = rules_.refusal_of(request);
    if (verdict.refusal) {
        log::info("refused with {status}", {{"status", verdict.refusal->status}});
        co_return verdict;
    }
    WebRules::strip_shares(request.fields);
    const auto renewed = co_await renew();
    if (!renewed) {
        log::error("no token: {reason}", {{"reason", renewed.error().message}});
        verdict.refusal = net::HttpResponse(
            kNoToken, "pgveil-agent has no token for you: " + renewed.error().message + "\n"
        );
        co_return verdict;
    }
    verdict.more_fields = [this](net::Stream& application) {
        add_shares(application);
    };
    verdict.on_status = [this](unsigned status) {
        on_status(status);
    };
    co_return verdict;
}

/// A token with at least half of its time before it.
net::Awaitable<user::Result<void>> WebAgent::renew() {
    const std::int64_t now_s = user::seconds_now();
    if (now_s < renew_at_s_) {
        co_return user::Result<void>();
    }
    if (!tokens_.is_ready(key_, now_s)) {
        auto fetched = co_await net::http_get(loop_, origin_, statement_);
        if (!fetched.has_value()) {
            co_return user::failed(fetched.error().message);
        }
        std::string statement = *std::move(fetched);
        statement.erase(statement.find_last_not_of(" \r\n") + 1);
        if (const auto taken = tokens_.take(key_, statement, now_s); !taken) {
            co_return taken.error();
        }
        if (!tokens_.is_ready(key_, now_s)) {
            co_return user::failed("the application serves a token key that has ended");
        }
    }
    auto made = tokens_.make(key_, {}, now_s);
    if (!made) {
        co_return made.error();
    }
    token_ = std::move(*made);
    renew_at_s_ = now_s + tokens_.valid_s() / 2;
    co_return user::Result<void>();
}

void WebAgent::add_shares(net::Stream& application) const {
    application.queue(text_bytes("Pgveil-User: " + key_.user_id + "\r\nPgveil-User-Share: "));
    application.queue(token_.reveal());
    application.queue(text_bytes("\r\n"));
}

/// The proxy may have another token key than the one we know.
void WebAgent::on_status(unsigned status) {
    if (status == kUnauthorized) {
        tokens_.doubt(user::seconds_now());
        renew_at_s_ = 0;
    }
}

user::Result<void> serve_web(const WebArguments& arguments) {
    auto origin = parse_application(arguments.application);
    if (!origin) {
        return origin.error();
    }
    if (!arguments.statement.starts_with('/') || !is_visible_ascii(arguments.statement)) {
        return user::unusable("--statement wants a path of the application, such as /token-key");
    }
    if (arguments.application.starts_with("https://")) {
        auto tls = net::TlsContext::load_client(arguments.authority_file, "http/1.1");
        if (!tls.has_value()) {
            return user::unusable(tls.error().message);
        }
        origin->tls = std::move(*tls);
    }
    auto key = user::open_user_key(arguments.key_file, arguments.passphrase);
    if (!key) {
        return key.error();
    }
    if (!is_visible_ascii(key->user_id)) {
        return user::unusable("a header cannot carry the user id of " + arguments.key_file);
    }
    WebAgent agent(std::move(*key), arguments, std::move(*origin));
    if (const auto opened = agent.open(); !opened.has_value()) {
        return user::unusable(opened.error().message);
    }
    agent.run();
    return {};
}

}  // namespace pgveil::agent
