#include "proxy/admin/console_command.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace pgveil::admin {

namespace {

constexpr std::array<std::pair<std::string_view, Topic>, 11> kTopics{{
    {"STATS", Topic::kStats},
    {"SESSIONS", Topic::kSessions},
    {"USERS", Topic::kUsers},
    {"COLUMNS", Topic::kColumns},
    {"KEYS", Topic::kKeys},
    {"CONFIG", Topic::kConfig},
    {"VERSION", Topic::kVersion},
    {"STATE", Topic::kState},
    {"AUDIT", Topic::kAudit},
    {"LOCKS", Topic::kLocks},
    {"HELP", Topic::kHelp},
}};

constexpr std::string_view kHint = "SHOW HELP lists the commands.";

CommandError invalid() {
    return {"42601", "invalid command of the admin console", std::string(kHint)};
}

bool is_blank(char letter) {
    return letter == ' ' || (letter >= '\t' && letter <= '\r');
}

char upper(char letter) {
    return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
}

char lower(char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

template <class Fold>
std::string folded(std::string_view word, Fold fold) {
    std::string result(word);
    std::transform(result.begin(), result.end(), result.begin(), fold);
    return result;
}

/// Bytes of other characters than ASCII belong to words, as in PostgreSQL's identifiers.
bool is_in_word(char letter) {
    const char up = upper(letter);
    return (up >= 'A' && up <= 'Z') || (up >= '0' && up <= '9') || up == '_' || up == '$' ||
           static_cast<unsigned char>(up) > 0x7F;
}

/// Takes a text apart from the left.
class Reader {
public:
    explicit Reader(std::string_view text) : rest_(text) {}

    std::string_view rest() const { return rest_; }

    /// In upper case; empty if something else comes.
    std::string word() { return folded(take_word(), upper); }

    /// If `sign` comes next.
    bool take(char sign) {
        skip_blanks();
        if (!rest_.starts_with(sign)) {
            return false;
        }
        rest_.remove_prefix(1);
        return true;
    }

    /// An identifier, folded unless quoted, or a text in single quotes.
    std::optional<std::string> name() {
        skip_blanks();
        if (rest_.starts_with('"') || rest_.starts_with('\'')) {
            return quoted(rest_.front());
        }
        const std::string_view word = take_word();
        return word.empty() ? std::nullopt : std::optional(folded(word, lower));
    }

    /// Nothing comes but semicolons.
    bool is_at_end() {
        while (take(';')) {
        }
        return rest_.empty();
    }

    void skip_blanks() {
        bool skipped = true;
        while (skipped) {
            const auto first = std::find_if_not(rest_.begin(), rest_.end(), is_blank);
            rest_.remove_prefix(static_cast<std::size_t>(first - rest_.begin()));
            skipped = skip_comment("--", "\n") || skip_comment("/*", "*/");
        }
    }

private:
    bool skip_comment(std::string_view opening, std::string_view closing) {
        if (!rest_.starts_with(opening)) {
            return false;
        }
        const std::size_t end = rest_.find(closing, opening.size());
        rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + closing.size());
        return true;
    }

    std::string_view take_word() {
        skip_blanks();
        const auto end = std::find_if_not(rest_.begin(), rest_.end(), is_in_word);
        const std::string_view word =
            rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
        rest_.remove_prefix(word.size());
        return word;
    }

    std::optional<std::string> quoted(char quote) {
        std::string name;
        for (std::size_t at = 1; at < rest_.size(); ++at) {
            if (rest_[at] != quote) {
                name += rest_[at];
            } else if (at + 1 < rest_.size() && rest_[at + 1] == quote) {
                name += rest_[++at];
            } else {
                rest_.remove_prefix(at + 1);
                return name.empty() ? std::nullopt : std::optional(std::move(name));
            }
        }
        return std::nullopt;
    }

    std::string_view rest_;
};

Result<Command> read_show(Reader& reader) {
    const std::string word = reader.word();
    const auto* const found = std::find_if(
        kTopics.begin(), kTopics.end(), [&word](const auto& entry) { return entry.first == word; }
    );
    if (found == kTopics.end() || !reader.is_at_end()) {
        return invalid();
    }
    return Command(Show{found->second});
}

/// "(DATABASE name)"; a statement may begin with a parenthesis, too.
Result<std::string> read_database(Reader& reader) {
    Reader ahead = reader;
    if (!ahead.take('(') || ahead.word() != "DATABASE") {
        return std::string();
    }
    auto name = ahead.name();
    if (!name || !ahead.take(')')) {
        return CommandError(
            "42601",
            "the database of EXPLAIN VEIL cannot be read",
            "Write EXPLAIN VEIL (DATABASE name) and the statement."
        );
    }
    reader = ahead;
    return *std::move(name);
}

Result<Command> read_explain(Reader& reader) {
    if (reader.word() != "VEIL") {
        return CommandError(
            "42601", "only EXPLAIN VEIL is understood here", "Write EXPLAIN VEIL and the statement."
        );
    }
    auto database = read_database(reader);
    if (!database.has_value()) {
        return database.error();
    }
    reader.skip_blanks();
    if (Reader(reader.rest()).is_at_end()) {
        return CommandError(
            "42601", "EXPLAIN VEIL has no statement", "Write EXPLAIN VEIL and the statement."
        );
    }
    return Command(Explain(std::string(reader.rest()), *std::move(database)));
}

Result<Command> read_shutdown(Reader& reader) {
    const std::string how = reader.word();
    if (!reader.is_at_end()) {
        return invalid();
    }
    if (how.empty()) {
        return Command(Action::kShutdown);
    }
    if (how == "WAIT_FOR_CLIENTS" || how == "WAIT_FOR_SERVERS") {
        return Command(Action::kDrain);
    }
    return invalid();
}

Result<Command> ended(Reader& reader, Action action) {
    return reader.is_at_end() ? Result<Command>(Command(action)) : Result<Command>(invalid());
}

/// UNLOCK, or UNLOCK USER name.
Result<Command> read_unlock(Reader& reader) {
    if (reader.is_at_end()) {
        return Command(Action::kUnlock);
    }
    if (reader.word() != "USER") {
        return invalid();
    }
    auto name = reader.name();
    return name && reader.is_at_end() ? Result<Command>(Command(UnlockUser{*std::move(name)}))
                                      : Result<Command>(invalid());
}

Result<Command> read_kill(Reader& reader) {
    auto session = reader.name();
    return session && reader.is_at_end() ? Result<Command>(Command(KillClient{*std::move(session)}))
                                         : Result<Command>(invalid());
}

}  // namespace

