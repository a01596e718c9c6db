#include "sql/catalog/lookup.hpp"

#include "sql/catalog/lookup_text.hpp"

#include <algorithm>
#include <utility>

namespace pgveil::catalog {

namespace {

// Between 1 and 4294967295 is every OID: the planner takes it for narrow. Else it estimates so much
// of what recurses that the server compiles the query (jit_above_cost), which takes it seconds.
constexpr std::string_view kNames = R"sql(
WITH RECURSIVE wanted AS (
  SELECT u.ord, u.schema, u.name, u.kind, CASE
    WHEN u.kind OPERATOR(pg_catalog.<>) 'r' THEN NULL
    ELSE {oid of u} END AS oid
  FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[]),
    pg_catalog.unnest($4::pg_catalog.text[])) WITH ORDINALITY AS u(schema, name, kind, ord)
), marker AS (
  SELECT t.oid FROM pg_catalog.pg_type t
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) t.typnamespace
  WHERE n.nspname OPERATOR(pg_catalog.=) 'pgveil' AND t.typname OPERATOR(pg_catalog.=) 'ciphertext'
), bytewise AS (
  {bytewise}
), reach AS (
  SELECT w.ord, w.oid AS start, w.oid FROM wanted w WHERE w.oid IS NOT NULL
  UNION
  SELECT r.ord, r.start, l.oid FROM reach r CROSS JOIN LATERAL (
    SELECT d.refobjid AS oid FROM pg_catalog.pg_rewrite rw JOIN pg_catalog.pg_depend d
      ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass
      AND d.objid OPERATOR(pg_catalog.=) rw.oid
      AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
      WHERE rw.ev_class OPERATOR(pg_catalog.=) r.oid
    UNION ALL SELECT i.inhrelid FROM pg_catalog.pg_inherits i WHERE i.inhparent OPERATOR(pg_catalog.=) r.oid
    UNION ALL SELECT i.inhparent FROM pg_catalog.pg_inherits i WHERE i.inhrelid OPERATOR(pg_catalog.=) r.oid
  ) l WHERE r.oid OPERATOR(pg_catalog.>=) 1::pg_catalog.oid
    AND r.oid OPERATOR(pg_catalog.<=) 4294967295::pg_catalog.oid
), ancestor AS (
  SELECT w.ord, i.inhparent AS oid, 1 AS depth
  FROM wanted w JOIN pg_catalog.pg_inherits i ON i.inhrelid OPERATOR(pg_catalog.=) w.oid
  UNION
  SELECT r.ord, i.inhparent, r.depth OPERATOR(pg_catalog.+) 1
  FROM ancestor r JOIN pg_catalog.pg_inherits i ON i.inhrelid OPERATOR(pg_catalog.=) r.oid
), ancestry AS (
  SELECT r.ord, pg_catalog.string_agg(pg_catalog.concat(
    '"', pg_catalog.replace(n.nspname::pg_catalog.text, '"', '""'), '"."',
    pg_catalog.replace(c.relname::pg_catalog.text, '"', '""'), '"'), ' ' ORDER BY r.depth, c.oid) AS names
  FROM ancestor r JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) r.oid
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
  GROUP BY r.ord
), called AS (
  SELECT w.ord, w.kind, f.oid, n.nspname FROM wanted w
  JOIN pg_catalog.pg_proc f ON f.proname OPERATOR(pg_catalog.=) w.name::pg_catalog.name
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) f.pronamespace
  WHERE w.kind OPERATOR(pg_catalog.=) ANY ('{f,b}'::pg_catalog.text[])
    AND n.nspname OPERATOR(pg_catalog.<>) ALL ('{pg_catalog,information_schema}'::pg_catalog.name[])
    AND (w.schema OPERATOR(pg_catalog.=) '' OR n.nspname OPERATOR(pg_catalog.=) CASE
      WHEN w.schema OPERATOR(pg_catalog.=) 'pg_temp' THEN (SELECT m.nspname FROM pg_catalog.pg_namespace m
        WHERE m.oid OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema())
      ELSE w.schema::pg_catalog.name END)
), notation AS (
  SELECT w.ord, n.nspname FROM wanted w
  JOIN pg_catalog.pg_type t ON t.typname OPERATOR(pg_catalog.=) w.name::pg_catalog.name
    AND t.typtype OPERATOR(pg_catalog.<>) 'c' AND t.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) t.typnamespace
  WHERE w.kind OPERATOR(pg_catalog.=) 'f'
), listed AS (
  SELECT w.ord, t.oid, t.typarray, n.nspname, pg_catalog.format_type(t.oid, NULL) AS shown FROM wanted w
  JOIN pg_catalog.pg_type t ON t.typname OPERATOR(pg_catalog.=) w.name::pg_catalog.name
    AND t.typtype OPERATOR(pg_catalog.=) 'e'
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) t.typnamespace
  WHERE w.kind OPERATOR(pg_catalog.=) 'e' AND CASE WHEN w.schema OPERATOR(pg_catalog.=) ''
    THEN pg_catalog.pg_type_is_visible(t.oid)
    ELSE n.nspname OPERATOR(pg_catalog.=) w.schema::pg_catalog.name END
)sql";

