#pragma once

#include "sql/analysis/labels.hpp"
#include "sql/analysis/parameter_needs.hpp"
#include "sql/analysis/rejection.hpp"
#include "sql/analysis/relations.hpp"
#include "sql/analysis/value.hpp"
#include "sql/parse/tokens.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

// The plan of one statement while it is being made.
namespace pgveil::analysis {

/// What all statements of a text share. Borrowed by everything below.
struct Text {
    std::string_view sql;
    const Context& context;
    const parse::Tokens& tokens;
    Relations& relations;
    /// Plaintext bytes of sealed literals so far.
    std::size_t literal_bytes = 0;
    TextNames names{context.names};
    /// The text is a view's, as the database prints it: encrypted columns in comparisons are shown
    /// with a cast to bytea that nobody wrote.
    bool is_view = false;
    /// The statement at hand is CREATE VIEW: its query is kept as the server reads it.
    bool defines_view = false;
};

struct BareConstant;

/// Collects splices, parameters and the first refusal of one statement. Rules go on after a
/// refusal; what they add is thrown away. Drive it with the rules, then call finish() once.
class Draft {
public:
    Draft(Text& text, const parse::Statement& statement);

    Text& text() { return text_; }

    EnumTypes& enums() const { return text_.relations.enums(); }

    StatementPlan& plan() { return plan_; }

    bool is_refused() const { return rejection_.has_value(); }

    /// The first refusal wins.
    void refuse(Rejection rejection);
    void refuse(Use use, const ColumnPtr& column, std::uint32_t begin);
    void refuse(
        std::string_view construct,
        std::string_view hint,
        const ColumnPtr& column,
        std::uint32_t begin
    );

    /// Refuses unless the rule table allows `use` for the column's scheme. Plain (null) is allowed.
    void require(Use use, const ColumnPtr& column, std::uint32_t begin);

    /// The statement uses the column (null: a plain one) in some way.
    void note_column(const ColumnPtr& column);

    /// The statement assigns something to the column (null: a plain one).
    void note_assigned(const ColumnPtr& column);

    void splice(std::uint32_t begin, std::uint32_t end, Replacement replacement);
    /// Writes schema and name in place of an unqualified name of a relation or function.
    void qualify(const parse::TableReference& table, const catalog::RelationName& real);

    void qualify(const parse::TableReference& table, const catalog::Relation& relation) {
        qualify(table, catalog::RelationName{relation.schema, relation.name});
    }

    /// Makes the constant or parameter a value of `column`. The same again changes nothing; a
    /// second need is refused.
    void seal(const Adaptable& constant, const ColumnPtr& column, ParameterUse use);

    /// seal() for the elements of an array constant or parameter, compared.
    void seal_array(const parse::Expression& constant, const ColumnPtr& column);

    /// Writes another type into a cast of a protected value. The same again changes nothing.
    void retype(const parse::Cast& cast, const std::string& type, const ColumnPtr& column);

    /// A column of VALUES whose uses finish() compares.
    void note_list(std::shared_ptr<ListColumn> list) { lists_.push_back(std::move(list)); }

    /// The constant as an argument of EXECUTE, for this parameter of what is executed.
    void seal_argument(const parse::Expression& constant, const ParameterPlan& parameter);

    /// seal() as an assigned value of a column with bind_to, for the row with these keys (complete,
    /// in the order of bind_to).
    void seal_for_row(const parse::Expression& constant, const ColumnPtr& column, RowKeys row);

    /// The constant or parameter `expression` as a value of the key column `key`; nullopt if it is
    /// none that can be read without doubt.
    std::optional<RowKey> row_key(const parse::Expression& expression, const catalog::Column& key);

    ParameterNeeds& parameters() { return parameters_; }

    Labels& labels() { return labels_; }

    /// The rules went through the query that reads from the relation named here.
    void note_read(std::uint32_t table) { read_tables_.insert(table); }

    bool has_read(std::uint32_t table) const { return read_tables_.contains(table); }

    /// The parameter is not protected, but needs work of its own.
    void add_parameter(ParameterPlan parameter);
    std::size_t occurrences_of(std::uint32_t parameter) const;
    /// As Parse or PREPARE declared it; 0 if not.
    std::uint32_t declared_oid(std::uint32_t parameter) const;
    /// Its declared type, else the one that an earlier use gave it; 0 if nothing did.
    std::uint32_t known_oid(std::uint32_t parameter) const;

    /// What PREPARE declares, in place of Parse.
    void declare(std::vector<std::uint32_t> parameter_oids);

    /// Orders the splices, checks that no parameter is used both as plain and as protected.
    Decision finish() &&;

private:
    friend class ConstantSealer;
    friend class ParameterSealer;

    void check_parameters();
    void check_lists();
    void check_key_parameters();
    void check_rows();
    void refuse_without_row(const ColumnPtr& column, std::uint32_t begin);
    std::optional<field::KeyValue> literal_key(const BareConstant& bare, types::Kind key);
    void attach_row(std::uint32_t begin, const ColumnPtr& column, const RowKeys& row);
    void check_repeated_texts();

    Text& text_;
    const parse::Inventory& inventory_;
    StatementPlan plan_;
    std::vector<std::uint32_t> declared_oids_;
    std::optional<Rejection> rejection_;
    std::map<std::uint32_t, std::size_t> occurrences_;
    ParameterNeeds parameters_{plan_, text_.relations.enums()};

    /// What was made of a constant or parameter.
    struct Need {
        ColumnPtr column;
        ParameterUse use = ParameterUse::kPlain;
        std::vector<Conversion> conversions;
    };

    std::map<const parse::Expression*, Need> needs_;
    std::set<const parse::Cast*> retyped_;
    Labels labels_;
    std::vector<std::shared_ptr<ListColumn>> lists_;
    std::set<std::uint32_t> read_tables_;               // offsets of their names
    std::map<std::size_t, ColumnPtr> sealed_elements_;  // of arrays, by the hash of their text
    std::map<std::uint32_t, ColumnPtr> sealed_;         // by the offset of the constant
    std::map<std::uint32_t, std::set<std::uint32_t>> key_uses_;  // offsets of a key parameter
};

}  // namespace pgveil::analysis