Result<Command> parse_command(std::string_view text) {
    Reader reader(text);
    if (reader.is_at_end()) {
        return Command(NoCommand{});
    }
    const std::string verb = reader.word();
    if (verb == "SHOW") {
        return read_show(reader);
    }
    if (verb == "EXPLAIN") {
        return read_explain(reader);
    }
    if (verb == "SHUTDOWN") {
        return read_shutdown(reader);
    }
    if (verb == "RELOAD") {
        return ended(reader, Action::kReload);
    }
    if (verb == "PAUSE") {
        return ended(reader, Action::kPause);
    }
    if (verb == "RESUME") {
        return ended(reader, Action::kResume);
    }
    if (verb == "LOCK") {
        return ended(reader, Action::kLock);
    }
    if (verb == "UNLOCK") {
        return read_unlock(reader);
    }
    if (verb == "KILL_CLIENT") {
        return read_kill(reader);
    }
    return invalid();
}

std::string_view name_of(Topic topic) {
    return std::find_if(
               kTopics.begin(),
               kTopics.end(),
               [topic](const auto& entry) { return entry.second == topic; }
    )->first;
}

std::string_view tag_of(const Command& command) {
    const auto* const action = std::get_if<Action>(&command);
    if (std::holds_alternative<UnlockUser>(command)) {
        return "UNLOCK USER";
    }
    if (std::holds_alternative<KillClient>(command)) {
        return "KILL_CLIENT";
    }
    if (action == nullptr) {
        return std::holds_alternative<Show>(command) ? "SHOW" : "EXPLAIN";
    }
    switch (*action) {
        case Action::kReload: return "RELOAD";
        case Action::kPause: return "PAUSE";
        case Action::kResume: return "RESUME";
        case Action::kLock: return "LOCK";
        case Action::kUnlock: return "UNLOCK";
        case Action::kDrain:
        case Action::kShutdown: break;
    }
    return "SHUTDOWN";
}

}  // namespace pgveil::admin