// `{parts of x.type}`: the types that an array, a domain, a range or a composite is made of.
constexpr std::string_view kParts = R"sql(SELECT t.typelem AS type FROM pg_catalog.pg_type t
      WHERE t.oid OPERATOR(pg_catalog.=) {type}
    UNION ALL SELECT t.typbasetype FROM pg_catalog.pg_type t WHERE t.oid OPERATOR(pg_catalog.=) {type}
    UNION ALL SELECT g.rngsubtype FROM pg_catalog.pg_range g
      WHERE {type} OPERATOR(pg_catalog.=) ANY (ARRAY[g.rngtypid, g.rngmultitypid])
    UNION ALL SELECT b.atttypid FROM pg_catalog.pg_type t JOIN pg_catalog.pg_attribute b
      ON b.attrelid OPERATOR(pg_catalog.=) t.typrelid AND b.attnum OPERATOR(pg_catalog.>) 0 AND NOT b.attisdropped
      WHERE t.oid OPERATOR(pg_catalog.=) {type} AND t.typrelid OPERATOR(pg_catalog.<>) 0::pg_catalog.oid)sql";

constexpr std::string_view kUnread = R"sql(), concerned AS (
  SELECT k.ord, k.nspname, 'u' AS reason FROM called k
  UNION ALL SELECT n.ord, n.nspname, 't' FROM notation n
)sql";

