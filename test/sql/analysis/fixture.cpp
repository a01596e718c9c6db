#include "test/sql/analysis/fixture.hpp"

#include "sql/types/codec.hpp"

#include <initializer_list>

namespace pgveil::analysis::test {

namespace {

constexpr std::string_view kPolicy = R"json({
  "tables": {
    "public.patients": { "columns": {
      "name":   { "type": "varchar(10)" },
      "ssn":    { "type": "text", "search": "equality", "context": "person.ssn" },
      "born":   { "type": "date", "search": "equality" },
      "active": { "type": "bool", "search": "equality" },
      "age":    { "type": "int4", "search": "equality" },
      "email":  { "type": "varchar(20)", "search": "equality" },
      "note":   { "type": "text" } } },
    "public.visits": { "columns": {
      "patient_ssn": { "type": "text", "search": "equality", "context": "person.ssn" },
      "diagnosis":   { "type": "text" } } },
    "public.readings": { "columns": {
      "code":  { "type": "char(3)", "search": "equality", "context": "code" },
      "code5": { "type": "char(5)", "search": "equality", "context": "code" },
      "price": { "type": "numeric(8,2)", "search": "equality" },
      "big":   { "type": "int8", "search": "equality" },
      "level": { "type": "numeric" },
      "ratio": { "type": "float4", "search": "equality" },
      "dose":  { "type": "float8", "search": "equality" } } },
    "public.events": { "columns": {
      "day":   { "type": "date", "search": "order" },
      "due":   { "type": "date", "search": "order", "context": "public.events.day" },
      "paid":  { "type": "timestamp(3)", "search": "order" },
      "rank":  { "type": "int4", "search": "order" },
      "cost":  { "type": "numeric(8,2)", "search": "order" },
      "title": { "type": "varchar(10)", "search": "order" },
      "code":  { "type": "char(3)", "search": "order", "order_bytes": 9 } } },
    "public.hosts": { "columns": { "net": { "type": "cidr", "search": "equality" } } },
    "public.tales": { "columns": { "title": { "type": "text", "search": "order" } } },
    "public.\"Odd Table\"": { "columns": { "\"The Name\"": { "type": "text", "search": "equality" } } }
  },
  "plain": [ "archive.visits" ]
})json";

struct ColumnSpec {
    std::string_view name;
    bool is_ciphertext;
};

catalog::Relation relation(
    std::string_view schema, std::string_view name, std::initializer_list<ColumnSpec> columns
) {
    static std::uint32_t next_oid = 20000;
    catalog::Relation result;
    result.oid = next_oid++;
    result.schema = schema;
    result.name = name;
    for (const ColumnSpec& spec : columns) {
        catalog::Column column;
        column.name = spec.name;
        column.attnum = static_cast<std::int16_t>(result.columns.size() + 1);
        column.is_ciphertext = spec.is_ciphertext;
        result.columns.push_back(std::move(column));
    }
    return result;
}

std::string shown(const Replacement& replacement, const types::TextStyle& style) {
    if (const auto* const fixed = std::get_if<FixedText>(&replacement)) {
        return fixed->text;
    }
    if (const auto* const sealed = std::get_if<SealedLiteral>(&replacement)) {
        const auto text = types::to_text(sealed->column->type, sealed->plaintext.reveal(), style);
        return "{" + sealed->column->name + "=" +
               (text ? std::string(core::as_text(text->reveal())) : std::string("?")) + "}";
    }
    const auto& handle = std::get<ShareHandle>(replacement);
    return "{" + std::string(name_of(handle.which)) + "=" +
           std::string(core::as_text(handle.value.reveal())) + "}";
}

std::string also(const std::vector<ColumnPtr>& others) {
    std::string text;
    for (const ColumnPtr& other : others) {
        text += " or " + other->name;
    }
    return text;
}

std::string word_of(ParameterUse use) {
    switch (use) {
        case ParameterUse::kAssigned: return " assigned ";
        case ParameterUse::kCompared: return " compared ";
        case ParameterUse::kBeside: return " beside ";
        case ParameterUse::kPlain: break;
    }
    return " plain ";
}

}  // namespace

void Clinic::count_repeated_values() {
    add_to_policy("\"repeated_values\": \"count\"");
}

void Clinic::add_to_policy(std::string_view entry) {
    const std::string text = "{" + std::string(entry) + "," + std::string(kPolicy.substr(1));
    const auto parsed = config::parse_policy("policy.json", text);
    EXPECT_TRUE(parsed.has_value()) << (parsed ? "" : parsed.error().message);
    policy = parsed ? *parsed : nullptr;
}

