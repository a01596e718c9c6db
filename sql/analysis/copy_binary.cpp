#include "sql/analysis/copy_binary.hpp"

#include "sql/analysis/analyzer.hpp"
#include "sql/parse/tokens.hpp"
#include "sql/schema/schema.hpp"
#include "sql/types/exact_text.hpp"
#include "sql/types/text.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <set>
#include <string>
#include <utility>

namespace pgveil::analysis {

namespace {

using Option = parse::Copy::Option;

/// Headers of text, and `match`, are new there.
constexpr int kMoreHeaders = 15;

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
    return std::any_of(words.begin(), words.end(), [text](std::string_view word) {
        return types::equals_ignoring_case(text, word);
    });
}

/// The columns of FORCE_NULL and FORCE_NOT_NULL are columns of this COPY, each once.
bool names_fields(const Option& option, const CopyPlan& plan) {
    const std::set<std::string> names(option.columns.begin(), option.columns.end());
    return option.form == Option::Form::kColumns && names.size() == option.columns.size() &&
           std::all_of(names.begin(), names.end(), [&plan](const std::string& name) {
               return std::any_of(plan.fields.begin(), plan.fields.end(), [&](const auto& field) {
                   return field.name == name;
               });
           });
}

bool is_header_allowed(const Option& option, const CopyPlan& plan, int server_major) {
    // '1' is none in quotes and one without: the tree does not tell.
    const bool is_said = option.form == Option::Form::kNone ||
                         is_one_of(option.text, {"true", "on", "false", "off", "match"});
    const bool is_older = plan.options.header == copy::Header::kNone ||
                          (plan.options.header == copy::Header::kPresent &&
                           plan.options.format == copy::Format::kCsv);
    return is_said && (is_older || server_major >= kMoreHeaders);
}

bool is_freeze_known(const Option& option) {
    return option.form == Option::Form::kNone ||
           is_one_of(option.text, {"true", "on", "false", "off"});
}

/// The server would accept the option, and without it understands the same rows in binary.
bool may_be_left_out(const Option& option, const CopyPlan& plan, int server_major) {
    const bool is_text = option.form == Option::Form::kText;
    const bool is_csv = plan.options.format == copy::Format::kCsv;
    if (is_one_of(option.name, {"format", "delimiter", "null", "encoding"})) {
        return is_text;
    }
    if (option.name == "header") {
        return is_header_allowed(option, plan, server_major);
    }
    if (option.name == "freeze") {
        return is_freeze_known(option);
    }
    if (is_one_of(option.name, {"quote", "escape"})) {
        return is_csv && is_text;
    }
    return is_csv && is_one_of(option.name, {"force_null", "force_not_null"}) &&
           names_fields(option, plan);
}

bool is_frozen(const parse::Copy& copy) {
    return std::any_of(copy.options.begin(), copy.options.end(), [](const Option& option) {
        return option.name == "freeze" && !is_one_of(option.text, {"false", "off"});
    });
}

/// The types of plain fields are noted; false: one of them has no exact text.
bool take_types(const catalog::Relation& relation, CopyPlan& plan) {
    for (std::size_t i = 0; i < plan.fields.size(); ++i) {
        const catalog::Column* const column = relation.column(plan.fields[i].name);
        if (column == nullptr || column->is_generated) {
            return false;
        }
        if (plan.columns[i].column != nullptr) {
            continue;
        }
        const auto kind = types::kind_of_oid(column->type_oid);
        if (!kind.has_value() || !types::has_exact_text(*kind)) {
            return false;
        }
        plan.fields[i].type = {*kind, column->typmod};
    }
    return true;
}

bool has_exact_context(const Context& context) {
    return context.client_encoding == "UTF8" && context.server_encoding == "UTF8" &&
           context.server_major >= types::kOldestExactServer &&
           context.server_major <= types::kNewestExactServer;
}

/// A function of the server that takes this type, and none of another kind of bytes but shorter
/// integers, whose size is checked.
std::string_view send_function(types::Kind kind) {
    constexpr std::array<std::pair<types::Kind, std::string_view>, 8> kFunctions = {{
        {types::Kind::kBool, "boolsend"},
        {types::Kind::kInt2, "int2send"},
        {types::Kind::kInt4, "int4send"},
        {types::Kind::kInt8, "int8send"},
        {types::Kind::kUuid, "uuid_send"},
        {types::Kind::kBytea, "byteasend"},
        {types::Kind::kJson, "json_send"},
        {types::Kind::kJsonb, "jsonb_send"},
    }};
    const auto found = std::find_if(kFunctions.begin(), kFunctions.end(), [kind](const auto& item) {
        return item.first == kind;
    });
    return found == kFunctions.end() ? "textsend" : found->second;
}

/// The server folds it away before the first row. It reads no column, because that would take the
/// right to SELECT.
std::string type_check(const catalog::Relation& relation, const CopyPlan& plan) {
    const std::string row = "(NULL::" + schema::quote_identifier(relation.schema) + "." +
                            schema::quote_identifier(relation.name) + ").";
    std::string checks;
    for (std::size_t i = 0; i < plan.fields.size(); ++i) {
        if (plan.columns[i].column == nullptr) {
            checks += " OR pg_catalog." + std::string(send_function(plan.fields[i].type.kind)) +
                      "(" + row + schema::quote_identifier(plan.fields[i].name) + ") IS NULL";
        }
    }
    return checks.empty() ? "" : " WHERE true" + checks;
}

/// What stands behind FROM STDIN; nullopt: not found.
std::optional<parse::TextRange> options_range(
    const parse::Tokens& tokens, const parse::Copy& copy, std::uint32_t statement_end
) {
    const auto name_end = parse::qualified_name_end(tokens, copy.target.begin);
    if (!name_end) {
        return std::nullopt;
    }
    const auto range = tokens.inside(*name_end, statement_end);
    std::size_t i = range.first;
    if (i < range.last && tokens.is_symbol(i, "(")) {
        while (i < range.last && !tokens.is_symbol(i, ")")) {
            ++i;
        }
        ++i;
    }
    const bool is_it = i + 1 < range.last && tokens.is_word(i, "from") &&
                       (tokens.is_word(i + 1, "stdin") || tokens.is_word(i + 1, "stdout"));
    if (!is_it) {
        return std::nullopt;
    }
    const std::size_t last = range.last - (tokens.is_symbol(range.last - 1, ";") ? 2 : 1);
    return parse::TextRange{tokens[i + 1].end, tokens[last].end};
}

}  // namespace

void send_in_binary(
    Draft& draft, const parse::Copy& copy, const catalog::Relation& relation, CopyPlan& plan
) {
    const Context& context = draft.text().context;
    const bool is_possible =
        plan.is_from && !plan.is_refused_by_server && copy.where == nullptr &&
        plan.options.format != copy::Format::kBinary && has_exact_context(context) &&
        std::all_of(copy.options.begin(), copy.options.end(), [&](const Option& option) {
            return may_be_left_out(option, plan, context.server_major);
        });
    if (!is_possible || !take_types(relation, plan)) {
        return;
    }
    const auto range = options_range(draft.text().tokens, copy, draft.plan().end);
    if (!range) {
        return;
    }
    const std::string freeze = is_frozen(copy) ? ", FREEZE" : "";
    draft.splice(
        range->begin,
        range->end,
        FixedText{" WITH (FORMAT binary" + freeze + ")" + type_check(relation, plan)}
    );
    plan.is_sent_in_binary = true;
}

}  // namespace pgveil::analysis
