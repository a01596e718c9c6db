#include "keyshare/user/fresh_token.hpp"

#include "keyshare/core/p256.hpp"
#include "keyshare/core/random.hpp"
#include "keyshare/share/token_key.hpp"
#include "keyshare/user/private_file.hpp"
#include "keyshare/user/proxy_connection.hpp"

#include <chrono>

namespace pgveil::user {

namespace {

constexpr std::size_t kStatementSizeMax = 16384;

Result<std::string> ask_proxy(const std::string& url) {
    if (url.starts_with("http://") || url.starts_with("https://")) {
        return unusable(
            "token keys over HTTP are not available in this version: give --from "
            "postgresql://USER@HOST:6543/DATABASE, or --statement FILE"
        );
    }
    if (!is_database_url(url)) {
        return unusable("--from wants postgresql://USER@HOST:6543/DATABASE, not what was given");
    }
    auto proxy = ProxyConnection::as_login(url);
    if (!proxy) {
        return proxy.error();
    }
    return proxy->call("token_key", {});
}

}  // namespace

Result<std::string> fetch_statement(const StatementSource& source) {
    if (!source.url.empty()) {
        return ask_proxy(source.url);
    }
    auto text = read_public_file(source.file, kStatementSizeMax);
    if (text && text->ends_with('\n')) {
        text->pop_back();
    }
    return text;
}

Result<core::SecretBytes> fresh_token(
    const share::UserKey& key,
    std::string_view statement,
    share::TokenTimes times,
    const share::TokenScope& scope
) {
    const core::VerifyingKey identity(key.proxy_identity);
    const std::int64_t skew_s =
        scope.challenge ? share::kUncertainClockSkewS : share::kStatementSkewS;
    const auto verified =
        share::verify_statement(statement, identity, key.tenant, times.now_s, skew_s);
    if (!verified) {
        return failed(
            "the token key is not that of the proxy this key file knows, so no token was made: " +
            verified.error().message
        );
    }
    auto token = share::make_token(key, verified->key, times, core::system_random(), scope);
    if (!token) {
        return failed("no token can be made: " + token.error().message);
    }
    return std::move(*token);
}

std::int64_t seconds_now() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

}  // namespace pgveil::user
