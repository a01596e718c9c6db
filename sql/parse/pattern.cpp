#include "sql/parse/pattern.hpp"

#include "sql/parse/tokens.hpp"

#include <algorithm>
#include <iterator>

namespace pgveil::parse {

namespace {

/// Below 2^31 for certain.
constexpr std::size_t kDigitsMax = 9;

bool are_digits(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char letter) {
        return letter >= '0' && letter <= '9';
    });
}

/// `left` ends where `right` begins, and both together may be something else to some version of
/// PostgreSQL: 12ab, 1_000.
bool may_be_one(const Token& left, const Token& right) {
    const bool is_separate =
        right.kind == TokenKind::kOperator || right.kind == TokenKind::kPunctuation ||
        left.kind == TokenKind::kOperator || left.kind == TokenKind::kPunctuation;
    return left.end == right.begin && !is_separate;
}

bool is_plain_integer(const Tokens& tokens, std::size_t index) {
    const Token& token = tokens[index];
    return token.kind == TokenKind::kNumber && token.end - token.begin <= kDigitsMax &&
           are_digits(tokens.text_of(token)) &&
           (index == 0 || !may_be_one(tokens[index - 1], token)) &&
           (index + 1 == tokens.size() || !may_be_one(token, tokens[index + 1]));
}

bool is_string(const Tokens& tokens, std::size_t index) {
    return index < tokens.size() && tokens[index].kind == TokenKind::kString;
}

bool is_plain_string(const Tokens& tokens, std::size_t index) {
    if (!is_string(tokens, index) || !tokens[index].is_terminated) {
        return false;
    }
    const std::string_view written = tokens.text_of(tokens[index]);
    if (written.size() < 2 || !written.starts_with('\'') || !written.ends_with('\'')) {
        return false;
    }
    const std::string_view content = written.substr(1, written.size() - 2);
    const bool is_plain = std::all_of(content.begin(), content.end(), [](char letter) {
        return letter >= ' ' && letter <= '~' && letter != '\'' && letter != '\\';
    });
    return is_plain && !is_string(tokens, index + 1) &&
           (index == 0 ||
            (!is_string(tokens, index - 1) && !may_be_one(tokens[index - 1], tokens[index]))) &&
           (index + 1 == tokens.size() || !may_be_one(tokens[index], tokens[index + 1]));
}

}  // namespace

std::vector<Slot> slots_of(std::string_view text, bool standard_conforming_strings) {
    const Tokens tokens(text, standard_conforming_strings);
    std::vector<Slot> slots;
    for (std::size_t index = 0; index < tokens.size(); ++index) {
        const Token& token = tokens[index];
        if (is_plain_integer(tokens, index)) {
            slots.push_back({token.begin, token.end, Slot::Kind::kInteger});
        } else if (is_plain_string(tokens, index)) {
            slots.push_back({token.begin, token.end, Slot::Kind::kString});
        }
    }
    return slots;
}

std::string without_slots(std::string_view text, std::span<const Slot> slots) {
    std::string rest;
    rest.reserve(text.size() + slots.size());
    std::size_t copied = 0;
    for (const Slot& slot : slots) {
        rest.append(text.substr(copied, slot.begin - copied)).push_back('\0');
        if (slot.kind == Slot::Kind::kString) {
            rest.push_back('\'');
        }
        copied = slot.end;
    }
    return std::move(rest.append(text.substr(copied)));
}

std::optional<std::string> pattern_of(std::string_view text, std::span<const Slot> slots) {
    std::vector<Slot> integers;
    std::copy_if(slots.begin(), slots.end(), std::back_inserter(integers), [](const Slot& slot) {
        return slot.kind == Slot::Kind::kInteger;
    });
    return integers.empty() ? std::nullopt : std::optional(without_slots(text, integers));
}

std::optional<std::string> pattern_of(std::string_view text, bool standard_conforming_strings) {
    return pattern_of(text, slots_of(text, standard_conforming_strings));
}

}  // namespace pgveil::parse
