#include "net/stream.hpp"

#include "net/tls_session.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <sys/epoll.h>
#include <utility>

namespace pgveil::net {

namespace {

namespace error = boost::asio::error;

using boost::system::system_error;

/// So many reads in a row before others get a turn: one busy peer must not hold up a worker.
constexpr unsigned kRoundsMax = 8;

/// The largest TLS record; a write takes at most one.
constexpr std::size_t kRecordSize = 16384;

Awaitable<void> ready_now() {
    co_return;
}

Awaitable<void> failed_now(error_code failure) {
    throw system_error(failure);
    co_return;
}

}  // namespace

Stream::Stream(Loop& loop, Socket socket)
    : loop_(&loop),
      socket_(std::move(socket)),
      output_(loop.buffers()),
      reader_(loop),
      writer_(loop),
      deadline_(loop, [this] {
          deadline_passed_ = true;
          wake_all(error::timed_out);
      }) {
    socket_.set_options();
    loop.watch(socket_.descriptor(), *this);
}

Stream::~Stream() {
    close();
}

void Stream::on_events(std::uint32_t events) {
    socket_.note_events(events);
    if (socket_.can_write()) {
        try {
            write_pending();
        } catch (const system_error&) {
            return;  // fail() has woken everybody with it
        }
        writer_.wake();
    }
    const bool input_may_go_on = tls_ && tls_->read_wants_write() && socket_.can_write();
    if (socket_.can_read() || input_may_go_on) {
        reader_.wake();
    }
}

bool Stream::is_input_ready() const noexcept {
    return socket_.can_read() || (tls_ && tls_->can_read());
}

Awaitable<void> Stream::wait_readable() {
    const error_code failure = current_failure();
    return failure ? failed_now(failure) : reader_.wait();
}

Awaitable<void> Stream::wait_writable() {
    const error_code failure = current_failure();
    return failure ? failed_now(failure) : writer_.wait();
}

Awaitable<void> Stream::readable() {
    if (const error_code failure = current_failure()) {
        return failed_now(failure);
    }
    if (!is_input_ready()) {
        rounds_ = 0;
        return reader_.wait();
    }
    if (++rounds_ < kRoundsMax) {
        return ready_now();
    }
    rounds_ = 0;
    return reader_.yield();
}

ReadResult Stream::read_some(Buffer& buffer) {
    throw_if_failed();
    const ReadResult result = tls_ ? read_tls(buffer) : read_plain(buffer);
    throw_if_failed();
    return result;
}

ReadResult Stream::read_plain(Buffer& buffer) {
    const IoResult result = socket_.receive(buffer.space());
    buffer.commit(result.bytes);
    if (result.status == IoStatus::kFailed) {
        fail(socket_.error());
    }
    return {.bytes = result.bytes, .end = result.status == IoStatus::kEnd};
}

/// Takes every record that one recv has brought.
ReadResult Stream::read_tls(Buffer& buffer) {
    ReadResult total;
    IoResult result;
    do {
        const std::span<std::uint8_t> space = buffer.space();
        if (space.empty()) {
            break;
        }
        result = tls_->read(space);
        buffer.commit(result.bytes);
        total.bytes += result.bytes;
    } while (result.status == IoStatus::kDone && tls_->can_read());
    if (result.status == IoStatus::kFailed) {
        fail(socket_.error() ? socket_.error() : tls_->error());
    }
    total.end = result.status == IoStatus::kEnd;
    return total;
}

bool Stream::read_rest(Buffer& buffer) {
    if (!socket_.is_open()) {
        return false;
    }
    socket_.note_events(EPOLLIN);  // that writing failed says nothing about what came before
    const std::span<std::uint8_t> space = buffer.space();
    if (space.empty()) {
        return false;
    }
    const IoResult result = tls_ ? tls_->read(space) : socket_.receive(space);
    buffer.commit(result.bytes);
    return result.bytes > 0;
}

void Stream::queue(ByteView bytes) {
    throw_if_failed();
    output_.append(bytes);
}

void Stream::flush() {
    throw_if_failed();
    write_pending();
}

void Stream::send(ByteView bytes) {
    flush();
    if (output_.empty()) {
        bytes = bytes.subspan(write_now(bytes));
    }
    output_.append(bytes);
}

void Stream::send(std::span<const ByteView> pieces) {
    flush();
    std::size_t sent = 0;
    if (output_.empty() && !tls_) {
        const IoResult result = socket_.send(pieces);
        sent = result.bytes;
        if (result.status == IoStatus::kFailed) {
            fail(socket_.error());
        }
    }
    for (const ByteView piece : pieces) {
        const std::size_t gone = std::min(sent, piece.size());
        output_.append(piece.subspan(gone));
        sent -= gone;
    }
    flush();
}

IoResult Stream::write_once(ByteView bytes) {
    if (!tls_) {
        return socket_.send(bytes);
    }
    return tls_->write(bytes.first(std::min(bytes.size(), kRecordSize)));
}

std::size_t Stream::write_now(ByteView bytes) {
    std::size_t written = 0;
    while (written < bytes.size()) {
        const IoResult result = write_once(bytes.subspan(written));
        if (result.status == IoStatus::kFailed) {
            fail(socket_.error() ? socket_.error() : tls_->error());
            throw_if_failed();
        }
        if (result.status != IoStatus::kDone) {
            break;
        }
        written += result.bytes;
    }
    return written;
}

void Stream::write_pending() {
    while (!output_.empty()) {
        const ByteView chunk = output_.front();
        const std::size_t written = write_now(chunk);
        if (written > 0) {
            output_.consume(written);
        }
        if (written < chunk.size()) {
            break;
        }
    }
}

std::size_t Stream::pending_output() const noexcept {
    return output_.size();
}

Awaitable<void> Stream::drained(std::size_t limit) {
    flush();
    while (output_.size() > limit) {
        co_await wait_writable();
    }
}

Awaitable<void> Stream::finish_output() {
    co_await drained(0);
    if (tls_) {
        co_await finish_tls();
    }
    socket_.shutdown_output();
}

Awaitable<void> Stream::finish_tls() {
    while (tls_->shutdown() == TlsStep::kWantWrite) {
        co_await wait_writable();
    }
}

void Stream::close() noexcept {
    if (!socket_.is_open()) {
        return;
    }
    if (tls_ && !failure_ && output_.empty()) {
        tls_->shutdown();
    }
    fail(error::operation_aborted);
    deadline_.clear();
    loop_->unwatch(socket_.descriptor(), *this);
    socket_.close();
}

Awaitable<error_code> Stream::connected() {
    if (!socket_.can_write()) {
        co_await wait_writable();
    }
    co_return socket_.take_connect_error();
}

void Stream::set_deadline(Duration from_now) {
    deadline_passed_ = false;
    deadline_.set(from_now);
}

void Stream::clear_deadline() noexcept {
    deadline_passed_ = false;
    deadline_.clear();
}

Awaitable<std::optional<std::uint8_t>> Stream::peek_first_byte() {
    std::uint8_t byte = 0;
    IoResult result = socket_.peek(std::span(&byte, 1));
    while (result.status == IoStatus::kBlocked) {
        co_await wait_readable();
        result = socket_.peek(std::span(&byte, 1));
    }
    if (result.status == IoStatus::kFailed) {
        fail(socket_.error());
        throw_if_failed();
    }
    co_return result.status == IoStatus::kDone ? std::optional(byte) : std::nullopt;
}

bool Stream::has_buffered_input() const noexcept {
    return tls_ && tls_->has_pending();
}

ByteView Stream::server_end_point() const noexcept {
    return tls_ ? tls_->server_end_point() : ByteView();
}

std::optional<TlsExporter> Stream::tls_exporter() const {
    return tls_ ? tls_->exporter() : std::nullopt;
}

std::optional<PeerCertificate> Stream::peer_certificate() const {
    return tls_ ? tls_->peer_certificate() : std::nullopt;
}

std::string_view Stream::application_protocol() const noexcept {
    return tls_ ? tls_->application_protocol() : std::string_view();
}

std::string Stream::tls_version() const {
    return tls_ ? tls_->version() : std::string();
}

const std::string& Stream::peer_address() const noexcept {
    return socket_.peer_address();
}

error_code Stream::current_failure() const noexcept {
    if (failure_) {
        return failure_;
    }
    return deadline_passed_ ? error_code(error::timed_out) : error_code();
}

void Stream::throw_if_failed() const {
    if (const error_code failure = current_failure()) {
        throw system_error(failure);
    }
}

void Stream::fail(error_code failure) noexcept {
    if (!failure_) {
        failure_ = failure;
    }
    output_.clear();
    wake_all(failure_);
}

void Stream::wake_all(error_code failure) noexcept {
    reader_.wake(failure);
    writer_.wake(failure);
}

}  // namespace pgveil::net
