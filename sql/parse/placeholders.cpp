#include "sql/parse/placeholders.hpp"

#include "sql/parse/tokens.hpp"

#include <algorithm>
#include <charconv>

namespace pgveil::parse {

namespace {

constexpr std::size_t kReadBytesMax = 16384;
constexpr std::size_t kShownBytesMax = 1000;

/// Longer ones are cut by PostgreSQL, whatever they are.
constexpr std::size_t kNameBytesMax = 256;

constexpr std::string_view kHiddenName = "\"...\"";
constexpr std::string_view kUncertain =
    "(not shown: it depends on standard_conforming_strings where its constants end)";

bool same_tokens(const Tokens& left, const Tokens& right) {
    return std::equal(
        left.all().begin(),
        left.all().end(),
        right.all().begin(),
        right.all().end(),
        [](const Token& one, const Token& other) {
            return one.kind == other.kind && one.begin == other.begin && one.end == other.end;
        }
    );
}

bool is_name(const Token& token) {
    return token.kind == TokenKind::kIdentifier || token.kind == TokenKind::kQuotedIdentifier;
}

/// Writes the tokens of one text, one after the other.
class Writer {
public:
    explicit Writer(const Tokens& tokens) : tokens_(&tokens) {
        for (const Token& token : tokens.all()) {
            if (token.kind == TokenKind::kParameter) {
                last_parameter_ = std::max(last_parameter_, number_of(token));
            }
        }
    }

    std::string write() && {
        for (std::size_t index = 0; index < tokens_->size(); ++index) {
            follow(index);
            if (!append(index)) {
                return std::move(shown_) + " ...";
            }
        }
        return std::move(shown_);
    }

private:
    unsigned number_of(const Token& token) const {
        const std::string_view digits = tokens_->text_of(token).substr(1);
        unsigned number = 0;
        std::from_chars(digits.data(), digits.data() + digits.size(), number);
        return number;
    }

    /// Keeps track of statements, and of what SET assigns.
    void follow(std::size_t index) {
        if (tokens_->is_symbol(index, ";")) {
            begin_ = index + 1;
            sets_ = assigns_ = false;
            return;
        }
        const bool may_set = tokens_->is_word(begin_, "set") || tokens_->is_word(begin_, "alter");
        sets_ = sets_ || (may_set && tokens_->is_word(index, "set"));
        const bool is_assignment = tokens_->is_symbol(index, "=") || tokens_->is_word(index, "to");
        if (sets_ && !assigns_ && is_assignment) {
            assigns_ = true;
            assigned_from_ = index + 1;
        }
    }

    bool is_assigned(std::size_t index) const {
        return assigns_ && index >= assigned_from_ && is_name((*tokens_)[index]);
    }

    /// TRUE and FALSE, but for IS [NOT] TRUE.
    bool is_boolean(std::size_t index) const {
        if (!tokens_->is_word(index, "true") && !tokens_->is_word(index, "false")) {
            return false;
        }
        const bool is_tested =
            (index >= 1 && tokens_->is_word(index - 1, "is")) ||
            (index >= 2 && tokens_->is_word(index - 1, "not") && tokens_->is_word(index - 2, "is"));
        return !is_tested;
    }

    bool looks_like_a_share(const Token& token) const {
        std::string_view written = tokens_->text_of(token);
        if (written.starts_with('"')) {
            written.remove_prefix(1);
        }
        return written.starts_with("pgvt1") || written.starts_with("pgva1");
    }

    /// 1_000, 0x1F and 12ab: PostgreSQL's versions do not agree on where these end.
    bool continues_a_number(std::size_t index) const {
        return index > 0 && (*tokens_)[index - 1].kind == TokenKind::kNumber &&
               (*tokens_)[index - 1].end == (*tokens_)[index].begin;
    }

    bool is_constant(std::size_t index) const {
        const Token& token = (*tokens_)[index];
        switch (token.kind) {
            case TokenKind::kString:
            case TokenKind::kBitString:
            case TokenKind::kNumber: return true;
            case TokenKind::kIdentifier:
            case TokenKind::kQuotedIdentifier:
                return is_boolean(index) || is_assigned(index) || looks_like_a_share(token);
            case TokenKind::kParameter:
            case TokenKind::kOperator:
            case TokenKind::kPunctuation: break;
        }
        return false;
    }

    /// False: there is no room for it.
    bool append(std::size_t index) {
        const Token& token = (*tokens_)[index];
        if (continues_a_number(index) && token.kind == TokenKind::kIdentifier) {
            return true;
        }
        std::string piece;
        if (is_constant(index)) {
            piece = "$" + std::to_string(++last_parameter_);
        } else if (is_name(token) && (!token.is_terminated || token.end - token.begin > kNameBytesMax)) {
            piece = kHiddenName;
        } else {
            piece = tokens_->text_of(token);
        }
        if (index > 0 && (*tokens_)[index - 1].end != token.begin) {
            shown_ += ' ';
        }
        if (shown_.size() + piece.size() > kShownBytesMax) {
            return false;
        }
        shown_ += piece;
        return true;
    }

    const Tokens* tokens_;
    std::string shown_;
    unsigned last_parameter_ = 0;
    std::size_t begin_ = 0;  // of the statement
    bool sets_ = false;
    bool assigns_ = false;
    std::size_t assigned_from_ = 0;
};

}  // namespace

std::string with_placeholders(std::string_view text) {
    text = text.substr(0, kReadBytesMax);
    const Tokens tokens(text, true);
    if (text.find('\\') != std::string_view::npos && !same_tokens(tokens, Tokens(text, false))) {
        return std::string(kUncertain);
    }
    return Writer(tokens).write();
}

std::string without_quoted_names(std::string_view with_placeholders) {
    const Tokens tokens(with_placeholders, true);
    std::string shown;
    std::size_t copied = 0;
    for (const Token& token : tokens.all()) {
        if (token.kind == TokenKind::kQuotedIdentifier) {
            shown += with_placeholders.substr(copied, token.begin - copied);
            shown += kHiddenName;
            copied = token.end;
        }
    }
    return shown.append(with_placeholders.substr(copied));
}

}  // namespace pgveil::parse
