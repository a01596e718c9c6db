#include "sql/analysis/row_types.hpp"

#include "sql/analysis/type_names.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace pgveil::analysis {

namespace {

// What these mean is certain without a look-up: pg_catalog is searched before everything else.
constexpr std::array<std::string_view, 30> kOwnTypes = {
    "aclitem",  "anyarray",     "anyelement", "bigserial",    "bit",     "box",
    "char",     "circle",       "jsonpath",   "money",        "name",    "oid",
    "path",     "pg_lsn",       "point",      "polygon",      "record",  "refcursor",
    "regclass", "regnamespace", "regproc",    "regprocedure", "regrole", "regtype",
    "serial",   "smallserial",  "tsquery",    "tsvector",     "unknown", "xml"};

static_assert(std::is_sorted(kOwnTypes.begin(), kOwnTypes.end()));

class RowTypes {
public:
    explicit RowTypes(Draft& draft) : draft_(draft) {}

    void judge(const parse::Names& names, std::uint32_t begin) {
        if (names.front() == "pgveil") {
            draft_.refuse(refusal_of(
                names.back(),
                "a type of schema pgveil",
                "nothing in schema pgveil is for clients",
                begin
            ));
        } else if (!is_known(names)) {
            judge_relation(names, begin);
        }
    }

private:
    bool is_known(const parse::Names& names) {
        parse::TypeName type;
        type.names = names;
        return (names.size() == 1 &&
                std::binary_search(kOwnTypes.begin(), kOwnTypes.end(), names.back())) ||
               type_of(type, relations().enums()).has_value();
    }

    /// The array type of `x` is called `_x`, or `__x` where that is taken (documentation of
    /// CREATE TYPE, "Array Types").
    void judge_relation(const parse::Names& names, std::uint32_t begin) {
        const std::string schema = names.size() > 1 ? names.at(names.size() - 2) : std::string();
        std::string name = names.back();
        judge_relation(catalog::RelationName{schema, name}, begin);
        while (name.size() > 1 && name.front() == '_') {
            name.erase(0, 1);
            judge_relation(catalog::RelationName{schema, name}, begin);
        }
    }

    void judge_relation(const catalog::RelationName& name, std::uint32_t begin) {
        const Judgement judgement = relations().judge_candidate(name, begin);
        if (judgement.standing == Standing::kProtected) {
            draft_.refuse(refusal_of(
                name.schema.empty() ? name.name : name.schema + "." + name.name,
                "the row type of a table with encrypted columns",
                "write the columns one by one",
                begin
            ));
        } else if (judgement.rejection) {
            draft_.refuse(*judgement.rejection);
        }
    }

    Relations& relations() { return draft_.text().relations; }

    Draft& draft_;
};

}  // namespace

void refuse_row_types(Draft& draft, const parse::Inventory& inventory) {
    if (draft.text().context.policy.is_empty()) {
        return;
    }
    RowTypes types(draft);
    for (const auto& [names, begin] : inventory.types) {
        types.judge(names, begin);
    }
}

}  // namespace pgveil::analysis
