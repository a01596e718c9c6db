#include "proxy/relay/session_parameters.hpp"

#include <algorithm>

namespace pgveil::relay {

using analysis::SessionParameter;

namespace {

std::size_t index_of(SessionParameter which) {
    return static_cast<std::size_t>(which);
}

}  // namespace

std::string SessionParameters::remember(
    SessionParameter which, core::ByteView value, bool from_startup
) {
    std::array<std::uint8_t, 16> bytes{};
    random_->fill(bytes);
    std::string handle = core::to_hex(bytes);
    values_.emplace(handle, Value{which, core::SecretBytes::copy_of(value), from_startup});
    touch();
    return handle;
}

void SessionParameters::read_back(const ShareHandles& handles, bool superseded_die) {
    current_ = handles;
    touched_ = false;
    if (!superseded_die) {
        return;
    }
    settled_ = true;
    std::erase_if(values_, [this](const auto& entry) {
        return !entry.second.from_startup &&
               std::find(current_.begin(), current_.end(), entry.first) == current_.end();
    });
}

const core::SecretBytes* SessionParameters::current(SessionParameter which) const {
    const auto found = values_.find(current_.at(index_of(which)));
    if (found == values_.end() || found->second.which != which || found->second.secret.empty()) {
        return nullptr;
    }
    return &found->second.secret;
}

std::string SessionParameters::shown(std::string_view handle) const {
    const auto found = values_.find(handle);
    if (found == values_.end()) {
        return {};
    }
    if (found->second.which != SessionParameter::kUserId) {
        return "(hidden)";
    }
    const core::ByteView bytes = found->second.secret.reveal();
    return {bytes.begin(), bytes.end()};
}

void SessionParameters::wipe_shares() {
    opened_token_.wipe();
    for (auto& [handle, value] : values_) {
        if (value.which != SessionParameter::kUserId) {
            value.secret.wipe();
        }
    }
}

}  // namespace pgveil::relay
