#pragma once

#include "keyshare/user/error.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace pgveil::tenant {

using user::Result;

/// The user ids of a text: one a line, blanks around it left out, empty lines and those that begin
/// with # skipped. Refuses what is no user id, and the same one twice, and says in which line;
/// `name` is what the text is called. Pure.
Result<std::vector<std::string>> read_user_list(const std::string& text, const std::string& name);

/// Bytes of secret memory that the shares of the users of a file take, as far as its lines tell;
/// 0 if it cannot be read.
std::size_t room_for_users(const std::string& file);

}  // namespace pgveil::tenant
