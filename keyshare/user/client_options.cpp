#include "keyshare/user/client_options.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace pgveil::user {

namespace {

/// Appends into a buffer that is large enough from the start, so that no copy is left behind.
class Writer {
public:
    explicit Writer(std::size_t size_max) : bytes_(size_max) {}

    void add(core::ByteView text) {
        std::ranges::copy(text, bytes_.reveal_mutable().subspan(size_).begin());
        size_ += text.size();
    }

    void add(std::string_view text) { add(core::as_bytes(text)); }

    void add_escaped(core::ByteView value) {
        for (const std::uint8_t byte : value) {
            if (needs_escape(byte)) {
                add("\\");
            }
            add(core::ByteView(&byte, 1));
        }
    }

    core::SecretBytes take() {
        bytes_.resize_down(size_);
        return std::move(bytes_);
    }

private:
    static bool needs_escape(std::uint8_t byte) {
        // What isspace() is in the server's "C" ctype, and the escape itself.
        return byte == ' ' || (byte >= '\t' && byte <= '\r') || byte == '\\';
    }

    core::SecretBytes bytes_;
    std::size_t size_ = 0;
};

std::string_view without_dangling_escape(std::string_view existing) {
    const std::size_t last = existing.find_last_not_of('\\');
    const std::size_t kept = last == std::string_view::npos ? 0 : last + 1;
    const std::size_t escapes = existing.size() - kept;
    return escapes % 2 == 1 ? existing.substr(0, existing.size() - 1) : existing;
}

}  // namespace

core::SecretBytes extended_options(std::string_view existing, const SessionShares& shares) {
    using Parameter = std::pair<std::string_view, core::ByteView>;
    const std::array parameters = {
        Parameter{"-c pgveil.user_id=", core::as_bytes(shares.user_id)},
        Parameter{"-c pgveil.user_token=", shares.token},
        Parameter{"-c pgveil.app_share=", shares.app_share},
    };
    std::size_t size_max = existing.size();
    for (const auto& [name, value] : parameters) {
        size_max += 1 + name.size() + 2 * value.size();
    }
    Writer options(size_max);
    options.add(without_dangling_escape(existing));
    std::string_view separator = existing.empty() ? "" : " ";
    for (const auto& [name, value] : parameters) {
        options.add(separator);
        options.add(name);
        options.add_escaped(value);
        separator = " ";
    }
    return options.take();
}

}  // namespace pgveil::user
