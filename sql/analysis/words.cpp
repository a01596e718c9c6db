#include "sql/analysis/words.hpp"

#include "sql/analysis/calls.hpp"

#include <string>

namespace pgveil::analysis {

namespace {

void refuse_sql_runners(Draft& draft, const NameSearch& range) {
    const auto name = sql_runner_named(draft.text().tokens, range.begin, range.end);
    if (name && !draft.text().context.policy.is_empty()) {
        draft.refuse(sql_runner_refusal(*name, range.begin));
    }
}

void refuse_settings_update(Draft& draft, const NameSearch& range) {
    const NameSearch words{range.begin, range.end, false};
    const auto begin = called_by_name(draft.text(), words, [](const std::string& name) {
        return name == "pg_settings";
    });
    const auto update = called_by_name(draft.text(), words, [](const std::string& name) {
        return name == "update";
    });
    if (begin && update && !draft.text().context.policy.is_empty()) {
        draft.refuse(refusal_of("pg_settings", "UPDATE", "use SET", *begin));
    }
}

}  // namespace

void refuse_set_config(Draft& draft, const NameSearch& range, std::string_view construct) {
    const NameSearch words{range.begin, range.end, false};
    const auto begin = called_by_name(draft.text(), words, [](const std::string& name) {
        return name == "set_config";
    });
    if (begin) {
        draft.refuse(refusal_of(
            "set_config",
            std::string(construct) + " with set_config inside",
            "call set_config in a SELECT of its own, or use SET",
            *begin
        ));
    }
}

void judge_words(Draft& draft, const NameSearch& range, std::string_view construct) {
    refuse_set_config(draft, range, construct);
    refuse_sql_runners(draft, range);
    refuse_settings_update(draft, range);
    auto rejection = concerned_by_words(draft.text(), range, construct);
    if (rejection) {
        draft.refuse(std::move(*rejection));
    }
}

}  // namespace pgveil::analysis
