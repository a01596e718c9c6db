#include "proxy/agent/command_call.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace pgveil::agent {

namespace {

using Function = CommandCall::Function;

constexpr std::array<std::pair<std::string_view, Function>, 3> kFunctions{{
    {"add_user", Function::kAddUser},
    {"change_key", Function::kChangeKey},
    {"withdraw_user", Function::kWithdrawUser},
}};

char lower(char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

bool is_space(char letter) {
    return letter == ' ' || (letter >= '\t' && letter <= '\r');
}

/// Takes the text apart from its front; the first thing that does not fit stays.
class Reader {
public:
    explicit Reader(std::string_view text) : rest_(text) {}

    void skip_space() {
        for (;;) {
            while (!rest_.empty() && is_space(rest_.front())) {
                rest_.remove_prefix(1);
            }
            if (!rest_.starts_with("--")) {
                return;
            }
            rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
        }
    }

    bool take(std::string_view word) {
        skip_space();
        const bool fits =
            rest_.size() >= word.size() &&
            std::equal(word.begin(), word.end(), rest_.begin(), [](char left, char right) {
                return left == lower(right);
            });
        rest_.remove_prefix(fits ? word.size() : 0);
        return fits;
    }

    /// NULL: an empty text and `is_null`.
    bool take_constant(wire::WipedText& value, bool& is_null) {
        value.clear();
        is_null = take("null");
        if (is_null) {
            return true;
        }
        if (!take("'")) {
            return false;
        }
        while (!rest_.empty()) {
            const char letter = rest_.front();
            rest_.remove_prefix(1);
            if (letter == '\\') {
                return false;  // means one thing or another by standard_conforming_strings
            }
            if (letter == '\'') {
                if (!rest_.starts_with('\'')) {
                    return true;
                }
                rest_.remove_prefix(1);
            }
            value.push_back(letter);
        }
        return false;
    }

    bool is_at_end() {
        skip_space();
        return rest_.empty();
    }

private:
    std::string_view rest_;
};

bool names_one(std::string_view text) {
    const auto holds = [text](std::string_view word) {
        return std::search(
                   text.begin(),
                   text.end(),
                   word.begin(),
                   word.end(),
                   [](char left, char right) { return lower(left) == right; }
               ) != text.end();
    };
    return holds("pgveil") &&
           std::any_of(kFunctions.begin(), kFunctions.end(), [&](const auto& each) {
               return holds(each.first);
           });
}

std::optional<Function> take_function(Reader& reader) {
    if (!reader.take("select") || !reader.take("pgveil") || !reader.take(".")) {
        return std::nullopt;
    }
    for (const auto& [name, function] : kFunctions) {
        if (reader.take(name)) {
            return function;
        }
    }
    return std::nullopt;
}

void append_quoted(wire::WipedText& text, std::string_view value) {
    text.push_back('\'');
    for (const char letter : value) {
        text.append(letter == '\'' ? 2 : 1, letter);
    }
    text.push_back('\'');
}

void write_call(ReadCall& read) {
    const CommandCall& call = read.call;
    read.text = "SELECT pgveil.";
    for (const auto& [name, function] : kFunctions) {
        read.text.append(function == call.function ? name : std::string_view());
    }
    read.text.push_back('(');
    append_quoted(read.text, call.user_id);
    read.text.append(call.function == Function::kWithdrawUser ? ", " : ", NULL, ");
    append_quoted(read.text, call.commands);
    read.text.push_back(')');
}

bool read_into(ReadCall& read, std::string_view text) {
    Reader reader(text);
    const auto function = take_function(reader);
    if (!function) {
        return false;
    }
    CommandCall& call = read.call;
    call.function = *function;
    wire::WipedText value;
    bool is_null = false;
    if (!reader.take("(") || !reader.take_constant(value, is_null) || is_null ||
        !reader.take(",")) {
        return false;
    }
    call.user_id.assign(value.begin(), value.end());
    if (*function != Function::kWithdrawUser) {
        if (!reader.take_constant(value, is_null) || !reader.take(",")) {
            return false;
        }
        call.app_share = core::SecretBytes::copy_of(core::as_bytes(value));
    }
    if (!reader.take_constant(value, is_null) || is_null || !reader.take(")")) {
        return false;
    }
    call.commands.assign(value.begin(), value.end());
    reader.take(";");
    return reader.is_at_end();
}

}  // namespace

ReadCall read_command_call(std::string_view text) {
    ReadCall read;
    if (!names_one(text)) {
        return read;
    }
    read.reading = read_into(read, text) ? Reading::kCall : Reading::kUnclear;
    if (read.reading == Reading::kCall) {
        write_call(read);
    }
    return read;
}

}  // namespace pgveil::agent
