#pragma once

#include <string>
#include <string_view>

// Parts that the queries of lookup.hpp have in common.
namespace pgveil::catalog {

inline constexpr std::string_view kOidOfUnqualified =
    "pg_catalog.to_regclass(pg_catalog.quote_ident(u.name))::pg_catalog.oid";

/// Qualified names are found by joining, not by to_regclass(): that raises an error, which would
/// end the client's transaction, when the role may not use the schema.
inline constexpr std::string_view kOidOfAny = R"sql(CASE
    WHEN u.schema OPERATOR(pg_catalog.=) ''
      THEN pg_catalog.to_regclass(pg_catalog.quote_ident(u.name))::pg_catalog.oid
    ELSE (SELECT c.oid FROM pg_catalog.pg_class c
          WHERE c.relname OPERATOR(pg_catalog.=) u.name::pg_catalog.name
            AND c.relnamespace OPERATOR(pg_catalog.=) CASE
              WHEN u.schema OPERATOR(pg_catalog.=) 'pg_temp' THEN pg_catalog.pg_my_temp_schema()
              ELSE (SELECT n.oid FROM pg_catalog.pg_namespace n
                    WHERE n.nspname OPERATOR(pg_catalog.=) u.schema::pg_catalog.name) END)
    END)sql";

inline constexpr std::string_view kBytewise =
    R"sql(SELECT d.encoding OPERATOR(pg_catalog.=) 6 AND CASE
    WHEN s.provider OPERATOR(pg_catalog.=) 'c' THEN d.datcollate::pg_catalog.text
      OPERATOR(pg_catalog.=) ANY (ARRAY['C', 'POSIX', 'C.UTF-8', 'C.utf8']::pg_catalog.text[])
    ELSE s.provider OPERATOR(pg_catalog.=) 'b' END AS bytewise
  FROM pg_catalog.pg_database d CROSS JOIN LATERAL (SELECT COALESCE(
    pg_catalog.to_jsonb(d) OPERATOR(pg_catalog.->>) 'datlocprovider', 'c') AS provider) s
  WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())sql";

/// Of table `c` of pg_class, behind FROM: `u.columns` of each index `i`.
inline constexpr std::string_view kUniqueKeys = R"sql(pg_catalog.pg_index i CROSS JOIN LATERAL (
    SELECT pg_catalog.string_agg(a.attnum::pg_catalog.text, ' ' ORDER BY p.place) AS columns,
      pg_catalog.count(*) AS columns_known
    FROM pg_catalog.generate_series(0, i.indnkeyatts OPERATOR(pg_catalog.-) 1) AS p(place)
    JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) c.oid
      AND a.attnum OPERATOR(pg_catalog.=) i.indkey[p.place] AND a.attnotnull
      AND a.attcollation OPERATOR(pg_catalog.=) i.indcollation[p.place]
    JOIN pg_catalog.pg_opclass o ON o.oid OPERATOR(pg_catalog.=) i.indclass[p.place] AND o.opcdefault
  ) u WHERE i.indrelid OPERATOR(pg_catalog.=) c.oid
    AND i.indisunique AND i.indimmediate AND i.indisvalid AND NOT i.indisexclusion
    AND i.indpred IS NULL AND i.indexprs IS NULL
    AND u.columns_known OPERATOR(pg_catalog.=) i.indnkeyatts
    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint n WHERE n.conrelid OPERATOR(pg_catalog.=) c.oid
      AND n.contype OPERATOR(pg_catalog.=) 'n' AND NOT n.convalidated))sql";

void replace_all(std::string& text, std::string_view from, std::string_view to);

}  // namespace pgveil::catalog
