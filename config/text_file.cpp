#include "config/text_file.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

namespace pgveil::config {

namespace {

constexpr std::size_t kFileBytesMax = 16777216;

Error cannot_read(const std::string& path, const std::string& reason) {
    return {
        ErrorKind::kUnreadable,
        path + ": cannot be read: " + reason + "; check the path and its permissions"};
}

}  // namespace

Result<std::string> read_text_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        return cannot_read(path, std::generic_category().message(errno));
    }
    std::ostringstream content;
    content << file.rdbuf();
    // Inserting nothing sets failbit, for an empty file as for a folder.
    if (content.fail() && (file.bad() || std::filesystem::is_directory(path))) {
        return cannot_read(path, "it is not a readable file");
    }
    std::string text = std::move(content).str();
    if (text.size() > kFileBytesMax) {
        return cannot_read(path, "it is larger than 16 MiB");
    }
    return text;
}

}  // namespace pgveil::config
