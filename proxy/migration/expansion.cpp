#include "proxy/migration/expansion.hpp"

#include "sql/schema/schema.hpp"
#include "sql/types/type.hpp"

namespace pgveil::migration {

namespace {

constexpr const char* kBegin = "BEGIN; SET LOCAL lock_timeout = '2s'; ";

/// One column of the copy, made by LIKE, becomes what it is on the other side.
std::string converted(const std::string& target, const Column& column, bool is_veiled) {
    const std::string alter = "ALTER TABLE " + target + " ";
    const std::string change = "ALTER COLUMN " + column.name;
    if (is_veiled) {
        const std::string type = types::sql_name_of(column.veil->type);
        return alter + "DROP CONSTRAINT IF EXISTS " +
               schema::quote_identifier(schema::constraint_name(column.veil->name)) + ", " +
               change + " DROP DEFAULT; " + alter + change + " TYPE " + type + " USING NULL; ";
    }
    return alter + change + " DROP DEFAULT; " + alter + change + " TYPE " +
           std::string(schema::kCiphertextType) + " USING NULL; " + alter + "ADD " +
           schema::check_constraint(column.veil->name, column.veil->scheme) + "; ";
}

/// The same for a column that gets another data key: the database sees to it that it has that one.
std::string rekeyed(const std::string& target, const Column& column, std::uint32_t key_id) {
    return "DO $pgveil$ DECLARE k record; BEGIN FOR k IN SELECT c.conname FROM "
           "pg_catalog.pg_constraint c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid "
           "AND c.conkey = ARRAY[a.attnum] WHERE c.conrelid = " +
           quote_literal(target) +
           "::pg_catalog.regclass AND a.attname = " + quote_literal(column.veil->name) +
           " AND pg_catalog.starts_with(c.conname::text, '" + std::string(schema::kDataKeyPrefix) +
           "') LOOP EXECUTE pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', " +
           quote_literal(target) + ", k.conname); END LOOP; END $pgveil$; ALTER TABLE " + target +
           " ADD " + schema::data_key_constraint(column.veil->name, key_id) + "; ";
}

/// What LIKE leaves out: storage parameters, and the comment.
std::string properties_sql(const Names& names, const std::string& target) {
    return "DO $pgveil$ DECLARE c record; BEGIN SELECT "
           "pg_catalog.array_to_string(t.reloptions, ', ') AS options, "
           "pg_catalog.obj_description(t.oid, 'pg_class') AS comment INTO c FROM "
           "pg_catalog.pg_class t WHERE t.oid = " +
           quote_literal(names.table) +
           "::pg_catalog.regclass; IF c.options <> '' THEN EXECUTE pg_catalog.format('ALTER TABLE "
           "%s SET (%s)', " +
           quote_literal(target) +
           ", c.options); END IF; IF c.comment IS NOT NULL THEN EXECUTE pg_catalog.format('COMMENT "
           "ON TABLE %s IS %L', " +
           quote_literal(target) + ", c.comment); END IF; END $pgveil$; ";
}

/// Rights of others than the owner. The quotes of names are the database's own.
std::string grants_sql(const Names& names, const std::string& target) {
    return "DO $pgveil$ DECLARE g text; BEGIN FOR g IN SELECT pg_catalog.format('GRANT %s ON %s TO "
           "%s%s', a.privilege_type, " +
           quote_literal(target) +
           ", CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE "
           "pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END, CASE WHEN "
           "a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) FROM pg_catalog.pg_class c, "
           "pg_catalog.aclexplode(c.relacl) a WHERE c.oid = " +
           quote_literal(names.table) +
           "::pg_catalog.regclass AND a.grantee <> c.relowner LOOP EXECUTE g; END LOOP; END "
           "$pgveil$; ";
}

/// What the triggers run. Who changes a row needs no right on the marks.
std::string function_sql(const Table& table, const Names& names) {
    const std::string into = "INSERT INTO " + names.marks + " (" + table.key_list() + ") ";
    return "CREATE FUNCTION " + names.function +
           "() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS "
           "$pgveil$ BEGIN IF TG_OP = 'TRUNCATE' THEN EXECUTE format('" +
           into + "SELECT " + table.key_list() +
           " FROM %I.%I', TG_TABLE_SCHEMA, TG_TABLE_NAME); RETURN NULL; END IF; "
           "IF TG_OP <> 'INSERT' THEN " +
           into + "VALUES (" + table.key_list("OLD.") + "); END IF; IF TG_OP <> 'DELETE' THEN " +
           into + "VALUES (" + table.key_list("NEW.") + "); END IF; RETURN NULL; END $pgveil$; ";
}

std::string marks_sql(const Table& table, const Names& names) {
    return "CREATE TABLE " + names.marks + " AS SELECT 0::bigint AS pgveil_number, " +
           table.key_list() + " FROM " + names.table + " WITH NO DATA; ALTER TABLE " + names.marks +
           " ADD PRIMARY KEY (pgveil_number), ALTER COLUMN pgveil_number ADD GENERATED ALWAYS AS "
           "IDENTITY; ";
}

}  // namespace

std::string triggers_sql(const Names& names, const std::string& relation) {
    return "CREATE TRIGGER pgveil_mark AFTER INSERT OR UPDATE OR DELETE ON " + relation +
           " FOR EACH ROW EXECUTE FUNCTION " + names.function +
           "(); CREATE TRIGGER pgveil_mark_all BEFORE TRUNCATE ON " + relation +
           " FOR EACH STATEMENT EXECUTE FUNCTION " + names.function + "(); ALTER TABLE " +
           relation + " ENABLE ALWAYS TRIGGER pgveil_mark, ENABLE ALWAYS TRIGGER pgveil_mark_all; ";
}

std::string expansion_sql(const Table& table, const config::TablePolicy& policy) {
    const Names names(table.name);
    const std::string target = table.sibling(names);
    std::string sql = kBegin;
    sql += schema::setup_block() + "; CREATE TABLE " + target + " (LIKE " + names.table +
           " INCLUDING ALL EXCLUDING INDEXES); ";
    for (const Column& column : table.columns) {
        if (table.is_rekeyed(column)) {
            sql += rekeyed(target, column, table.rekeying->key_id);
        } else if (!table.rekeying && column.veil != nullptr && policy.column(column.veil->name) != nullptr) {
            sql += converted(target, column, table.is_veiled);
        }
    }
    sql += "ALTER TABLE " + target + " ADD PRIMARY KEY (" + table.key_list() + "); ";
    sql +=
        "DO $pgveil$ BEGIN EXECUTE (SELECT pg_catalog.format('ALTER INDEX %s RENAME TO "
        "pgveil_%s', n.indexrelid::pg_catalog.regclass, o.indexrelid) FROM pg_catalog.pg_index "
        "n, pg_catalog.pg_index o WHERE n.indisprimary AND o.indisprimary AND n.indrelid = " +
        quote_literal(target) +
        "::pg_catalog.regclass AND o.indrelid = " + quote_literal(names.table) +
        "::pg_catalog.regclass); END $pgveil$; ";
    sql += properties_sql(names, target) + grants_sql(names, target) + marks_sql(table, names) +
           function_sql(table, names) + triggers_sql(names, names.table) + "COMMIT";
    return sql;
}

std::string enqueue_sql(const Table& table) {
    const Names names(table.name);
    return "BEGIN; INSERT INTO " + names.marks + " (" + table.key_list() + ") SELECT " +
           table.key_list() + " FROM " + names.table + "; COMMENT ON TABLE " + names.marks +
           " IS 'enqueued'; COMMIT";
}

std::string index_statements_query(const Table& table) {
    const Names names(table.name);
    const std::string target = table.sibling(names);
    // What stands behind the name of its table is the same on both sides.
    return "SELECT CASE WHEN k.oid IS NULL THEN pg_catalog.format('CREATE %sINDEX pgveil_%s ON "
           "%s%s', "
           "CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END, i.indexrelid, " +
           quote_literal(target) +
           ", pg_catalog.substr(pg_catalog.pg_get_indexdef(i.indexrelid), 1 + "
           "pg_catalog.length(pg_catalog.format('CREATE %sINDEX %I ON %I.%I', CASE WHEN "
           "i.indisunique THEN 'UNIQUE ' ELSE '' END, c.relname, n.nspname, t.relname)))) "
           "ELSE pg_catalog.format('ALTER TABLE %s ADD CONSTRAINT pgveil_%s %s', " +
           quote_literal(target) +
           ", i.indexrelid, pg_catalog.pg_get_constraintdef(k.oid)) END "
           "FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid "
           "JOIN pg_catalog.pg_class t ON t.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON "
           "n.oid = t.relnamespace LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = "
           "i.indexrelid AND k.contype = 'u' AND k.conrelid = t.oid WHERE i.indrelid = " +
           quote_literal(names.table) +
           "::pg_catalog.regclass AND NOT i.indisprimary AND pg_catalog.to_regclass(" +
           quote_literal(schema::quote_identifier(table.name.schema) + ".pgveil_") +
           " || i.indexrelid) IS NULL ORDER BY i.indexrelid";
}

std::string removal_sql(const Table& table) {
    const Names names(table.name);
    return std::string(kBegin) + "DROP TRIGGER pgveil_mark ON " + names.table +
           "; DROP TRIGGER pgveil_mark_all ON " + names.table + "; DROP FUNCTION " +
           names.function + "(); DROP TABLE " + names.marks + ", " + table.sibling(names) +
           "; COMMIT";
}

}  // namespace pgveil::migration
