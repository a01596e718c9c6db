#include "proxy/migration/obstacles.hpp"

#include "proxy/migration/views.hpp"
#include "sql/types/enum_type.hpp"
#include "sql/types/type.hpp"

#include <algorithm>

namespace pgveil::migration {

namespace {

// $1 the table; $2 its protected columns; $3 those of them without search; $4: it stays encrypted.
constexpr const char* kObstacles = R"sql(
WITH RECURSIVE t AS (SELECT c.* FROM pg_catalog.pg_class c WHERE c.oid = $1::pg_catalog.regclass),
p AS (SELECT a.attnum, a.attname, a.attname = ANY ($3::text[]) AS is_random,
    a.attidentity <> '' OR a.attgenerated <> '' AS is_made
  FROM pg_catalog.pg_attribute a, t WHERE a.attrelid = t.oid AND a.attnum > 0 AND a.attname = ANY ($2::text[])),
x AS (SELECT i.*, ic.relname, am.amname,
    EXISTS (SELECT 1 FROM pg_catalog.pg_depend d, p WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
      AND d.objid = i.indexrelid AND d.refobjid = i.indrelid AND d.refobjsubid = p.attnum)
    OR EXISTS (SELECT 1 FROM p WHERE p.attnum = ANY (i.indkey::int2[])) AS is_over
  FROM t, pg_catalog.pg_index i JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid
  JOIN pg_catalog.pg_am am ON am.oid = ic.relam WHERE i.indrelid = t.oid),
{views}
SELECT 'it is not an ordinary table: partitioned, foreign, temporary and unlogged tables and views cannot be migrated'
  FROM t WHERE t.relkind <> 'r' OR t.relpersistence <> 'p'
UNION ALL SELECT 'it has a tablespace or replica identity of its own, which the new table would not have: take it off' FROM t
  WHERE t.reltablespace <> 0 OR t.relreplident <> 'd'
UNION ALL SELECT DISTINCT pg_catalog.format('%s uses its row type: drop it, and create it again after the switch',
    pg_catalog.pg_describe_object(d.classid, d.objid, 0))
  FROM t, pg_catalog.pg_type y, pg_catalog.pg_depend d WHERE (y.oid = t.reltype OR y.typelem = t.reltype)
    AND d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.refobjid = y.oid AND d.deptype = 'n'
UNION ALL SELECT DISTINCT pg_catalog.format('%s is bound to it: drop it, and create it again after the switch',
    pg_catalog.pg_describe_object(d.classid, d.objid, 0))
  FROM t, pg_catalog.pg_depend d WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = t.oid
    AND d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
UNION ALL SELECT 'inheritance or partitions connect it with another table: detach it first' FROM t
  WHERE EXISTS (SELECT 1 FROM pg_catalog.pg_inherits h WHERE h.inhrelid = t.oid OR h.inhparent = t.oid)
UNION ALL SELECT 'it has no primary key, by which rows are told apart: add one' FROM t
  WHERE NOT EXISTS (SELECT 1 FROM x WHERE x.indisprimary)
UNION ALL SELECT DISTINCT 'its primary key contains ' || p.attname || ', which is to be encrypted: give the table another primary key, and keep this one as UNIQUE'
  FROM x, p WHERE x.indisprimary AND p.attnum = ANY (x.indkey::int2[])
UNION ALL SELECT pg_catalog.format('view %s uses it%s: drop it, and create it again through pgveil after the switch', c.oid::pg_catalog.regclass,
    CASE WHEN $4::bool THEN ', and is materialized, or has rules, another owner, a long name, or a sealed constant' ELSE '' END)
  FROM t, v JOIN pg_catalog.pg_class c USING (oid) WHERE NOT $4::bool OR c.relkind <> 'v' OR c.relowner <> t.relowner
    OR pg_catalog.octet_length(c.relname::text) > 56 OR pg_catalog.right(c.relname, 7) = '__plain'
    OR pg_catalog.pg_get_viewdef(c.oid) ~ '\\x01[0-9a-f]{10}'
    OR EXISTS (SELECT 1 FROM pg_catalog.pg_rewrite w WHERE w.ev_class = c.oid AND w.rulename <> '_RETURN')
UNION ALL SELECT pg_catalog.format('rule %I: drop it', w.rulename) FROM pg_catalog.pg_rewrite w, t WHERE w.ev_class = t.oid
UNION ALL SELECT pg_catalog.format('trigger %I: drop it; a new table would be without it, and it would see encrypted values', g.tgname)
  FROM pg_catalog.pg_trigger g, t WHERE g.tgrelid = t.oid AND NOT g.tgisinternal AND g.tgname NOT IN ('pgveil_mark', 'pgveil_mark_all')
    AND (NOT $4::bool OR pg_catalog.pg_get_triggerdef(g.oid) ~ '\\x01[0-9a-f]{10}')
UNION ALL SELECT 'row-level security: take its policies off, and create them again after the switch' FROM t
  WHERE t.relrowsecurity OR EXISTS (SELECT 1 FROM pg_catalog.pg_policy y WHERE y.polrelid = t.oid)
UNION ALL SELECT pg_catalog.format('publication %I contains it: take it out (a subscriber would get encrypted values)', b.pubname)
  FROM t, pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_publication b ON b.oid = r.prpubid WHERE r.prrelid = t.oid
UNION ALL SELECT pg_catalog.format('a right on the single column %I: grant it on the table instead', a.attname)
  FROM pg_catalog.pg_attribute a, t WHERE a.attrelid = t.oid AND a.attacl IS NOT NULL
UNION ALL SELECT pg_catalog.format('constraint %I checks %I, which the database will not be able to read: drop it', k.conname, p.attname)
  FROM t, p, pg_catalog.pg_constraint k WHERE k.conrelid = t.oid AND k.contype = 'c' AND p.attnum = ANY (k.conkey)
    AND NOT pg_catalog.starts_with(k.conname::text, 'pgveil_')
UNION ALL SELECT pg_catalog.format('constraint %I is an exclusion: drop it', k.conname)
  FROM t, pg_catalog.pg_constraint k WHERE k.conrelid = t.oid AND k.contype = 'x'
UNION ALL SELECT DISTINCT pg_catalog.format('foreign key %I is over %I: drop it, migrate both tables, and add it again through pgveil', k.conname, p.attname)
  FROM t, p, pg_catalog.pg_constraint k WHERE k.contype = 'f' AND NOT $4::bool AND (k.conrelid = t.oid AND p.attnum = ANY (k.conkey)
    OR k.confrelid = t.oid AND p.attnum = ANY (k.confkey))
UNION ALL SELECT pg_catalog.format('foreign key %I refers to the table itself: drop it, and add it again after the switch', k.conname)
  FROM t, pg_catalog.pg_constraint k WHERE k.contype = 'f' AND k.conrelid = t.oid AND k.confrelid = t.oid
UNION ALL SELECT pg_catalog.format('column %I has a DEFAULT, which cannot be sealed anew: drop it, and set it again through pgveil afterwards',
    p.attname) FROM t, p JOIN pg_catalog.pg_attrdef e ON e.adnum = p.attnum WHERE $4::bool AND e.adrelid = t.oid AND NOT p.is_made
UNION ALL SELECT pg_catalog.format('column %I is generated: it cannot be encrypted', p.attname) FROM p WHERE p.is_made
UNION ALL SELECT DISTINCT pg_catalog.format('column %I is computed from %I: drop it', g.attname, p.attname)
  FROM t, p, pg_catalog.pg_attribute g JOIN pg_catalog.pg_attrdef e ON e.adrelid = g.attrelid AND e.adnum = g.attnum
  JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.objid = e.oid
  WHERE g.attrelid = t.oid AND g.attgenerated <> '' AND d.refobjid = t.oid AND d.refobjsubid = p.attnum AND g.attnum <> p.attnum
UNION ALL SELECT pg_catalog.format('index %I has an expression or condition over a column that is to be encrypted: drop it', x.relname)
  FROM x WHERE x.is_over AND (x.indexprs IS NOT NULL OR x.indpred IS NOT NULL)
UNION ALL SELECT pg_catalog.format('index %I is %s: over encrypted columns only btree and hash work', x.relname, x.amname)
  FROM x WHERE x.is_over AND x.amname NOT IN ('btree', 'hash')
UNION ALL SELECT pg_catalog.format('index %I has an operator class or collation of its own: make it a plain one', x.relname) FROM x
  WHERE x.is_over AND EXISTS (SELECT 1 FROM pg_catalog.unnest(x.indclass::pg_catalog.oid[]) WITH ORDINALITY AS o(opclass, place)
    JOIN pg_catalog.pg_opclass c ON c.oid = o.opclass JOIN p ON p.attnum = (x.indkey::int2[])[o.place - 1] WHERE NOT c.opcdefault)
UNION ALL SELECT DISTINCT pg_catalog.format('index %I is over %I, which the policy does not let be searched: drop the index, or declare "search"', x.relname, p.attname)
  FROM x, p WHERE p.is_random AND p.attnum = ANY (x.indkey::int2[]) AND NOT x.indisprimary
)sql";

std::string text_array(const std::vector<std::string>& names) {
    std::string text = "{";
    for (const std::string& name : names) {
        text += text.size() > 1 ? ",\"" : "\"";
        for (const char letter : name) {
            text += letter == '"' || letter == '\\' ? "\\" : "";
            text += letter;
        }
        text += '"';
    }
    return text + "}";
}

/// A plain column of another type than the policy says would not be the same column encrypted.
Result<void> compare_types(
    Connection& database,
    const Names& names,
    const config::TablePolicy& policy,
    std::vector<std::string>& obstacles
) {
    for (const config::ColumnPolicy& column : policy.columns) {
        if (types::is_enum(column.type.kind)) {
            continue;  // its OID is the database's; the proxy looks at it
        }
        const auto found = database.ask(
            "SELECT pg_catalog.format_type(atttypid, atttypmod) FROM pg_catalog.pg_attribute WHERE "
            "attrelid = $1::pg_catalog.regclass AND attname = $2 AND "
            "(atttypid::text, atttypmod::text) <> ($3, $4)",
            {names.table,
             column.name,
             std::to_string(types::oid_of(column.type.kind)),
             std::to_string(column.type.typmod)}
        );
        if (!found) {
            return found.error();
        }
        for (const Row& row : *found) {
            obstacles.push_back(
                "column " + column.name + " is " + row[0] + ", but " + types::name_of(column.type) +
                " in the policy: correct " + column.pointer
            );
        }
    }
    return {};
}

}  // namespace

Result<std::vector<std::string>> find_obstacles(
    Connection& database, const Table& table, const config::TablePolicy& policy
) {
    const Names names(table.name);
    std::vector<std::string> all;
    std::vector<std::string> randomized;
    for (const config::ColumnPolicy& column : policy.columns) {
        const bool is_random = column.scheme == config::Scheme::kRandomized ||
                               column.scheme == config::Scheme::kPadded;
        all.push_back(column.name);
        if (is_random) {
            randomized.push_back(column.name);
        }
    }
    std::string query = kObstacles;
    put(query, "{views}", views_over("(SELECT t.oid FROM t)"));
    const auto found = database.ask(
        query, {names.table, text_array(all), text_array(randomized), table.rekeying ? "t" : "f"}
    );
    if (!found) {
        return found.error();
    }
    std::vector<std::string> obstacles;
    for (const Row& row : *found) {
        obstacles.push_back(row[0]);
    }
    const auto compared =
        table.is_veiled ? Result<void>() : compare_types(database, names, policy, obstacles);
    if (!compared) {
        return compared.error();
    }
    return obstacles;
}

}  // namespace pgveil::migration
