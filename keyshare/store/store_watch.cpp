#include "keyshare/store/store_watch.hpp"

#include "keyshare/core/invariant.hpp"
#include "keyshare/store/postgresql_rows.hpp"

#include <algorithm>
#include <chrono>
#include <new>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

namespace pgveil::store {
namespace {

// Asked so often that one late answer does not make the proxy's knowledge too old.
constexpr std::uint32_t kLooksPerAge = 4;

}  // namespace

std::int64_t steady_ms() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

StoreWatch::StoreWatch(PostgresqlPlace place, Tasks tasks)
    : place_(std::move(place)), tasks_(std::move(tasks)), wake_(::eventfd(0, EFD_CLOEXEC)) {
    core::invariant(wake_ >= 0, "there is a descriptor to wake the watch of the store");
    thread_ = std::thread([this] { run(); });
}

StoreWatch::~StoreWatch() {
    is_ending_ = true;
    static_cast<void>(::eventfd_write(wake_, 1));
    thread_.join();
    ::close(wake_);
}

void StoreWatch::run() {
    while (!is_ending_) {
        std::string trouble;
        try {
            auto connection = Connection::open(place_);
            const auto watched =
                connection.has_value() ? watch(*connection) : Result<void>(connection.error());
            trouble = watched.has_value() ? std::string() : watched.error().message;
        } catch (const std::bad_alloc&) {
            trouble = "out of memory for secrets";
        }
        if (!trouble.empty()) {
            tasks_.trouble(std::move(trouble));
            pause();
        }
    }
}

/// Until the end, or an error.
Result<void> StoreWatch::watch(Connection& connection) {
    const auto listening = connection.run(std::string("LISTEN ") + kStoreChannel);
    if (!listening.has_value()) {
        return listening.error();
    }
    while (!is_ending_) {
        const auto looked = look(connection);
        if (!looked.has_value()) {
            return looked;
        }
        const auto waited = connection.wait(
            std::chrono::milliseconds(std::max(place_.max_age_ms / kLooksPerAge, 1U)), wake_
        );
        if (!waited.has_value()) {
            return waited;
        }
    }
    return {};
}

Result<void> StoreWatch::look(Connection& connection) {
    const std::int64_t at_ms = steady_ms();
    const auto found =
        connection.run("SELECT version FROM pgveil_store.sealed_row_1 WHERE tab = 'root'");
    if (!found.has_value()) {
        return found.error();
    }
    const std::int64_t version = found->rows() == 0 ? 0 : found->number(0, 0);
    std::string trouble = tasks_.look(static_cast<std::uint64_t>(version));
    if (trouble.empty()) {
        tasks_.seen(at_ms);
    }
    tasks_.trouble(std::move(trouble));
    return {};
}

void StoreWatch::pause() const {
    pollfd wake{wake_, POLLIN, 0};
    ::poll(&wake, 1, static_cast<int>(std::max(place_.max_age_ms / kLooksPerAge, 1U)));
}

}  // namespace pgveil::store
