#include "sql/analysis/analyzer.hpp"

#include "sql/analysis/calls.hpp"
#include "sql/analysis/named.hpp"
#include "sql/analysis/readable.hpp"
#include "sql/analysis/row_types.hpp"
#include "sql/analysis/share_literals.hpp"
#include "sql/analysis/statement_judge.hpp"
#include "sql/analysis/text_order.hpp"
#include "sql/parse/parser.hpp"
#include "sql/parse/scanner.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

namespace pgveil::analysis {

namespace {

/// For a text that cannot be parsed (or not as the server reads it): pass it if nothing protected
/// can be concerned.
Analysis judge_unreadable(Text& text, const Rejection& why) {
    const bool is_syntax = why.kind == RejectionKind::kSyntax;
    Analysis analysis;
    analysis.parse_failed = true;
    const auto size = static_cast<std::uint32_t>(text.sql.size());
    std::optional<Rejection> rejection;
    if (mentions_protected(text.sql, text.context.policy) ||
        (is_syntax && !text.context.can_look_up)) {
        rejection = why;
    } else {
        rejection = concerned_by_words(text, {0, size, true}, why.construct);
        if (rejection && is_syntax) {
            rejection = why;
        }
    }
    if (!rejection && !text.relations.missing().empty()) {
        return analysis;
    }
    if (rejection) {
        analysis.statements.emplace_back(std::move(*rejection));
    }
    analysis.passthrough = analysis.statements.empty();
    return analysis;
}

/// The parser's errors that are the server's, word for word: nothing that a newer grammar could
/// accept, nor text that the server reads in another way.
bool is_servers_error(const parse::Error& error, std::string_view sql, const Context& context) {
    constexpr int kGrammar = 15;
    constexpr std::array<std::string_view, 3> kBeginnings = {
        "syntax error at", "unterminated ", "zero-length delimited identifier"};
    const bool is_known =
        std::any_of(kBeginnings.begin(), kBeginnings.end(), [&](std::string_view beginning) {
            return error.message.starts_with(beginning);
        });
    return is_known && error.code == parse::ErrorCode::kSyntax && context.server_major != 0 &&
           context.server_major <= kGrammar && context.client_encoding == "UTF8" &&
           !reads_backslashes(sql, context);
}

Rejection other_characters(const Context& context) {
    const bool is_servers = context.client_encoding == "UTF8";
    return refusal_of(
        "protected tables",
        "a text or name beyond ASCII in " +
            (is_servers ? "a database of encoding " + std::string(context.server_encoding)
                        : "client_encoding " + std::string(context.client_encoding)),
        is_servers ? "write such a name in quotes and within 19 bytes"
                   : "SET client_encoding TO 'UTF8'",
        parse::kNowhere
    );
}

Rejection unreadable(const parse::Error& error, std::string_view sql, const Context& context) {
    if (is_servers_error(error, sql, context)) {
        Rejection result = postgres_error("42601", error.message, parse::kNowhere);
        result.kind = RejectionKind::kSyntax;
        result.position = error.position;
        return result;
    }
    Rejection result = refusal_of(
        "protected tables",
        "a statement that pgveil cannot read",
        "check the syntax (PostgreSQL 15 grammar): " + error.message,
        parse::kNowhere
    );
    result.position = error.position;
    if (error.code == parse::ErrorCode::kLimit) {
        result.kind = RejectionKind::kLimit;
        result.sqlstate = "54001";
        result.hint = error.message + ": split the statement";
    }
    return result;
}

Analysis refused(Rejection rejection) {
    Analysis analysis;
    analysis.statements.emplace_back(std::move(rejection));
    return analysis;
}

Analysis judge_statements(Text& text, const std::vector<parse::Statement>& statements) {
    Analysis analysis;
    TextOrder order;
    std::size_t plan_bytes = 0;
    for (const parse::Statement& statement : statements) {
        Decision decision = judge_statement(text, statement);
        analysis.statements.push_back(
            text.context.policy.is_empty() ? std::move(decision)
                                           : order.admit(std::move(decision), statement)
        );
        const auto* const plan = std::get_if<StatementPlan>(&analysis.statements.back());
        plan_bytes += plan == nullptr || plan->is_plain() ? 0 : size_bytes_of(*plan);
        if (plan_bytes > text.context.limits.plan_bytes) {
            return refused(limit_error(
                "54000",
                "the statements of the text take more memory than pgveil keeps for a session "
                "(limits.plan_bytes_per_session)",
                "split the text, or raise the limit"
            ));
        }
        if (plan == nullptr || plan->changes_catalog || plan->runs_unknown_sql) {
            text.relations.forget_keys();
        }
    }
    analysis.passthrough = std::all_of(
        analysis.statements.begin(),
        analysis.statements.end(),
        [](const Decision& decision) {
            const auto* const plan = std::get_if<StatementPlan>(&decision);
            return plan != nullptr && plan->is_plain();
        }
    );
    return analysis;
}

/// Texts with so many times as many tokens as are parsed are still looked at for protected names.
constexpr std::size_t kReadTokensFactor = 4;

parse::Result<std::vector<parse::Statement>> parse_within(
    std::string_view sql, const parse::Tokens& tokens, const Limits& limits
) {
    if (tokens.size() > limits.tokens) {
        return parse::Error{parse::ErrorCode::kLimit, "the statement has too many terms", -1};
    }
    const auto without = without_shares(sql, tokens);
    return parse::parse(without ? std::string_view(*without) : sql, limits.statements);
}

/// More text, or more words and signs, than are looked at.
std::optional<Analysis> beyond_reading(std::string_view sql, const Context& context) {
    const Limits& limits = context.limits;
    if (sql.size() > limits.text_bytes) {
        return refused(limit_error(
            "54000",
            "the statement is longer than pgveil reads",
            "split the statement, or raise limits.statement_bytes"
        ));
    }
    const std::size_t tokens_max = kReadTokensFactor * limits.tokens;
    if (sql.size() > tokens_max &&
        parse::has_more_tokens(sql, context.standard_conforming_strings, tokens_max)) {
        return refused(limit_error(
            "54000",
            "the statement has more terms than pgveil reads",
            "split the statement, or raise limits.statement_tokens"
        ));
    }
    return std::nullopt;
}

Analysis with_names(Analysis analysis, const Relations& relations, const Limits& limits) {
    analysis.relations.assign(relations.used().begin(), relations.used().end());
    const auto& missing = relations.missing();
    if (missing.empty()) {
        return analysis;
    }
    if (missing.size() > limits.lookups) {
        return refused(limit_error(
            "54001",
            "the statement names more relations than pgveil looks up at once",
            "split the statement"
        ));
    }
    analysis.statements.clear();
    analysis.passthrough = false;
    analysis.missing.assign(missing.begin(), missing.end());
    return analysis;
}

}  // namespace

Analysis analyze(std::string_view sql, const Context& context) {
    if (auto too_much = beyond_reading(sql, context)) {
        return std::move(*too_much);
    }
    const parse::Tokens tokens(sql, context.standard_conforming_strings);
    if (!context.policy.is_empty() && reads_other_characters(sql, tokens, context)) {
        return refused(other_characters(context));
    }
    Relations relations(context);
    const auto statements = parse_within(sql, tokens, context.limits);
    Text text{sql, context, tokens, relations};
    Analysis analysis;
    if (!statements) {
        analysis = judge_unreadable(text, unreadable(statements.error(), sql, context));
    } else if (reads_backslashes(sql, context)) {
        analysis = judge_unreadable(
            text,
            refusal_of(
                "protected tables",
                "a backslash while standard_conforming_strings is off",
                "SET standard_conforming_strings = on, or use E'' strings",
                parse::kNowhere
            )
        );
    } else if (statements->size() > context.limits.statements) {
        return refused(limit_error("54000", "the text holds too many statements", "split the text")
        );
    } else {
        analysis = judge_statements(text, *statements);
    }
    if (auto refused_type = refuse_declared_types(relations, context)) {
        analysis = refused(std::move(*refused_type));
    }
    return with_names(std::move(analysis), relations, context.limits);
}

}  // namespace pgveil::analysis