// Which functions see protected values. Sources are read word by word; no backslash stands here,
// because the session may read one as an escape.
constexpr std::string_view kBodies = R"sql(), signature(start, type) AS (
  SELECT k.oid, x.type FROM called k JOIN pg_catalog.pg_proc f ON f.oid OPERATOR(pg_catalog.=) k.oid
  CROSS JOIN LATERAL pg_catalog.unnest(pg_catalog.array_cat(
    pg_catalog.array_append(f.proargtypes::pg_catalog.oid[], f.prorettype),
    COALESCE(f.proallargtypes, '{}'::pg_catalog.oid[]))) AS x(type)
  UNION
  SELECT s.start, x.type FROM signature s CROSS JOIN LATERAL (
    {parts of s.type}
  ) x WHERE x.type OPERATOR(pg_catalog.<>) 0::pg_catalog.oid
    AND s.type OPERATOR(pg_catalog.>=) 1::pg_catalog.oid
    AND s.type OPERATOR(pg_catalog.<=) 4294967295::pg_catalog.oid
), run(start, oid) AS (
  SELECT k.oid, k.oid FROM called k
  UNION
  SELECT r.start, g.oid FROM run r CROSS JOIN LATERAL (
    SELECT d.refobjid AS oid FROM pg_catalog.pg_depend d
      WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass
        AND d.objid OPERATOR(pg_catalog.=) r.oid
        AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass
    UNION ALL
    SELECT p.oid FROM pg_catalog.pg_proc f
      JOIN pg_catalog.pg_language l ON l.oid OPERATOR(pg_catalog.=) f.prolang
        AND l.lanname OPERATOR(pg_catalog.<>) ALL ('{c,internal}'::pg_catalog.name[])
      CROSS JOIN LATERAL pg_catalog.regexp_split_to_table(pg_catalog.concat(
        f.prosrc, ' ', pg_catalog.lower(f.prosrc)), '[^[:alnum:]_$]+') AS v(word)
      JOIN pg_catalog.pg_proc p ON p.proname OPERATOR(pg_catalog.=) v.word::pg_catalog.name
      JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
        AND n.nspname OPERATOR(pg_catalog.<>) ALL ('{pg_catalog,information_schema}'::pg_catalog.name[])
      WHERE f.oid OPERATOR(pg_catalog.=) r.oid
  ) g WHERE r.oid OPERATOR(pg_catalog.>=) 1::pg_catalog.oid
    AND r.oid OPERATOR(pg_catalog.<=) 4294967295::pg_catalog.oid
), guarded AS (
  SELECT c.oid, c.relname FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
  WHERE n.nspname OPERATOR(pg_catalog.<>) 'pgveil'
    AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,v,m,f}'::pg_catalog."char"[])
    AND (c.relname OPERATOR(pg_catalog.=) ANY ($3::pg_catalog.text[]::pg_catalog.name[])
      OR c.oid OPERATOR(pg_catalog.=) ANY (SELECT b.attrelid FROM pg_catalog.pg_attribute b
        JOIN marker k ON b.atttypid OPERATOR(pg_catalog.=) k.oid WHERE NOT b.attisdropped))
  UNION
  SELECT v.oid, v.relname FROM guarded g JOIN pg_catalog.pg_depend d
    ON d.refobjid OPERATOR(pg_catalog.=) g.oid
    AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
    AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass
  JOIN pg_catalog.pg_rewrite rw ON rw.oid OPERATOR(pg_catalog.=) d.objid
  JOIN pg_catalog.pg_class v ON v.oid OPERATOR(pg_catalog.=) rw.ev_class
), guarded_names AS (
  SELECT pg_catalog.lower(g.relname::pg_catalog.text) AS name FROM guarded g
  UNION SELECT pg_catalog.lower(x.name) FROM pg_catalog.unnest($3::pg_catalog.text[]) AS x(name)
), naming AS (
  SELECT r.start FROM run r JOIN pg_catalog.pg_proc f ON f.oid OPERATOR(pg_catalog.=) r.oid
  JOIN pg_catalog.pg_language l ON l.oid OPERATOR(pg_catalog.=) f.prolang
    AND l.lanname OPERATOR(pg_catalog.<>) ALL ('{c,internal}'::pg_catalog.name[])
  WHERE EXISTS (SELECT 1 FROM guarded_names g WHERE CASE
    WHEN g.name OPERATOR(pg_catalog.~) '[^[:alnum:]_$]' THEN pg_catalog.strpos(
      pg_catalog.lower(f.prosrc), pg_catalog.replace(g.name, '"', '""')) OPERATOR(pg_catalog.>) 0
    ELSE g.name OPERATOR(pg_catalog.=) ANY (
      pg_catalog.regexp_split_to_array(pg_catalog.lower(f.prosrc), '[^[:alnum:]_$]+')) END)
  UNION ALL SELECT r.start FROM run r JOIN pg_catalog.pg_depend d
    ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass
    AND d.objid OPERATOR(pg_catalog.=) r.oid
    AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
  JOIN guarded g ON g.oid OPERATOR(pg_catalog.=) d.refobjid
), concerned AS (
  SELECT k.ord, k.nspname, CASE
    WHEN EXISTS (SELECT 1 FROM signature s JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) s.type
      LEFT JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) t.typrelid
      WHERE s.start OPERATOR(pg_catalog.=) k.oid
        AND (c.relname OPERATOR(pg_catalog.=) ANY ($3::pg_catalog.text[]::pg_catalog.name[])
          OR EXISTS (SELECT 1 FROM marker m WHERE m.oid OPERATOR(pg_catalog.=) t.oid))) THEN 'v'
    WHEN NOT EXISTS (SELECT 1 FROM pg_catalog.pg_proc f JOIN pg_catalog.pg_type t
        ON t.oid OPERATOR(pg_catalog.=) f.prorettype
      WHERE f.oid OPERATOR(pg_catalog.=) k.oid AND f.pronargs OPERATOR(pg_catalog.=) 0::pg_catalog.int2
        AND (t.typtype OPERATOR(pg_catalog.=) 'b'
            AND t.typcategory OPERATOR(pg_catalog.=) ANY ('{B,N,D,T}'::pg_catalog."char"[])
          OR t.typname OPERATOR(pg_catalog.=) 'void'::pg_catalog.name))
      AND EXISTS (SELECT 1 FROM naming y WHERE y.start OPERATOR(pg_catalog.=) k.oid) THEN 's'
    END AS reason
  FROM called k WHERE k.kind OPERATOR(pg_catalog.=) 'b'
  UNION ALL SELECT k.ord, k.nspname, 'u' FROM called k WHERE k.kind OPERATOR(pg_catalog.=) 'f'
  UNION ALL SELECT n.ord, n.nspname, 't' FROM notation n
)sql";

