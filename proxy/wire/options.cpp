#include "proxy/wire/options.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>

namespace pgveil::wire {

namespace {

/// The server's getopt string (process_postgres_switches), apart.
constexpr std::string_view kWithArgument = "BCcDdfhkNprStvW-";
constexpr std::string_view kWithoutArgument = "bEeFijlnOPsT";

bool is_space(char letter) noexcept {
    return std::string_view(" \t\n\v\f\r").find(letter) != std::string_view::npos;
}

bool takes_argument(char letter) noexcept {
    return kWithArgument.find(letter) != std::string_view::npos;
}

bool stands_alone(char letter) noexcept {
    return kWithoutArgument.find(letter) != std::string_view::npos;
}

/// Takes one word from the front of `text`, which begins with no white space.
WipedText take_word(std::string_view& text) {
    WipedText word;
    bool escaped = false;
    std::size_t at = 0;
    for (; at < text.size() && (escaped || !is_space(text[at])); ++at) {
        const bool begins_escape = !escaped && text[at] == '\\';
        if (!begins_escape) {
            word.push_back(text[at]);
        }
        escaped = begins_escape;
    }
    text.remove_prefix(at);
    return word;
}

OptionSwitch with_argument(char letter, std::string_view argument) {
    OptionSwitch option;
    option.letter = letter;
    if (!option.sets_parameter()) {
        option.value = argument;
        option.has_value = true;
        return option;
    }
    const std::size_t equals = argument.find('=');
    option.name = argument.substr(0, equals);
    std::ranges::replace(option.name, '-', '_');
    option.has_value = equals != std::string_view::npos;
    if (option.has_value) {
        option.value = argument.substr(equals + 1);
    }
    return option;
}

/// getopt over the words of one command line.
class SwitchReader {
public:
    explicit SwitchReader(std::vector<WipedText> words) : words_(std::move(words)) {}

    Result<std::vector<OptionSwitch>> read() {
        while (next_ < words_.size()) {
            const std::string_view word = words_[next_++];
            if (word == "--") {
                break;
            }
            if (word.size() < 2 || word.front() != '-' || !read_cluster(word.substr(1))) {
                return DecodeError::kUnknownSwitch;
            }
        }
        if (next_ < words_.size()) {
            return DecodeError::kUnknownSwitch;
        }
        return std::move(switches_);
    }

private:
    bool read_cluster(std::string_view letters) {
        for (; !letters.empty() && stands_alone(letters.front()); letters.remove_prefix(1)) {
            OptionSwitch option;
            option.letter = letters.front();
            switches_.push_back(std::move(option));
        }
        return letters.empty() || read_with_argument(letters);
    }

    bool read_with_argument(std::string_view letters) {
        if (!takes_argument(letters.front())) {
            return false;
        }
        const std::optional<std::string_view> argument = argument_of(letters);
        if (!argument || argument->empty()) {
            return false;
        }
        switches_.push_back(with_argument(letters.front(), *argument));
        return true;
    }

    /// The rest of the word, else the next word.
    std::optional<std::string_view> argument_of(std::string_view letters) {
        if (letters.size() > 1) {
            return letters.substr(1);
        }
        if (next_ == words_.size()) {
            return std::nullopt;
        }
        return words_[next_++];
    }

    std::vector<WipedText> words_;
    std::size_t next_ = 0;
    std::vector<OptionSwitch> switches_;
};

void append_escaped(WipedText& text, std::string_view word) {
    for (const char letter : word) {
        if (letter == '\\' || is_space(letter)) {
            text.push_back('\\');
        }
        text.push_back(letter);
    }
}

void append_switch(WipedText& text, const OptionSwitch& option) {
    text += '-';
    text += option.sets_parameter() ? 'c' : option.letter;
    if (option.sets_parameter()) {
        text += ' ';
        append_escaped(text, option.name);
        text += option.has_value ? "=" : "";
        append_escaped(text, option.value);
    } else if (option.has_value) {
        text += ' ';
        append_escaped(text, option.value);
    }
}

}  // namespace

std::vector<WipedText> split_options(std::string_view options) {
    std::vector<WipedText> words;
    while (!options.empty()) {
        if (is_space(options.front())) {
            options.remove_prefix(1);
        } else {
            words.push_back(take_word(options));
        }
    }
    return words;
}

Result<std::vector<OptionSwitch>> parse_options(std::string_view options) {
    SwitchReader reader(split_options(options));
    return reader.read();
}

WipedText join_options(std::span<const OptionSwitch> switches) {
    WipedText text;
    for (const OptionSwitch& option : switches) {
        text += text.empty() ? "" : " ";
        append_switch(text, option);
    }
    return text;
}

}  // namespace pgveil::wire
