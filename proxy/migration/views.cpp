#include "proxy/migration/views.hpp"

#include "config/migrating.hpp"
#include "proxy/migration/table.hpp"
#include "sql/schema/schema.hpp"

namespace pgveil::migration {

namespace {

constexpr const char* kLeave = R"sql(
DO $pgveil$
DECLARE
  r record;
BEGIN
  FOR r IN WITH RECURSIVE {views} SELECT c.oid::pg_catalog.regclass AS shown, c.relname FROM v JOIN pg_catalog.pg_class c USING (oid)
      WHERE c.relkind = 'v' AND NOT c.relname LIKE '%\_\_plain' LOOP
    EXECUTE pg_catalog.format('ALTER VIEW %s RENAME TO %I', r.shown, r.relname || '__plain');
  END LOOP;
END $pgveil$; )sql";

// The former table has its name back while the views are written down. Names are written in full.
constexpr const char* kReturn = R"sql(
DO $pgveil$
DECLARE
  r record; one text; found oid[]; texts text[] := '{}';
BEGIN
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog', true);
  WITH RECURSIVE {views} SELECT pg_catalog.array_agg(c.oid) INTO found FROM v JOIN pg_catalog.pg_class c USING (oid) WHERE c.relkind = 'v';
  IF found IS NOT NULL THEN
    FOR r IN SELECT c.oid::pg_catalog.regclass AS shown, c.relname FROM pg_catalog.pg_class c WHERE c.oid = ANY (found)
        AND c.relname LIKE '%\_\_plain' LOOP
      EXECUTE pg_catalog.format('ALTER VIEW %s RENAME TO %I', r.shown, pg_catalog.left(r.relname, -7));
    END LOOP;
    ALTER TABLE {former} RENAME TO {name};
    SELECT pg_catalog.array_agg(pg_catalog.format('CREATE OR REPLACE VIEW %s%s AS %s', c.oid::pg_catalog.regclass,
        CASE WHEN c.reloptions IS NULL THEN '' ELSE ' WITH (' || pg_catalog.array_to_string(c.reloptions, ', ') || ')' END,
        pg_catalog.pg_get_viewdef(c.oid)) ORDER BY c.oid) INTO texts FROM pg_catalog.pg_class c WHERE c.oid = ANY (found);
    ALTER TABLE {again} RENAME TO {retired};
  END IF;
  ALTER TABLE {fresh} RENAME TO {name};
  FOR i IN 1 .. COALESCE(pg_catalog.array_length(texts, 1), 0) LOOP
    BEGIN
      EXECUTE texts[i];
    EXCEPTION WHEN OTHERS THEN
      RAISE WARNING 'a view cannot be defined anew, and stays without its name: % (%)', SQLERRM, texts[i];
      SELECT c.oid::pg_catalog.regclass AS shown, c.relname INTO r FROM pg_catalog.pg_class c
        WHERE c.oid = (SELECT o FROM pg_catalog.unnest(found) AS o ORDER BY o OFFSET i - 1 LIMIT 1);
      EXECUTE pg_catalog.format('ALTER VIEW %s RENAME TO %I', r.shown, r.relname || '__plain');
    END;
  END LOOP;
END $pgveil$)sql";

std::string oid_of(const std::string& table) {
    return "pg_catalog.to_regclass(" + quote_literal(table) + ")";
}

}  // namespace

std::string views_over(const std::string& oid) {
    const std::string step =
        " pg_catalog.pg_depend d JOIN pg_catalog.pg_rewrite w ON w.oid = d.objid WHERE d.classid = "
        "'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.refclassid = "
        "'pg_catalog.pg_class'::pg_catalog.regclass AND w.ev_class <> d.refobjid AND d.refobjid = ";
    return "v AS (SELECT w.ev_class AS oid FROM" + step + oid + " UNION SELECT w.ev_class FROM v," +
           step + "v.oid)";
}

Result<std::vector<std::string>> read_views(Connection& database, const std::string& table) {
    const auto rows = database.run(
        "WITH RECURSIVE " + views_over(oid_of(table)) +
        " SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) FROM v JOIN pg_catalog.pg_class "
        "c "
        "USING (oid) JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = "
        "'v' "
        "ORDER BY c.oid DESC"
    );
    if (!rows) {
        return rows.error();
    }
    std::vector<std::string> views;
    for (const Row& row : *rows) {
        views.push_back(row[0]);
    }
    return views;
}

std::string views_leave_sql(const std::string& former) {
    std::string sql = kLeave;
    put(sql, "{views}", views_over(oid_of(former)));
    return sql;
}

std::string views_return_sql(const std::string& fresh, const config::PolicyName& table) {
    const Names names(table);
    const std::string retired =
        schema::quote_identifier(table.name + std::string(config::kPlainSuffix));
    std::string sql = kReturn;
    put(sql, "{views}", views_over(oid_of(names.plain)));
    put(sql, "{former}", names.plain);
    put(sql, "{again}", names.table);
    put(sql, "{retired}", retired);
    put(sql, "{fresh}", fresh);
    put(sql, "{name}", schema::quote_identifier(table.name));
    return sql;
}

}  // namespace pgveil::migration
