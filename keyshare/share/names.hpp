#pragma once

#include "keyshare/share/error.hpp"

#include <string_view>

namespace pgveil::share {

/// The largest user id and tenant name, in bytes.
inline constexpr std::size_t kNameSizeMax = 255;
/// The most key groups one share, token or keyring may name.
inline constexpr std::size_t kGroupsMax = 64;
/// The group of columns whose policy names none.
inline constexpr std::string_view kDefaultGroup = "default";

/// A key group's name: `[a-z][a-z0-9_]*`, at most 63 bytes.
bool is_group_name(std::string_view name);
/// A user id or tenant name: 1 to 255 bytes of UTF-8 without control characters.
bool is_plain_name(std::string_view name);

}  // namespace pgveil::share
