#include "sql/analysis/named.hpp"

#include "sql/analysis/calls.hpp"
#include "sql/analysis/own_functions.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace pgveil::analysis {

namespace {

// Reserved words cannot name a relation without quotes (documentation appendix C).
constexpr std::array<std::string_view, 77> kReserved = {"all",          "analyse",
                                                        "analyze",      "and",
                                                        "any",          "array",
                                                        "as",           "asc",
                                                        "asymmetric",   "both",
                                                        "case",         "cast",
                                                        "check",        "collate",
                                                        "column",       "constraint",
                                                        "create",       "current_catalog",
                                                        "current_date", "current_role",
                                                        "current_time", "current_timestamp",
                                                        "current_user", "default",
                                                        "deferrable",   "desc",
                                                        "distinct",     "do",
                                                        "else",         "end",
                                                        "except",       "false",
                                                        "fetch",        "for",
                                                        "foreign",      "from",
                                                        "grant",        "group",
                                                        "having",       "in",
                                                        "initially",    "intersect",
                                                        "into",         "lateral",
                                                        "leading",      "limit",
                                                        "localtime",    "localtimestamp",
                                                        "not",          "null",
                                                        "offset",       "on",
                                                        "only",         "or",
                                                        "order",        "placing",
                                                        "primary",      "references",
                                                        "returning",    "select",
                                                        "session_user", "some",
                                                        "symmetric",    "table",
                                                        "then",         "to",
                                                        "trailing",     "true",
                                                        "union",        "unique",
                                                        "user",         "using",
                                                        "variadic",     "when",
                                                        "where",        "window",
                                                        "with"};

static_assert(std::is_sorted(kReserved.begin(), kReserved.end()));

struct Word {
    std::string name;
    std::uint32_t begin;
};

bool is_identifier(const parse::Token& token) {
    return token.kind == parse::TokenKind::kIdentifier ||
           token.kind == parse::TokenKind::kQuotedIdentifier;
}

/// TO or FROM of a GRANT or REVOKE: reserved words, but not behind a dot.
bool begins_roles(const parse::Tokens& tokens, std::size_t index) {
    return (tokens.is_word(index, "to") || tokens.is_word(index, "from")) && index > 0 &&
           !tokens.is_symbol(index - 1, ".");
}

bool is_reserved(const parse::Tokens& tokens, std::size_t index, const std::string& name) {
    return tokens[index].kind == parse::TokenKind::kIdentifier &&
           std::binary_search(kReserved.begin(), kReserved.end(), std::string_view(name));
}

/// Schema pgveil, and the first or only part of a parameter's name.
bool is_veil_word(const std::string& name) {
    return name == "pgveil" || name == "pgveil_verified" || is_veil_parameter_name(name);
}

/// Looks for names from left to right: every identifier alone, and with the one before its dot.
class WordSearch {
public:
    WordSearch(Text& text, const NameSearch& search, std::string_view construct)
        : text_(text), search_(search), construct_(construct) {}

    std::optional<Rejection> run() {
        const parse::Tokens& tokens = text_.tokens;
        const auto range = tokens.inside(search_.begin, search_.end);
        for (std::size_t i = range.first; i < range.last && !rejection_; ++i) {
            if (tokens[i].kind == parse::TokenKind::kString && search_.inside_strings) {
                string(i);
            } else if (is_identifier(tokens[i])) {
                identifier(i);
            }
        }
        return std::move(rejection_);
    }

private:
    void string(std::size_t index) {
        const parse::Tokens& tokens = text_.tokens;
        if (mentions_protected(tokens.text_of(tokens[index]), text_.context.policy)) {
            refuse("a protected table", tokens[index].begin);
            return;
        }
        const std::string_view literal = tokens.text_of(tokens[index]);
        const std::size_t open = literal.find_first_of("'$");
        const std::size_t body = literal.front() == '$' ? literal.find('$', 1) : open;
        if (body != std::string_view::npos) {
            calls_in(literal.substr(body + 1), tokens[index].begin);
        }
    }

