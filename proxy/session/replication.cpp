#include "proxy/session/replication.hpp"

#include <algorithm>
#include <string>

namespace pgveil::session {

namespace {

/// What the server's parse_bool takes for no: `0`, and words that are unique as they are cut.
bool is_false(std::string_view value) {
    std::string word(value);
    std::transform(word.begin(), word.end(), word.begin(), [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
    });
    const auto is_cut_from = [&word](std::string_view whole, std::size_t least) {
        return word.size() >= least && whole.starts_with(word);
    };
    return word == "0" || is_cut_from("false", 1) || is_cut_from("no", 1) || is_cut_from("off", 2);
}

LoginError refused(std::string_view where) {
    LoginError error = refuse(
        "0A000",
        "replication connections through pgveil are not supported where its policy protects "
        "tables",
        "What they carry (base backups, WAL, publications) holds protected values of " +
            std::string(where) +
            " in their stored, encrypted form, which nothing at the other end could open."
    );
    error.hint = "Connect the replication client straight to the database server.";
    return error;
}

}  // namespace

Replication replication_of(std::string_view value) {
    if (value == "database") {
        return Replication::kLogical;
    }
    return is_false(value) ? Replication::kNone : Replication::kPhysical;
}

std::optional<LoginError> reason_against(
    Replication replication, std::string_view database, const config::Policy* policy
) {
    if (replication == Replication::kNone || (policy != nullptr && policy->is_empty())) {
        return std::nullopt;
    }
    if (replication == Replication::kPhysical || policy == nullptr) {
        return refused("every database");
    }
    if (policy->covers_database(database)) {
        return refused("this database");
    }
    return std::nullopt;
}

}  // namespace pgveil::session