// What rows the types have in them that are asked for.
constexpr std::string_view kHeldRows = R"sql(), typed AS (
  SELECT w.ord, t.oid FROM wanted w JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) CASE
    WHEN w.kind OPERATOR(pg_catalog.=) 'o' THEN w.name::pg_catalog.oid END
  UNION ALL
  SELECT w.ord, t.oid FROM wanted w
  JOIN pg_catalog.pg_type t ON t.typname OPERATOR(pg_catalog.=) w.name::pg_catalog.name
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) t.typnamespace
  WHERE w.kind OPERATOR(pg_catalog.=) 't' AND CASE
    WHEN w.schema OPERATOR(pg_catalog.=) '' THEN pg_catalog.pg_type_is_visible(t.oid)
    WHEN w.schema OPERATOR(pg_catalog.=) 'pg_temp'
      THEN n.oid OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()
    ELSE n.nspname OPERATOR(pg_catalog.=) w.schema::pg_catalog.name END
), held(ord, type) AS (
  SELECT y.ord, y.oid FROM typed y
  UNION
  SELECT h.ord, x.type FROM held h CROSS JOIN LATERAL (
    {parts of h.type}
  ) x WHERE x.type OPERATOR(pg_catalog.<>) 0::pg_catalog.oid
    AND h.type OPERATOR(pg_catalog.>=) 1::pg_catalog.oid
    AND h.type OPERATOR(pg_catalog.<=) 4294967295::pg_catalog.oid
), holding AS (
  SELECT h.ord, pg_catalog.bool_or(EXISTS (
      SELECT 1 FROM marker m WHERE m.oid OPERATOR(pg_catalog.=) h.type)) AS is_veiled,
    pg_catalog.string_agg(pg_catalog.concat(
      '"', pg_catalog.replace(n.nspname::pg_catalog.text, '"', '""'), '"."',
      pg_catalog.replace(c.relname::pg_catalog.text, '"', '""'), '"'), ' ' ORDER BY c.oid)
      FILTER (WHERE c.oid IS NOT NULL) AS names
  FROM held h JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) h.type
  LEFT JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) t.typrelid
    AND c.relkind OPERATOR(pg_catalog.<>) 'c'
  LEFT JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
  GROUP BY h.ord
)sql";