Clinic::Clinic() {
    const auto parsed = config::parse_policy("policy.json", kPolicy);
    policy = parsed ? *parsed : nullptr;
    EXPECT_TRUE(parsed.has_value()) << (parsed ? "" : parsed.error().message);
    auto patients = relation(
        "public",
        "patients",
        {{"id", false},
         {"name", true},
         {"ssn", true},
         {"born", true},
         {"active", true},
         {"age", true},
         {"email", true},
         {"note", true},
         {"city", false}}
    );
    patients.keys = {{1}, {7}, {2}};
    add(std::move(patients));
    auto visits = relation(
        "public",
        "visits",
        {{"id", false},
         {"patient_id", false},
         {"patient_ssn", true},
         {"diagnosis", true},
         {"day", false}}
    );
    visits.keys = {{2, 5}};
    add(std::move(visits));
    add(relation(
        "public",
        "readings",
        {{"id", false},
         {"code", true},
         {"code5", true},
         {"price", true},
         {"big", true},
         {"level", true},
         {"ratio", true},
         {"dose", true}}
    ));
    add_ordered();
    add(relation("public", "hosts", {{"id", false}, {"net", true}}));
    add(relation("public", "Odd Table", {{"id", false}, {"The Name", true}}));
    add(relation(
        "public", "notes", {{"id", false}, {"title", false}, {"body", false}, {"ssn", false}}
    ));
    auto view = relation("public", "v_patients", {{"id", false}});
    view.relkind = 'v';
    view.over_protected = true;
    add(std::move(view));
    add(relation("public", "stray", {{"id", false}, {"secret", true}}));
    add(relation("other", "patients", {{"id", false}, {"name", false}}), false);
    add(relation("archive", "visits", {{"id", false}, {"diagnosis", false}}), false);
}

void Clinic::add_ordered() {
    auto events = relation(
        "public",
        "events",
        {{"id", false},
         {"day", true},
         {"due", true},
         {"paid", true},
         {"rank", true},
         {"cost", true},
         {"title", true},
         {"code", true},
         {"room", false}}
    );
    events.has_bytewise_text = true;
    add(std::move(events));
    add(relation("public", "tales", {{"id", false}, {"title", true}}));
}

void Clinic::add(catalog::Relation relation, bool is_in_path) {
    catalog::Entry entry{relation, "public"};
    if (is_in_path) {
        catalog.put({"", relation.name}, entry);
    }
    catalog.put({relation.schema, relation.name}, std::move(entry));
}

Analysis Clinic::analyze(std::string_view sql) const {
    catalog::Catalog known = catalog;
    Analysis analysis;
    for (int round = 0; round < 3; ++round) {
        analysis = analysis::analyze(
            sql,
            Context{
                *policy,
                known,
                style_,
                standard_conforming_strings,
                parameter_oids,
                limits,
                "UTF8",
                "UTF8",
                server_major,
                names,
                true,
                next_keys}
        );
        if (analysis.missing.empty()) {
            return analysis;
        }
        for (const auto& name : analysis.missing) {
            known.put(name, catalog::Entry{std::nullopt, "public"});
        }
    }
    ADD_FAILURE() << "analysis does not come to an end: " << sql;
    return analysis;
}

Decision Clinic::decide(std::string_view sql) const {
    Analysis analysis = analyze(sql);
    if (analysis.statements.size() != 1) {
        ADD_FAILURE() << analysis.statements.size() << " statements: " << sql;
        return Rejection{};
    }
    return std::move(analysis.statements.front());
}

std::string rendered(const Rejection& rejection) {
    const std::string what = rejection.construct.empty()
                                 ? rejection.message
                                 : rejection.subject + ": " + rejection.construct;
    return "!" + rejection.sqlstate + " " + what;
}

std::string Clinic::sent(std::string_view sql) const {
    const Analysis analysis = analyze(sql);
    std::string text;
    std::size_t taken = 0;
    for (const Decision& decision : analysis.statements) {
        if (const auto* const rejection = std::get_if<Rejection>(&decision)) {
            return rendered(*rejection);
        }
        for (const Splice& splice : std::get<StatementPlan>(decision).splices) {
            text += std::string(sql.substr(taken, splice.begin - taken)) +
                    shown(splice.replacement, style_);
            taken = splice.end;
        }
    }
    return text + std::string(sql.substr(taken));
}

std::string Clinic::results(std::string_view sql) const {
    const Decision decision = decide(sql);
    if (const auto* const rejection = std::get_if<Rejection>(&decision)) {
        return rendered(*rejection);
    }
    std::string text;
    for (const ResultColumn& column : std::get<StatementPlan>(decision).results) {
        text += (text.empty() ? "" : ",") +
                (column.column == nullptr ? std::string("-") : column.column->name) +
                also(column.others) +
                (column.shown_type ? " as " + types::name_of(*column.shown_type) : std::string());
    }
    return text;
}

std::string Clinic::parameters(std::string_view sql, std::vector<std::uint32_t> declared) const {
    Clinic copy = *this;
    copy.parameter_oids = std::move(declared);
    const Decision decision = copy.decide(sql);
    if (const auto* const rejection = std::get_if<Rejection>(&decision)) {
        return rendered(*rejection);
    }
    std::string text;
    for (const ParameterPlan& plan : std::get<StatementPlan>(decision).parameters) {
        text += (text.empty() ? "" : ",") + std::to_string(plan.number) +
                (plan.source == 0 ? "" : " from " + std::to_string(plan.source)) + ":" +
                (plan.column == nullptr ? std::string("-") : plan.column->name) +
                word_of(plan.use) + std::to_string(plan.declared_oid) + "/" +
                std::to_string(plan.described_oid) + (plan.is_array ? " array" : "");
        for (const types::Type& cast : plan.casts) {
            text += " as " + types::name_of(cast);
        }
    }
    return text;
}

}  // namespace pgveil::analysis::test
