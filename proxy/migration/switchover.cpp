#include "proxy/migration/switchover.hpp"

#include "config/migrating.hpp"
#include "proxy/migration/expansion.hpp"
#include "proxy/migration/views.hpp"
#include "sql/schema/schema.hpp"

#include <chrono>
#include <thread>

namespace pgveil::migration {

namespace {

// {table}, {sibling}: as regclass literals; {retired}, {name}: identifiers without schema.
constexpr const char* kSwitch = R"sql(
DO $pgveil$
DECLARE
  former oid := {table}::pg_catalog.regclass;
  fresh oid := {sibling}::pg_catalog.regclass;
  r record; last bigint; called boolean; one text; later text[] := '{}';
BEGIN
  FOR r IN SELECT k.conname, k.conrelid, k.confrelid, pg_catalog.pg_get_constraintdef(k.oid) AS def
      FROM pg_catalog.pg_constraint k
      WHERE k.contype = 'f' AND k.conparentid = 0 AND (k.conrelid = former OR k.confrelid = former) LOOP
    one := CASE r.confrelid WHEN former THEN pg_catalog.replace(r.def, 'REFERENCES ' || former::pg_catalog.regclass || '(',
      'REFERENCES ' || {sibling} || '(') ELSE r.def END;
    IF r.confrelid = former AND one = r.def THEN
      RAISE EXCEPTION 'foreign key % refers to the table in a way that is not understood: drop it', r.conname;
    END IF;
    later := later || pg_catalog.format('ALTER TABLE %s ADD CONSTRAINT %I %s%s',
      CASE r.conrelid WHEN former THEN {sibling} ELSE r.conrelid::pg_catalog.regclass::text END, r.conname, one,
      CASE WHEN one LIKE '% NOT VALID' THEN '' ELSE ' NOT VALID' END);
    EXECUTE pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', r.conrelid::pg_catalog.regclass, r.conname);
  END LOOP;
  FOR r IN SELECT i.indexrelid AS former_index, c.relname, n.oid AS fresh_index FROM pg_catalog.pg_index i
      JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_class n
      ON n.relname = 'pgveil_' || i.indexrelid AND n.relnamespace = c.relnamespace WHERE i.indrelid = former LOOP
    EXECUTE pg_catalog.format('ALTER INDEX %s RENAME TO pgveil_%s', r.former_index::pg_catalog.regclass, r.fresh_index);
    EXECUTE pg_catalog.format('ALTER INDEX %s RENAME TO %I', r.fresh_index::pg_catalog.regclass, r.relname);
  END LOOP;
  FOR r IN SELECT d.objid, a.attname FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class c ON c.oid = d.objid AND c.relkind = 'S'
      JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
      WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = former AND d.deptype = 'a' LOOP
    EXECUTE pg_catalog.format('ALTER SEQUENCE %s OWNED BY %s.%I', r.objid::pg_catalog.regclass, {sibling}, r.attname);
  END LOOP;
  FOR r IN SELECT a.attname FROM pg_catalog.pg_attribute a WHERE a.attrelid = former AND a.attidentity <> '' LOOP
    EXECUTE 'SELECT last_value, is_called FROM ' || pg_catalog.pg_get_serial_sequence({table}, r.attname) INTO last, called;
    PERFORM pg_catalog.setval(pg_catalog.pg_get_serial_sequence({sibling}, r.attname), last, called);
  END LOOP;
  FOR r IN SELECT g.tgname, g.tgenabled, pg_catalog.pg_get_triggerdef(g.oid) AS def, pg_catalog.format(' ON %I.%I ', n.nspname, c.relname) AS place
      FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE g.tgrelid = former AND NOT g.tgisinternal LOOP
    one := pg_catalog.replace(r.def, r.place, ' ON ' || {sibling} || ' ');
    IF pg_catalog.length(one) - pg_catalog.length(r.def) <> pg_catalog.length(' ON ' || {sibling} || ' ') - pg_catalog.length(r.place) THEN
      RAISE EXCEPTION 'trigger % is written in a way that is not understood: drop it', r.tgname;
    END IF;
    EXECUTE one;
    EXECUTE pg_catalog.format('ALTER TABLE %s %s TRIGGER %I', {sibling}, CASE r.tgenabled WHEN 'D' THEN 'DISABLE'
      WHEN 'R' THEN 'ENABLE REPLICA' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE' END, r.tgname);
  END LOOP;
  EXECUTE 'ALTER TABLE ' || {table} || ' RENAME TO ' || {retired};
  FOREACH one IN ARRAY later LOOP
    EXECUTE one;
  END LOOP;
END $pgveil$; )sql";

/// One table leaves its name.
std::string leave_sql(const Table& table) {
    const Names names(table.name);
    const std::string sibling = table.sibling(names);
    const auto& suffix = table.makes_plain() ? config::kVeiledSuffix : config::kPlainSuffix;
    std::string body = kSwitch;
    put(body, "{table}", quote_literal(names.table));
    put(body, "{sibling}", quote_literal(sibling));
    put(body,
        "{retired}",
        quote_literal(schema::quote_identifier(table.name.name + std::string(suffix))));
    return "DROP TRIGGER pgveil_mark ON " + names.table + "; DROP TRIGGER pgveil_mark_all ON " +
           names.table + "; " + body + triggers_sql(names, sibling) +
           (table.rekeying ? views_leave_sql(names.plain) : std::string());
}

/// `LOCK TABLE a, b IN mode MODE`. Views first: who uses one locks it before the table.
std::string lock_sql(
    const std::vector<Table>& tables, const std::string& mode, bool with_siblings
) {
    std::string list;
    for (const Table& table : tables) {
        for (const std::string& view : table.views) {
            list += (list.empty() ? "" : ", ") + view;
        }
    }
    for (const Table& table : tables) {
        const Names names(table.name);
        list += (list.empty() ? "" : ", ") + names.table +
                (with_siblings ? ", " + table.sibling(names) : std::string());
    }
    return "LOCK TABLE " + list + " IN " + mode + " MODE; ";
}

bool is_lock_conflict(const Error& error) {
    return error.sqlstate == "55P03" || error.sqlstate == "40P01";
}

}  // namespace

Result<void> Switchover::compare_keys(const Table& table) {
    const Names names(table.name);
    std::string keys;
    for (const std::string& column : table.key) {
        keys += (keys.empty() ? "" : " AND ") + ("m." + column) + " = t." + column;
    }
    const auto missing = [&](const std::string& in, const std::string& from) {
        std::string other = keys;
        put(other, "m.", "o.");
        return "(SELECT count(*) FROM " + in + " t WHERE NOT EXISTS (SELECT 1 FROM " + from +
               " o WHERE " + other + ") AND NOT EXISTS (SELECT 1 FROM " + names.marks +
               " m WHERE " + keys + "))";
    };
    const std::string sibling = table.sibling(names);
    const auto found = database_.run(
        "SELECT " + missing(names.table, sibling) + " + " + missing(sibling, names.table)
    );
    if (!found) {
        return found.error();
    }
    if (found->front()[0] == "0") {
        return {};
    }
    return Error{
        found->front()[0] + " rows stand in one of " + names.table + " and " + sibling +
            " only, and nothing marks them: somebody has changed one of the two tables past its "
            "triggers; take the migration back (--back, or unmigrate --back), and begin again",
        {}};
}

/// For a while there is no table of that name. A statement that was planned for the former one, and
/// waits for its lock or is still on its way, fails then: in the new table it would be executed,
/// and a comparison with a constant that was made for the former one would find nothing without a
/// word. It is one text, which the server runs to its end whatever becomes of this program.
std::string Switchover::switch_sql(const std::vector<Table>& tables) const {
    std::string sql = lock_sql(tables, "ACCESS EXCLUSIVE", true);
    for (const Table& table : tables) {
        sql += leave_sql(table);
    }
    sql += "COMMIT; SELECT pg_catalog.pg_sleep(0.001 * " + std::to_string(absence_.count()) + ")";
    for (const Table& table : tables) {
        sql += "; " + views_return_sql(table.sibling(Names(table.name)), table.name);
    }
    return sql;
}

Result<void> Switchover::catch_up(const std::vector<Table>& tables) {
    for (const Table& table : tables) {
        if (const auto caught = catch_up(table); !caught) {
            return caught;
        }
    }
    return {};
}

Result<void> Switchover::catch_up(const Table& table) {
    const auto first = filling_.batch(table, 0);
    if (!first) {
        return first.error();
    }
    const auto second = filling_.batch(table, 0);
    if (!second) {
        return second.error();
    }
    return *second == 0 ? Result<void>()
                        : Result<void>(Error{"rows change although they are locked", "55P03"});
}

Result<bool> Switchover::attempt(const std::vector<Table>& tables) {
    const auto locked = database_.run(
        "BEGIN; SET LOCAL lock_timeout = '1s'; " + lock_sql(tables, "EXCLUSIVE", false)
    );
    Result<void> done = locked ? catch_up(tables) : Result<void>(locked.error());
    if (done) {
        const auto switched = database_.run(switch_sql(tables));
        done = switched ? Result<void>() : Result<void>(switched.error());
    }
    if (done) {
        return true;
    }
    (void)database_.run("ROLLBACK");  // the first error says what is wrong
    return is_lock_conflict(done.error()) ? Result<bool>(false) : Result<bool>(done.error());
}

Result<void> Switchover::run(const std::vector<Table>& tables) {
    constexpr int kAttempts = 60;
    for (const Table& table : tables) {
        if (const auto compared = compare_keys(table); !compared) {
            return compared;
        }
    }
    for (int i = 0; i < kAttempts; ++i) {
        const auto done = attempt(tables);
        if (!done) {
            return done.error();
        }
        if (*done) {
            return {};
        }
        if (i == 0) {
            progress_.say("the table is in use: trying for the lock again, a second each time");
        }
        std::this_thread::sleep_for(std::chrono::seconds(1));
        for (const Table& table : tables) {
            if (const auto caught = filling_.batch(table, 0); !caught) {
                return caught.error();
            }
        }
    }
    return Error{
        "other transactions hold the table for longer than a second each time: end them (see "
        "pg_stat_activity), or run this again at a quieter time; nothing is lost meanwhile",
        {}};
}

Result<bool> Switchover::finish(Connection& database, const config::PolicyName& name) {
    const Names names(name);
    const auto found = database.ask(
        "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), pg_catalog.quote_ident("
        "pg_catalog.pg_get_userbyid(c.relowner)) FROM pg_catalog.pg_trigger g JOIN "
        "pg_catalog.pg_class c ON c.oid = g.tgrelid JOIN pg_catalog.pg_namespace n ON n.oid = "
        "c.relnamespace WHERE g.tgname = 'pgveil_mark' AND "
        "pg_catalog.to_regclass($1) IS NULL AND g.tgrelid IN (pg_catalog.to_regclass($2), "
        "pg_catalog.to_regclass($3))",
        {names.table, names.veiled, names.plain}
    );
    if (!found) {
        return found.error();
    }
    if (found->empty()) {
        return false;
    }
    const Row& row = found->front();
    const auto done = database.run("SET ROLE " + row[1] + "; " + views_return_sql(row[0], name));
    return done ? Result<bool>(true) : Result<bool>(done.error());
}

Result<void> Switchover::validate(const Table& table) {
    const auto found = database_.ask(
        "SELECT pg_catalog.format('ALTER TABLE %s VALIDATE CONSTRAINT %I', "
        "k.conrelid::pg_catalog.regclass, k.conname) FROM pg_catalog.pg_constraint k WHERE "
        "k.contype = 'f' AND NOT k.convalidated AND $1::pg_catalog.regclass IN (k.conrelid, "
        "k.confrelid)",
        {Names(table.name).table}
    );
    if (!found) {
        return found.error();
    }
    for (const Row& row : *found) {
        const auto done = database_.run(row[0]);
        if (!done) {
            progress_.say("a foreign key holds for new rows only: " + done.error().message);
        }
    }
    return {};
}

}  // namespace pgveil::migration
