#include "sql/analysis/analyzer.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace pgveil::analysis {

namespace {

constexpr std::array<std::pair<SessionParameter, std::string_view>, 3> kNames = {{
    {SessionParameter::kUserId, "pgveil.user_id"},
    {SessionParameter::kUserToken, "pgveil.user_token"},
    {SessionParameter::kAppShare, "pgveil.app_share"},
}};

/// As every way of setting a parameter folds its name: startup options read `-` as `_`.
std::string folded(std::string_view name) {
    std::string result(name);
    std::transform(result.begin(), result.end(), result.begin(), [](char letter) {
        const char lower =
            letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
        return lower == '-' ? '_' : lower;
    });
    return result;
}

}  // namespace

bool is_veil_parameter_name(std::string_view name) {
    const std::string folded_name = folded(name);
    return folded_name.starts_with("pgveil.") || folded_name.starts_with("pgveil_verified.");
}

std::optional<SessionParameter> session_parameter_of(std::string_view name) {
    const std::string folded_name = folded(name);
    for (const auto& [parameter, spelled] : kNames) {
        if (spelled == folded_name) {
            return parameter;
        }
    }
    return std::nullopt;
}

std::string_view name_of(SessionParameter parameter) {
    return kNames.at(static_cast<std::size_t>(parameter)).second;
}

}  // namespace pgveil::analysis