constexpr std::string_view kNoHeldRows = R"sql(), holding AS (
  SELECT w.ord, false AS is_veiled, NULL AS names FROM wanted w WHERE false
)sql";

constexpr std::string_view kAnswer = R"sql(), part(start, type) AS (
  SELECT a.atttypid, a.atttypid FROM wanted w
  JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) w.oid
    AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped
    AND a.atttypid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
  UNION
  SELECT p.start, x.type FROM part p CROSS JOIN LATERAL (
    {parts of p.type}
  ) x WHERE x.type OPERATOR(pg_catalog.<>) 0::pg_catalog.oid
    AND p.type OPERATOR(pg_catalog.>=) 1::pg_catalog.oid
    AND p.type OPERATOR(pg_catalog.<=) 4294967295::pg_catalog.oid
), unique_keys AS (
  SELECT w.ord, pg_catalog.string_agg(u.columns, ',' ORDER BY i.indexrelid) AS keys FROM wanted w
  JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) w.oid
    AND (c.relkind OPERATOR(pg_catalog.=) 'p' OR c.relkind OPERATOR(pg_catalog.=) 'r' AND NOT EXISTS (
      SELECT 1 FROM pg_catalog.pg_inherits h WHERE h.inhparent OPERATOR(pg_catalog.=) c.oid))
  CROSS JOIN {unique keys of c} GROUP BY w.ord
)
SELECT w.ord, pg_catalog.current_schema(), c.oid, n.nspname, c.relname, c.relkind,
  CASE WHEN c.oid IS NOT NULL THEN EXISTS (
    SELECT 1 FROM reach r JOIN pg_catalog.pg_class x ON x.oid OPERATOR(pg_catalog.=) r.oid
    WHERE r.ord OPERATOR(pg_catalog.=) w.ord AND r.oid OPERATOR(pg_catalog.<>) r.start
      AND (x.relname OPERATOR(pg_catalog.=) ANY ($3::pg_catalog.text[]::pg_catalog.name[])
        OR EXISTS (SELECT 1 FROM pg_catalog.pg_attribute b JOIN marker k
                   ON b.atttypid OPERATOR(pg_catalog.=) k.oid
                   WHERE b.attrelid OPERATOR(pg_catalog.=) x.oid AND b.attnum OPERATOR(pg_catalog.>) 0
                     AND NOT b.attisdropped))) END,
  CASE WHEN c.oid IS NOT NULL THEN (SELECT b.bytewise FROM bytewise b) END,
  a.attnum, a.attname, a.atttypid, a.atttypmod, pg_catalog.format_type(a.atttypid, a.atttypmod),
  CASE WHEN a.attnum IS NOT NULL THEN EXISTS (
    SELECT 1 FROM marker k WHERE k.oid OPERATOR(pg_catalog.=) a.atttypid)
    OR a.atttypid OPERATOR(pg_catalog.=) ANY (
      SELECT p.start FROM part p JOIN marker k ON k.oid OPERATOR(pg_catalog.=) p.type) END,
  a.attnotnull, a.atthasdef,
  a.attidentity OPERATOR(pg_catalog.<>) '' OR a.attgenerated OPERATOR(pg_catalog.<>) '',
  a.attgenerated OPERATOR(pg_catalog.<>) '',
  k.nspname, k.reason,
  CASE WHEN c.relkind OPERATOR(pg_catalog.=) ANY ('{v,m}'::pg_catalog."char"[])
    AND COALESCE(a.attnum, 1::pg_catalog.int2) OPERATOR(pg_catalog.=) 1::pg_catalog.int2
    AND n.nspname OPERATOR(pg_catalog.<>) ALL ('{pg_catalog,information_schema}'::pg_catalog.name[])
    THEN pg_catalog.pg_get_viewdef(c.oid) END,
  y.names,
  CASE WHEN c.relkind OPERATOR(pg_catalog.=) 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END,
  uk.keys,
  l.oid, l.typarray, l.nspname, l.shown,
  CASE WHEN c.relkind OPERATOR(pg_catalog.=) ANY ('{v,m}'::pg_catalog."char"[])
    AND COALESCE(a.attnum, 1::pg_catalog.int2) OPERATOR(pg_catalog.=) 1::pg_catalog.int2
    AND n.nspname OPERATOR(pg_catalog.<>) ALL ('{pg_catalog,information_schema}'::pg_catalog.name[])
    THEN (SELECT pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(
        q.ev_action::pg_catalog.text, pg_catalog.getdatabaseencoding())), 'hex')
      FROM pg_catalog.pg_rewrite q WHERE q.ev_class OPERATOR(pg_catalog.=) c.oid
        AND q.rulename OPERATOR(pg_catalog.=) '_RETURN'::pg_catalog.name) END,
  c.relkind OPERATOR(pg_catalog.=) 'v' AND EXISTS (
    SELECT 1 FROM reach r JOIN pg_catalog.pg_class x ON x.oid OPERATOR(pg_catalog.=) r.oid
      AND x.relkind OPERATOR(pg_catalog.=) 'v'
    WHERE r.ord OPERATOR(pg_catalog.=) w.ord AND (EXISTS (
        SELECT 1 FROM pg_catalog.pg_rewrite q WHERE q.ev_class OPERATOR(pg_catalog.=) x.oid
          AND q.rulename OPERATOR(pg_catalog.<>) '_RETURN'::pg_catalog.name)
      OR EXISTS (SELECT 1 FROM pg_catalog.pg_trigger t WHERE t.tgrelid OPERATOR(pg_catalog.=) x.oid))),
  h.is_veiled, h.names, {viewpoint},
  CASE WHEN a.atttypid OPERATOR(pg_catalog.=) ANY (SELECT k.oid FROM marker k) THEN {data key} END
