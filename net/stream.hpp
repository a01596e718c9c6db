#pragma once

#include "net/buffer.hpp"
#include "net/loop.hpp"
#include "net/output_queue.hpp"
#include "net/socket.hpp"
#include "net/timer.hpp"
#include "net/tls_peer.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace pgveil::net {

class TlsContext;
class TlsSession;

struct ReadResult {
    std::size_t bytes = 0;  ///< added to the buffer; 0 is normal (part of a TLS record): wait again
    bool end = false;       ///< the peer has sent its last byte; `bytes` may still be > 0
};

/// One connection, TCP or TLS, non-blocking. Lives on one loop; used by at most one reading and one
/// writing coroutine. Owned by unique_ptr: its address is registered with the loop.
///
/// Reading:
///     co_await stream.readable();
///     const ReadResult result = stream.read_some(buffer);
/// One recv per wake-up; readable() does not suspend while input is known to be there, and lets
/// others run after a few rounds in a row.
///
/// Writing: `send` gives the kernel what it takes at once and keeps a copy of the rest; `queue`
/// only keeps (many small pieces), `flush` then sends. The rest leaves by itself when the socket
/// has room. Back-pressure is the caller's: `co_await stream.drained(limit)` before producing more.
///
/// Errors: every member that reads, writes or waits throws boost::system::system_error when the
/// network failed (reset, keepalive, TLS alert), when the deadline passed (timed_out) or when
/// close() was called (operation_aborted). After that only close() and the destructor make sense.
class Stream : private Watched {
public:
    /// Takes over a connected (or connecting) non-blocking socket and registers it. Sets
    /// TCP_NODELAY, keepalive (60 s, 4 probes, 15 s apart) and TCP_USER_TIMEOUT.
    Stream(Loop& loop, Socket socket);
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    Stream(Stream&&) = delete;
    Stream& operator=(Stream&&) = delete;
    ~Stream() override;

    Awaitable<void> readable();
    ReadResult read_some(Buffer& buffer);

    /// readable() would not wait: the last read has left something, as far as is known.
    bool is_input_ready() const noexcept;

    void queue(ByteView bytes);
    void flush();
    void send(ByteView bytes);
    void send(std::span<const ByteView> pieces);  ///< in one system call where that is possible

    /// Bytes kept because the kernel did not take them yet (or flush was not called).
    std::size_t pending_output() const noexcept;

    /// Flushes, then suspends until at most `limit` bytes are pending.
    Awaitable<void> drained(std::size_t limit = 0);

    /// Sends what is pending, then the end of our direction (TLS: close_notify). Reading goes on.
    Awaitable<void> finish_output();

    /// Closes at once; pending output is lost, waiting coroutines get operation_aborted.
    /// Idempotent.
    void close() noexcept;

    bool is_open() const noexcept { return socket_.is_open(); }

    /// How much silence before TCP asks whether the peer lives; 0: never. The wait then fails as
    /// with any lost network, after about twice the time.
    void set_keepalive(Duration silence) noexcept { socket_.set_keepalive(silence); }

    /// What reading, writing and waiting throw from now on; no error while the stream works.
    error_code failure() const noexcept { return current_failure(); }

    /// After a failure: takes what the peer had sent before it, which a failed write leaves unread.
    /// @return false when there is nothing more. Throws nothing of its own.
    bool read_rest(Buffer& buffer);

    /// For connect(): waits until a connecting socket is connected or has failed.
    Awaitable<error_code> connected();

    /// Every wait fails with timed_out once `from_now` has passed, until cleared or set anew.
    void set_deadline(Duration from_now);
    void clear_deadline() noexcept;

    /// First byte of the input without taking it (0x16 = a TLS handshake); nullopt at the end of
    /// input. Only before TLS.
    Awaitable<std::optional<std::uint8_t>> peek_first_byte();

    /// Runs the TLS handshake as server or client; afterwards everything goes through TLS.
    /// @param input the buffer this stream was read into: bytes left in it came in plain and are
    ///   refused (kBufferedPlaintext), never read as if they had been protected
    /// @param host what the peer's certificate must be for (verify-full); an IP address or a name
    /// @param context kept alive by the stream
    /// Obeys the deadline (kTimeout). Throws nothing of its own; after an error close the stream.
    Awaitable<Result<void>> upgrade_to_tls_server(
        std::shared_ptr<const TlsContext> context, const Buffer& input
    );
    Awaitable<Result<void>> upgrade_to_tls_client(
        std::shared_ptr<const TlsContext> context, std::string host, const Buffer& input
    );

    bool is_tls() const noexcept { return tls_ != nullptr; }

    /// A Unix socket: what it carries never leaves this machine.
    bool is_local() const noexcept { return socket_.is_local(); }

    /// Decrypted or encrypted bytes wait inside TLS.
    bool has_buffered_input() const noexcept;

    /// RFC 5929 tls-server-end-point of the server's certificate on this connection: on the server
    /// side of our own, on the client side of the peer's. Empty without TLS.
    ByteView server_end_point() const noexcept;

    /// RFC 9266 tls-exporter of this connection; nothing without TLS.
    std::optional<TlsExporter> tls_exporter() const;

    /// Server side: the client's certificate, whose chain was verified; nullopt if it has shown
    /// none or was not asked for one.
    std::optional<PeerCertificate> peer_certificate() const;

    /// ALPN protocol that was agreed, or empty. Direct TLS requires "postgresql".
    std::string_view application_protocol() const noexcept;

    std::string tls_version() const;                   ///< "TLSv1.3", for logs; empty without TLS
    const std::string& peer_address() const noexcept;  ///< "192.0.2.1:5432", for logs

    Loop& loop() const noexcept { return *loop_; }

private:
    void on_events(std::uint32_t events) override;
    Awaitable<void> wait_readable();
    Awaitable<void> wait_writable();
    Awaitable<Result<void>> upgrade(
        std::shared_ptr<const TlsContext> context, std::string host, const Buffer& input
    );
    Awaitable<Result<void>> handshake();
    Awaitable<void> finish_tls();
    ReadResult read_plain(Buffer& buffer);
    ReadResult read_tls(Buffer& buffer);
    std::size_t write_now(ByteView bytes);
    IoResult write_once(ByteView bytes);
    void write_pending();
    error_code current_failure() const noexcept;
    void throw_if_failed() const;
    void fail(error_code error) noexcept;
    void wake_all(error_code error) noexcept;

    Loop* loop_;
    Socket socket_;
    std::unique_ptr<TlsSession> tls_;
    OutputQueue output_;
    Waiter reader_;
    Waiter writer_;
    Timer deadline_;
    bool deadline_passed_ = false;
    error_code failure_;
    unsigned rounds_ = 0;  ///< reads in a row without suspending
};

}  // namespace pgveil::net