    void identifier(std::size_t index) {
        const parse::Tokens& tokens = text_.tokens;
        const std::string name = tokens.name_at(index);
        if (name.empty() || is_reserved(tokens, index, name)) {
            return;
        }
        if (is_veil_word(name)) {
            refuse(name, tokens[index].begin);
            return;
        }
        const bool has_schema =
            index >= 2 && tokens.is_symbol(index - 1, ".") && is_identifier(tokens[index - 2]);
        const catalog::RelationName full{
            has_schema ? tokens.name_at(index - 2) : std::string(), name};
        judge(full, tokens[index].begin);
        if (index + 1 < tokens.size() && tokens.is_symbol(index + 1, "(")) {
            judge_call(full, tokens[index].begin);
        }
    }

    void judge_call(const catalog::RelationName& name, std::uint32_t begin) {
        const Judgement judgement = text_.relations.judge_function(name, begin);
        if (judgement.rejection && !rejection_) {
            rejection_ = judgement.rejection;
        }
        if (judgement.returns != nullptr && !rejection_) {
            rejection_ = stored_function_refusal(*judgement.returns, "in this command", begin);
        }
    }

    /// What the statements inside a string call.
    void calls_in(std::string_view body, std::uint32_t begin) {
        const parse::Tokens tokens(body, true);
        for (std::size_t i = 0; i + 1 < tokens.size() && !rejection_; ++i) {
            if (!is_identifier(tokens[i]) || !tokens.is_symbol(i + 1, "(") ||
                is_reserved(tokens, i, tokens.name_at(i))) {
                continue;
            }
            const bool has_schema =
                i >= 2 && tokens.is_symbol(i - 1, ".") && is_identifier(tokens[i - 2]);
            judge_call(
                {has_schema ? tokens.name_at(i - 2) : std::string(), tokens.name_at(i)}, begin
            );
        }
    }

    void judge(const catalog::RelationName& name, std::uint32_t begin) {
        const Judgement judgement = text_.relations.judge_candidate(name, begin);
        if (judgement.standing == Standing::kProtected) {
            refuse(name.schema.empty() ? name.name : name.schema + "." + name.name, begin);
        } else if (judgement.rejection) {
            rejection_ = judgement.rejection;
        } else if (!is_catalog_name(name)) {
            using Kind = catalog::RelationName::Kind;
            rejection_ =
                text_.relations.judge_type({name.schema, name.name, Kind::kType}, begin).rejection;
        }
    }

    void refuse(const std::string& subject, std::uint32_t begin) {
        rejection_ = refusal_of(
            subject,
            construct_,
            "write it as SELECT, INSERT, UPDATE or DELETE of the table itself",
            begin
        );
    }

    Text& text_;
    const NameSearch& search_;
    std::string_view construct_;
    std::optional<Rejection> rejection_;
};

}  // namespace

std::optional<Rejection> concerned_by_words(
    Text& text, const NameSearch& search, std::string_view construct
) {
    return WordSearch(text, search, construct).run();
}

bool names_veil(const parse::Tokens& tokens, std::uint32_t begin, std::uint32_t end) {
    const auto range = tokens.inside(begin, end);
    const bool is_grant =
        tokens.is_word(range.first, "grant") || tokens.is_word(range.first, "revoke");
    for (std::size_t i = range.first; i < range.last; ++i) {
        if (is_grant && begins_roles(tokens, i)) {
            return false;
        }
        if (is_identifier(tokens[i]) && is_veil_word(tokens.name_at(i))) {
            return true;
        }
    }
    return false;
}

std::optional<std::uint32_t> called_by_name(
    Text& text, const NameSearch& search, NamePredicate is_wanted
) {
    const auto range = text.tokens.inside(search.begin, search.end);
    for (std::size_t i = range.first; i < range.last; ++i) {
        if (is_identifier(text.tokens[i]) && is_wanted(text.tokens.name_at(i))) {
            return text.tokens[i].begin;
        }
    }
    return std::nullopt;
}

std::optional<std::string> sql_runner_named(
    const parse::Tokens& tokens, std::uint32_t begin, std::uint32_t end
) {
    const auto range = tokens.inside(begin, end);
    for (std::size_t i = range.first; i + 1 < range.last; ++i) {
        if (is_identifier(tokens[i]) && tokens.is_symbol(i + 1, "(") &&
            runs_sql(tokens.name_at(i))) {
            return tokens.name_at(i);
        }
    }
    return std::nullopt;
}

}  // namespace pgveil::analysis
