#include "keyshare/tenant/user_list.hpp"

#include "keyshare/tenant/orders.hpp"

#include <fstream>
#include <set>
#include <sstream>

namespace pgveil::tenant {

namespace {

std::string without_blanks(const std::string& line) {
    const std::size_t begin = line.find_first_not_of(" \t\r");
    const std::size_t end = line.find_last_not_of(" \t\r");
    return begin == std::string::npos ? "" : line.substr(begin, end + 1 - begin);
}

}  // namespace

Result<std::vector<std::string>> read_user_list(const std::string& text, const std::string& name) {
    std::vector<std::string> user_ids;
    std::set<std::string> seen;
    std::istringstream lines(text);
    std::string line;
    for (std::size_t number = 1; std::getline(lines, line); ++number) {
        const std::string user_id = without_blanks(line);
        if (user_id.empty() || user_id.front() == '#') {
            continue;
        }
        const std::string place = name + ":" + std::to_string(number) + ": ";
        if (!is_user_id(user_id)) {
            return user::unusable(
                place + "no user id: it has 1 to 64 characters of A-Z a-z 0-9 . _ @ -"
            );
        }
        if (!seen.insert(user_id).second) {
            return user::unusable(place + user_id + " is listed twice: remove one");
        }
        user_ids.push_back(user_id);
    }
    return user_ids;
}

std::size_t room_for_users(const std::string& file) {
    constexpr std::size_t kUserSize = 1024;
    std::ifstream lines(file);
    std::string line;
    std::size_t count = 0;
    while (std::getline(lines, line)) {
        ++count;
    }
    return count * kUserSize;
}

}  // namespace pgveil::tenant
