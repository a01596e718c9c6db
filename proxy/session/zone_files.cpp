#include "proxy/session/zone_files.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

namespace pgveil::session {

namespace {

namespace fs = std::filesystem;

/// TZ_STRLEN_MAX of PostgreSQL.
constexpr std::size_t kNameMax = 255;

std::string in_lower_case(std::string_view name) {
    std::string lower(name);
    std::transform(lower.begin(), lower.end(), lower.begin(), [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
    });
    return lower;
}

bool is_tzif(std::istream& file) {
    std::array<char, 4> magic{};
    file.read(magic.data(), magic.size());
    return file.good() && std::string_view(magic.data(), magic.size()) == "TZif";
}

/// The whole database once more, with other rules for leap seconds.
bool is_another_copy(const std::string& name) {
    return name == "posix" || name == "right";
}

}  // namespace

ZoneFiles::ZoneFiles(std::string folder) : folder_(std::move(folder)) {
    for (const std::string_view name : {"UTC", "Etc/UTC", "GMT"}) {
        zones_.emplace(name, std::make_unique<types::TimeZone>(types::TimeZone::utc()));
        names_.emplace(in_lower_case(name), name);
    }
    index_folder();
}

/// A folder that is missing, or that cannot be read to its end, has fewer zones.
void ZoneFiles::index_folder() {
    std::error_code failed;
    fs::recursive_directory_iterator entry(folder_, failed);
    for (; !failed && entry != fs::recursive_directory_iterator(); entry.increment(failed)) {
        const std::string name = entry->path().lexically_relative(folder_).string();
        if (is_another_copy(name)) {
            entry.disable_recursion_pending();
            continue;
        }
        std::error_code unknown;
        if (!types::is_zone_name(name) || !entry->is_regular_file(unknown)) {
            continue;
        }
        std::ifstream file(entry->path(), std::ios::binary);
        if (is_tzif(file)) {
            names_.emplace(in_lower_case(name), name);
        }
    }
}

const types::TimeZone* ZoneFiles::find(std::string_view name) const {
    if (name.size() > kNameMax || !types::is_zone_name(name)) {
        return nullptr;
    }
    const types::TimeZone* const written = find_as_written(name);
    if (written != nullptr) {
        return written;
    }
    const auto other = names_.find(in_lower_case(name));
    return other != names_.end() && other->second != name ? find_as_written(other->second)
                                                          : nullptr;
}

const types::TimeZone* ZoneFiles::find_as_written(std::string_view name) const {
    const types::TimeZone* const zone = known(name);
    if (zone != nullptr) {
        return zone;
    }
    auto fresh = read(name);
    if (fresh == nullptr) {
        return nullptr;
    }
    const std::lock_guard lock(mutex_);
    return zones_.emplace(name, std::move(fresh)).first->second.get();
}

const types::TimeZone* ZoneFiles::known(std::string_view name) const {
    const std::lock_guard lock(mutex_);
    const auto found = zones_.find(name);
    return found == zones_.end() ? nullptr : found->second.get();
}

std::unique_ptr<const types::TimeZone> ZoneFiles::read(std::string_view name) const {
    std::ifstream file(folder_ + "/" + std::string(name), std::ios::binary);
    if (!is_tzif(file)) {
        return nullptr;
    }
    file.seekg(0);
    const std::vector<char> bytes(std::istreambuf_iterator<char>(file), {});
    const std::string_view text(bytes.data(), bytes.size());
    auto zone = types::TimeZone::parse_tzif(std::string(name), core::as_bytes(text));
    return zone.has_value() ? std::make_unique<const types::TimeZone>(std::move(*zone)) : nullptr;
}

}  // namespace pgveil::session
