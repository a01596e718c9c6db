#include "sql/analysis/copy.hpp"

#include "sql/analysis/copy_binary.hpp"
#include "sql/analysis/copy_plan.hpp"
#include "sql/analysis/query.hpp"
#include "sql/schema/schema.hpp"
#include "sql/types/text.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <set>

namespace pgveil::analysis {

namespace {

using Option = parse::Copy::Option;

constexpr std::array<std::string_view, 12> kOptions = {
    "format",
    "freeze",
    "delimiter",
    "null",
    "header",
    "quote",
    "escape",
    "force_quote",
    "force_not_null",
    "force_null",
    "encoding",
    "convert_selectively"};

/// As PostgreSQL compares names of encodings.
std::string letters_of(std::string_view name) {
    std::string result;
    for (const char letter : name) {
        if (types::is_alnum(letter)) {
            result.push_back(types::to_lower(letter));
        }
    }
    return result;
}

bool is_utf8(std::string_view encoding) {
    const std::string name = letters_of(encoding);
    return name == "utf8" || name == "unicode";
}

/// Nullopt: the server refuses the value.
std::optional<copy::Header> header_of(const Option& option) {
    if (option.form == Option::Form::kNone) {
        return copy::Header::kPresent;
    }
    const auto is = [&option](std::string_view word) {
        return types::equals_ignoring_case(option.text, word);
    };
    if (is("true") || is("on") || is("1")) {
        return copy::Header::kPresent;
    }
    if (is("false") || is("off") || is("0")) {
        return copy::Header::kNone;
    }
    return is("match") ? std::optional(copy::Header::kMatch) : std::nullopt;
}

std::optional<copy::Format> format_of(std::string_view name) {
    if (name == "text") {
        return copy::Format::kText;
    }
    if (name == "csv") {
        return copy::Format::kCsv;
    }
    return name == "binary" ? std::optional(copy::Format::kBinary) : std::nullopt;
}

/// What the options say together, by the checks of PostgreSQL's ProcessCopyOptions.
bool are_consistent(const copy::Options& options) {
    constexpr std::string_view kLineEnds = "\r\n";
    constexpr std::string_view kNotInText = "\\.abcdefghijklmnopqrstuvwxyz0123456789";
    const std::string& null_text = options.null_text;
    if (kLineEnds.find(options.delimiter) != std::string_view::npos ||
        null_text.find_first_of(kLineEnds) != std::string::npos ||
        null_text.find(options.delimiter) != std::string::npos) {
        return false;
    }
    if (options.format == copy::Format::kCsv) {
        return options.delimiter != options.quote &&
               null_text.find(options.quote) == std::string::npos;
    }
    return kNotInText.find(options.delimiter) == std::string_view::npos;
}

/// Reads the list of options.
class OptionReader {
public:
    OptionReader(Draft& draft, CopyPlan& plan) : draft_(draft), plan_(plan) {}

    void run(const parse::Copy& copy) {
        for (const Option& option : copy.options) {
            expect(seen_.insert(option.name).second);
            if (option.name == "format") {
                const auto format = format_of(option.text);
                expect(format.has_value());
                plan_.options.format = format.value_or(copy::Format::kText);
            }
        }
        if (plan_.options.format == copy::Format::kCsv) {
            plan_.options.delimiter = ',';
            plan_.options.null_text.clear();
        }
        for (const Option& option : copy.options) {
            read(option);
        }
        if (seen_.find("escape") == seen_.end()) {
            plan_.options.escape = plan_.options.quote;
        }
        expect(are_consistent(plan_.options));
    }

private:
    void expect(bool is_right) {
        plan_.is_refused_by_server = plan_.is_refused_by_server || !is_right;
    }

    void read(const Option& option) {
        if (std::find(kOptions.begin(), kOptions.end(), option.name) == kOptions.end() ||
            option.form == Option::Form::kOther) {
            draft_.refuse(refusal_of(
                "encrypted columns",
                "COPY with the option " + option.name,
                "leave the option out",
                parse::kNowhere
            ));
        } else if (option.name == "delimiter") {
            read(option, plan_.options.delimiter);
        } else if (option.name == "quote") {
            read(option, plan_.options.quote);
        } else if (option.name == "escape") {
            read(option, plan_.options.escape);
        } else if (option.name == "null") {
            plan_.options.null_text = option.text;
        } else if (option.name == "header") {
            const auto header = header_of(option);
            expect(header.has_value());
            plan_.options.header = header.value_or(copy::Header::kNone);
        } else if (option.name == "encoding" && !is_utf8(option.text)) {
            draft_.refuse(refusal_of(
                "encrypted columns",
                "COPY with ENCODING " + option.text,
                "convert the data to UTF8, and use ENCODING 'UTF8'",
                parse::kNowhere
            ));
        } else {
            mark(option);
        }
    }

    void read(const Option& option, char& into) {
        expect(option.text.size() == 1);
        into = option.text.size() == 1 ? option.text.front() : into;
    }

    void mark(const Option& option) {
        for (CopiedField& field : plan_.fields) {
            const bool is_named =
                option.form == Option::Form::kAllColumns ||
                std::find(option.columns.begin(), option.columns.end(), field.name) !=
                    option.columns.end();
            field.is_never_null |= is_named && option.name == "force_not_null";
            field.may_be_quoted_null |= is_named && option.name == "force_null";
        }
    }