FROM wanted w
LEFT JOIN holding h ON h.ord OPERATOR(pg_catalog.=) w.ord
LEFT JOIN ancestry y ON y.ord OPERATOR(pg_catalog.=) w.ord
LEFT JOIN unique_keys uk ON uk.ord OPERATOR(pg_catalog.=) w.ord
LEFT JOIN listed l ON l.ord OPERATOR(pg_catalog.=) w.ord
LEFT JOIN concerned k ON k.ord OPERATOR(pg_catalog.=) w.ord AND k.reason IS NOT NULL
LEFT JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) w.oid
LEFT JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) c.oid
  AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped
ORDER BY w.ord, a.attnum)sql";

/// Writes out what stands in braces.
std::string expanded(std::string query) {
    for (const std::string_view type : {"s.type", "h.type", "p.type"}) {
        std::string parts(kParts);
        replace_all(parts, "{type}", type);
        replace_all(query, "{parts of " + std::string(type) + "}", parts);
    }
    replace_all(query, "{oid of u}", kOidOfAny);
    replace_all(query, "{bytewise}", kBytewise);
    replace_all(query, "{unique keys of c}", kUniqueKeys);
    replace_all(query, "{viewpoint}", kViewpoint);
    replace_all(query, "{data key}", kDataKeyOfAttribute);
    return query;
}

}  // namespace

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (std::size_t at = text.find(from); at != std::string::npos;
         at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
}

std::string lookup_query(std::span<const RelationName> names) {
    const bool reads_bodies = std::any_of(names.begin(), names.end(), [](const auto& name) {
        return name.kind == RelationName::Kind::kFunctionBody;
    });
    const bool reads_types = std::any_of(names.begin(), names.end(), names_type);
    std::string query(kNames.substr(1));
    query.append(reads_bodies ? kBodies : kUnread);
    query.append(reads_types ? kHeldRows : kNoHeldRows);
    return expanded(std::move(query.append(kAnswer)));
}

}  // namespace pgveil::catalog
