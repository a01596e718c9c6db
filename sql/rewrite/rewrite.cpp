#include "sql/rewrite/rewrite.hpp"

#include "keyshare/core/invariant.hpp"

#include <algorithm>

namespace pgveil::rewrite {

namespace {

bool begins_character(char letter) {
    return (static_cast<unsigned char>(letter) & 0xC0U) != 0x80U;
}

std::uint32_t characters_in(std::string_view text) {
    return static_cast<std::uint32_t>(std::count_if(text.begin(), text.end(), begins_character));
}

/// Characters that, side by side, would be read as one word, number or operator.
bool joins_words(char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '_' || letter == '$' || letter == '"' ||
           letter == '\'' || static_cast<unsigned char>(letter) >= 0x80U;
}

}  // namespace

/// Writes the new text from left to right and notes each stretch taken from the old one.
class TextBuilder {
public:
    explicit TextBuilder(std::string_view user_text) : user_text_(user_text) {}

    void copy_until(std::uint32_t end) {
        const std::string_view stretch = user_text_.substr(taken_, end - taken_);
        separate_from(stretch);
        const std::uint32_t length = characters_in(stretch);
        result_.map.runs_.push_back({user_characters_, text_characters_, length});
        result_.text.append(stretch);
        user_characters_ += length;
        text_characters_ += length;
        taken_ = end;
    }

    void replace_until(std::uint32_t end, std::string_view replacement) {
        user_characters_ += characters_in(user_text_.substr(taken_, end - taken_));
        taken_ = end;
        separate_from(replacement);
        result_.text.append(replacement);
        text_characters_ += characters_in(replacement);
    }

    Rewritten finish() {
        result_.map.user_length_ = user_characters_;
        return std::move(result_);
    }

private:
    /// At every border of a replacement, words must stay apart.
    void separate_from(std::string_view next) {
        if (!result_.text.empty() && !next.empty() && joins_words(result_.text.back()) &&
            joins_words(next.front())) {
            result_.text.push_back(' ');
            ++text_characters_;
        }
    }

    std::string_view user_text_;
    Rewritten result_;
    std::uint32_t taken_ = 0;
    std::uint32_t user_characters_ = 0;
    std::uint32_t text_characters_ = 0;
};

Rewritten apply(std::string_view user_text, std::span<const Replacement> replacements) {
    TextBuilder builder(user_text);
    std::uint32_t taken = 0;
    for (const Replacement& replacement : replacements) {
        core::invariant(
            taken <= replacement.begin && replacement.begin <= replacement.end &&
                replacement.end <= user_text.size(),
            "replacements are ordered, disjoint and inside the text"
        );
        builder.copy_until(replacement.begin);
        builder.replace_until(replacement.end, replacement.text);
        taken = replacement.end;
    }
    builder.copy_until(static_cast<std::uint32_t>(user_text.size()));
    return builder.finish();
}

std::uint32_t PositionMap::to_user(std::uint32_t server_position) const {
    if (server_position == 0 || runs_.empty()) {
        return server_position;
    }
    const std::uint32_t at = server_position - 1;
    const auto after =
        std::upper_bound(runs_.begin(), runs_.end(), at, [](std::uint32_t where, const Run& run) {
            return where < run.text_begin;
        });
    if (after == runs_.begin()) {
        return 1;
    }
    const Run& run = *(after - 1);
    const std::uint32_t inside = std::min(at - run.text_begin, run.length);
    return std::min(run.user_begin + inside, user_length_) + 1;
}

std::uint32_t character_position(std::string_view text, std::uint32_t byte_offset) {
    return characters_in(text.substr(0, byte_offset)) + 1;
}

}  // namespace pgveil::rewrite