    Draft& draft_;
    CopyPlan& plan_;
    std::set<std::string> seen_;
};

class CopyJudge {
public:
    CopyJudge(Draft& draft, const parse::Copy& copy) : draft_(draft), copy_(copy) {}

    void run() {
        if (copy_.is_at_server) {
            draft_.refuse(refusal_of(
                copy_.target.name.empty() ? "a query of encrypted columns" : copy_.target.name,
                "COPY of a file or program at the server",
                "use COPY ... FROM STDIN or TO STDOUT; in psql: \\copy",
                copy_.target.begin
            ));
            return;
        }
        plan_.is_from = copy_.is_from;
        if (copy_.query != nullptr) {
            take_query();
        } else {
            take_table();
        }
        OptionReader(draft_, plan_).run(copy_);
        const bool is_concerned =
            std::any_of(plan_.columns.begin(), plan_.columns.end(), [](const auto& column) {
                return column.column != nullptr;
            });
        if (is_concerned && !draft_.is_refused()) {
            if (relation_ != nullptr) {
                send_in_binary(draft_, copy_, *relation_, plan_);
            }
            draft_.plan().copy = std::make_shared<const CopyPlan>(std::move(plan_));
        }
    }

private:
    void take_query() {
        if (!Query(draft_).copied(*copy_.query)) {
            draft_.refuse(refusal_of(
                "encrypted columns",
                "COPY of this query",
                "use SELECT, INSERT, UPDATE or DELETE",
                parse::kNowhere
            ));
        }
        plan_.columns = std::move(draft_.plan().results);
        draft_.plan().results.clear();
        plan_.hidden = std::exchange(draft_.plan().hidden_results, 0);
    }

    void take_table() {
        const KnownRelation* const known = Query(draft_).copied(copy_.target, copy_.where);
        if (known == nullptr) {
            return;
        }
        const catalog::Relation& relation = *known->relation;
        relation_ = &relation;
        plan_.relation = relation.name;
        if (copy_.columns.empty()) {
            list_columns(*known);
        }
        for (const std::string& name : copy_.columns) {
            add_named(*known, name);
        }
        add_keys(relation);
    }

    /// Which columns there are, and in which order, is written out: it is what the data was sealed
    /// for.
    void list_columns(const KnownRelation& known) {
        std::string list;
        for (std::size_t i = 0; i < known.veils.size(); ++i) {
            const catalog::Column& column = known.relation->columns[i];
            if (!column.is_generated) {
                add(known, i);
                list += (list.empty() ? "" : ", ") + schema::quote_identifier(column.name);
            }
        }
        const auto end = parse::qualified_name_end(draft_.text().tokens, copy_.target.begin);
        if (!end) {
            draft_.refuse(refusal_of(
                copy_.target.name,
                "this way of writing a relation name",
                "write schema.table",
                copy_.target.begin
            ));
        } else {
            draft_.splice(*end, *end, FixedText{" (" + list + ")"});
        }
    }

    void add_named(const KnownRelation& known, const std::string& name) {
        const auto& columns = known.relation->columns;
        const auto found = std::find_if(columns.begin(), columns.end(), [&name](const auto& item) {
            return item.name == name;
        });
        if (found == columns.end()) {
            draft_.refuse(postgres_error(
                "42703",
                "column \"" + name + "\" of relation \"" + known.relation->name +
                    "\" does not exist",
                parse::kNowhere
            ));
            return;
        }
        add(known, static_cast<std::size_t>(found - columns.begin()));
    }

    void add(const KnownRelation& known, std::size_t index) {
        plan_.columns.push_back(ResultColumn{known.veils[index], {}, {}});
        plan_.fields.push_back({known.relation->columns[index].name});
    }

    /// bind_to: the keys come as fields of the same row.
    void add_keys(const catalog::Relation& relation) {
        for (ResultColumn& column : plan_.columns) {
            if (column.column == nullptr) {
                continue;
            }
            for (const std::string& name : column.column->bind_to) {
                const auto key = std::find_if(
                    plan_.fields.begin(),
                    plan_.fields.end(),
                    [&name](const CopiedField& field) { return field.name == name; }
                );
                if (key == plan_.fields.end()) {
                    draft_.refuse(
                        "COPY without its key " + name,
                        "list " + name + " as well: bind_to seals the value for its row",
                        column.column,
                        copy_.target.begin
                    );
                    return;
                }
                const auto place = static_cast<std::size_t>(key - plan_.fields.begin());
                const auto kind = types::kind_of_oid(relation.column(name)->type_oid);
                plan_.columns[place].key_kind = kind ? std::optional(*kind) : std::nullopt;
                column.keys.push_back(static_cast<std::uint16_t>(place));
            }
        }
    }

    Draft& draft_;
    const parse::Copy& copy_;
    const catalog::Relation* relation_ = nullptr;  // null: a query
    CopyPlan plan_;
};

}  // namespace

void judge_copy(Draft& draft, const parse::Copy& copy) {
    CopyJudge(draft, copy).run();
}

}  // namespace pgveil::analysis
