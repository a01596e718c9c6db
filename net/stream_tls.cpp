#include "net/stream.hpp"
#include "net/tls_context.hpp"
#include "net/tls_session.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <utility>

namespace pgveil::net {

namespace {

Error error_of(const boost::system::system_error& lost) {
    const error_code& code = lost.code();
    if (code == boost::asio::error::timed_out) {
        return {ErrorCode::kTimeout, "TLS handshake: not done in time"};
    }
    return {ErrorCode::kClosed, "TLS handshake: " + code.message()};
}

}  // namespace

Awaitable<Result<void>> Stream::upgrade_to_tls_server(
    std::shared_ptr<const TlsContext> context, const Buffer& input
) {
    return upgrade(std::move(context), {}, input);
}

Awaitable<Result<void>> Stream::upgrade_to_tls_client(
    std::shared_ptr<const TlsContext> context, std::string host, const Buffer& input
) {
    return upgrade(std::move(context), std::move(host), input);
}

Awaitable<Result<void>> Stream::upgrade(
    std::shared_ptr<const TlsContext> context, std::string host, const Buffer& input
) {
    if (!input.empty()) {
        Error refused(
            ErrorCode::kBufferedPlaintext, "TLS handshake: unprotected bytes arrived before it"
        );
        co_return refused;
    }
    auto session = TlsSession::create(std::move(context), socket_, host);
    if (!session.has_value()) {
        co_return session.error();
    }
    tls_ = *std::move(session);
    co_return co_await handshake();
}

Awaitable<Result<void>> Stream::handshake() {
    try {
        TlsStep step = tls_->handshake();
        while (step == TlsStep::kWantRead || step == TlsStep::kWantWrite) {
            if (step == TlsStep::kWantRead) {
                co_await wait_readable();
            } else {
                co_await wait_writable();
            }
            step = tls_->handshake();
        }
        if (step == TlsStep::kFailed) {
            co_return tls_->handshake_error();
        }
    } catch (const boost::system::system_error& lost) {
        co_return error_of(lost);
    }
    co_return Result<void>();
}

}  // namespace pgveil::net
