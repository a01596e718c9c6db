#include "sql/analysis/draft.hpp"

#include "sql/schema/schema.hpp"
#include "sql/types/order_form.hpp"

#include <algorithm>

namespace pgveil::analysis {

namespace {

bool calls_set_config(const parse::Inventory& inventory) {
    const auto& calls = inventory.calls;
    return std::any_of(calls.begin(), calls.end(), [](const parse::Expression* node) {
        const auto& name = std::get<parse::Call>(node->node).name;
        return !name.empty() && name.back() == "set_config";
    });
}

void add_once(const ColumnPtr& column, std::vector<ColumnPtr>& columns) {
    const bool is_new = column != nullptr &&
                        std::none_of(columns.begin(), columns.end(), [&](const ColumnPtr& known) {
                            return known->qualified_name() == column->qualified_name();
                        });
    if (is_new) {
        columns.push_back(column);
    }
}

}  // namespace

Draft::Draft(Text& text, const parse::Statement& statement)
    : text_(text), inventory_(statement.inventory) {
    plan_.begin = statement.begin;
    plan_.end = statement.end;
    plan_.calls_set_config = calls_set_config(statement.inventory);
    for (const std::uint32_t number : statement.inventory.parameters) {
        ++occurrences_[number];
        plan_.parameter_count = std::max(plan_.parameter_count, number);
    }
    declare(text.context.parameter_oids);
}

void Draft::declare(std::vector<std::uint32_t> parameter_oids) {
    declared_oids_ = std::move(parameter_oids);
    plan_.parameter_count =
        std::max(plan_.parameter_count, static_cast<std::uint32_t>(declared_oids_.size()));
}

void Draft::refuse(Rejection rejection) {
    if (!rejection_) {
        rejection_ = std::move(rejection);
    }
}

void Draft::refuse(Use use, const ColumnPtr& column, std::uint32_t begin) {
    const Rule& rule = rule_of(use);
    refuse(refusal_of_column(*column, rule.construct, rule.hint, begin));
}

void Draft::refuse(
    std::string_view construct, std::string_view hint, const ColumnPtr& column, std::uint32_t begin
) {
    refuse(refusal_of_column(*column, construct, hint, begin));
}

void Draft::require(Use use, const ColumnPtr& column, std::uint32_t begin) {
    if (column == nullptr) {
        return;
    }
    note_column(column);
    const Rule& rule = rule_of(use);
    if (!rule.randomized) {
        add_once(column, plan_.compared);
    }
    if (!allows(rule, column->scheme)) {
        refuse(use, column, begin);
    } else if (rule.order_alone && !column->has_bytewise_text &&
               types::is_ordered_by_collation(column->type.kind)) {
        refuse(
            std::string(rule.construct) + " of text under this database's collation",
            "order tags follow the bytes of UTF-8: create the database with encoding UTF8 and "
            "locale C or C.UTF-8, or order in the application",
            column,
            begin
        );
    }
}

void Draft::note_column(const ColumnPtr& column) {
    add_once(column, plan_.columns);
}

void Draft::note_assigned(const ColumnPtr& column) {
    if (column != nullptr && column->is_null_without_key) {
        add_once(column, plan_.guarded);
    }
}

void Draft::splice(std::uint32_t begin, std::uint32_t end, Replacement replacement) {
    plan_.splices.push_back(Splice{begin, end, std::move(replacement)});
}

void Draft::qualify(const parse::TableReference& table, const catalog::RelationName& real) {
    if (!table.schema.empty()) {
        return;
    }
    const auto end = parse::qualified_name_end(text_.tokens, table.begin);
    if (!end) {
        refuse(refusal_of(
            table.name, "this way of writing a name", "write it with its schema", table.begin
        ));
        return;
    }
    const std::string name =
        schema::quote_identifier(real.schema) + "." + schema::quote_identifier(real.name);
    splice(table.begin, *end, FixedText{name});
}

void Draft::retype(const parse::Cast& cast, const std::string& type, const ColumnPtr& column) {
    if (!retyped_.insert(&cast).second) {
        return;
    }
    const auto end = parse::type_name_end(text_.tokens, cast.type.begin);
    if (!end || cast.position == parse::kNowhere) {
        refuse("this form of cast", "write value::type", column, cast.type.begin);
        return;
    }
    splice(cast.type.begin, *end, FixedText{type});
}

void Draft::add_parameter(ParameterPlan parameter) {
    parameters_.add_plain(std::move(parameter));
}

std::size_t Draft::occurrences_of(std::uint32_t parameter) const {
    const auto found = occurrences_.find(parameter);
    return found == occurrences_.end() ? 0 : found->second;
}

std::uint32_t Draft::declared_oid(std::uint32_t parameter) const {
    constexpr std::uint32_t kUnknownOid = 705;
    const auto& oids = declared_oids_;
    const std::uint32_t oid = parameter == 0 || parameter > oids.size() ? 0 : oids[parameter - 1];
    return oid == kUnknownOid ? 0 : oid;
}

std::uint32_t Draft::known_oid(std::uint32_t parameter) const {
    const std::uint32_t declared = declared_oid(parameter);
    const auto* const inferred = parameters_.inferred(parameter);
    return declared != 0 || inferred == nullptr ? declared : inferred->oid;
}

void Draft::check_parameters() {
    for (std::uint32_t number = 1; number <= declared_oids_.size(); ++number) {
        if (plan_.touches_protected && !text_.is_view && occurrences_of(number) == 0) {
            // Nothing says what its value is, and it would leave as it came.
            refuse(refusal_of(
                "a statement on encrypted columns",
                "parameter $" + std::to_string(number) + ", which is declared and not used",
                "declare only parameters that stand in the statement",
                parse::kNowhere
            ));
        }
    }
    const bool may_repeat =
        text_.context.policy.repeated_values() == config::RepeatedValues::kCount;
    for (const auto& [number, all] : occurrences_) {
        if (is_refused() || !plan_.touches_protected || text_.is_view) {
            return;
        }
        auto refused =
            parameters_.settle(number, {all, declared_oid(number)}, may_repeat, text_.tokens);
        if (refused) {
            refuse(std::move(*refused));
        }
    }
}

/// A constant that leaves sealed would be compared, sorted or returned as bytes elsewhere.
void Draft::check_lists() {
    for (const auto& list : lists_) {
        if (list->sealed_references != 0 && list->sealed_references != list->references) {
            refuse(refusal_of(
                "a column of VALUES",
                "use in a protected and an unprotected place",
                "list the values in two columns",
                list->begin
            ));
        }
    }
}

/// What is sealed here, and what leaves as it is: in this text, or in the one that it executes.
void Draft::check_repeated_texts() {
    std::map<std::size_t, ColumnPtr> sealed_texts = sealed_elements_;
    std::map<std::size_t, std::uint32_t> open_texts;
    for (const auto& string : inventory_.strings) {
        const auto sealed = sealed_.find(string.begin);
        if (sealed != sealed_.end()) {
            sealed_texts.emplace(string.hash, sealed->second);
        } else {
            open_texts.emplace(string.hash, string.begin);
        }
    }
    if (plan_.touches_protected) {
        for (const auto& [hash, begin] : open_texts) {
            plan_.open_texts.push_back(hash);
        }
    }
    if (plan_.used != nullptr) {
        for (const std::size_t hash : plan_.used->open_texts) {
            open_texts.emplace(hash, parse::kNowhere);
        }
    }
    for (const auto& [hash, begin] : open_texts) {
        const auto same = sealed_texts.find(hash);
        if (same == sealed_texts.end()) {
            continue;
        }
        if (text_.context.policy.repeated_values() == config::RepeatedValues::kCount) {
            plan_.repeated.push_back(same->second);
            continue;
        }
        refuse(
            "the same constant in an unprotected place, too", kRepeatedHint, same->second, begin
        );
    }
}

Decision Draft::finish() && {
    check_parameters();
    check_repeated_texts();
    check_lists();
    check_key_parameters();
    check_rows();
    if (rejection_) {
        return std::move(*rejection_);
    }
    labels_.complete(plan_.splices, text_.tokens, plan_.end);
    std::stable_sort(
        plan_.splices.begin(),
        plan_.splices.end(),
        [](const Splice& left, const Splice& right) { return left.begin < right.begin; }
    );
    std::uint32_t taken = 0;
    for (const Splice& splice : plan_.splices) {
        if (splice.begin < taken || splice.end < splice.begin) {
            return refusal_of(
                "this statement",
                "overlapping replacements",
                "write it as simpler statements",
                splice.begin
            );
        }
        taken = splice.end;
    }
    std::sort(
        plan_.parameters.begin(),
        plan_.parameters.end(),
        [](const auto& left, const auto& right) { return left.number < right.number; }
    );
    return std::move(plan_);
}

}  // namespace pgveil::analysis
