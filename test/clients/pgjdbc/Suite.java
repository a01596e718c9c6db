// pgjdbc: one small suite. See ../cases.py for its lines.

import java.io.ByteArrayOutputStream;
import java.io.StringReader;
import java.math.BigDecimal;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.sql.*;
import java.time.*;
import java.util.*;
import org.postgresql.PGConnection;
import org.postgresql.PGStatement;
import org.postgresql.copy.CopyManager;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

public final class Suite {
    interface Case {
        void run(Connection connection) throws Exception;
    }

    static final String INSERT = "INSERT INTO people (id, ssn, name, born, balance, note, town) VALUES (?, ?, ?, ?, ?, ?, ?)";
    static final LocalDate DAY = LocalDate.of(1984, 2, 29);
    static final Object[][] PEOPLE = {
        {1, "911-00-0001", "Zelda Quartz", DAY, new BigDecimal("10.50"), "left handed", 1},
        {2, "911-00-0002", "Oskar O'Dune", LocalDate.of(1999, 12, 31), new BigDecimal("-3"), null, 2},
        {3, "911-00-0003", "Žaneta \\ Říční", null, null, "", null},
    };
    static final Map<String, Object> KINDS = new LinkedHashMap<>();

    static {
        KINDS.put("truth", true);
        KINDS.put("small", (short) -32768);
        KINDS.put("whole", 2147483647);
        KINDS.put("large", -9223372036854775808L);
        KINDS.put("exact", new BigDecimal("12345678.9012"));
        KINDS.put("loose", new BigDecimal("0.00000000000000000001"));
        KINDS.put("single", 1.5f);
        KINDS.put("twice", 0.1);
        KINDS.put("words", "naïve\ttext");
        KINDS.put("short", "twenty characters ok");
        KINDS.put("padded", "pad");
        KINDS.put("bytes", new byte[] {0, 1, -2, -1});
        KINDS.put("day", DAY);
        KINDS.put("moment", LocalDateTime.of(2001, 2, 3, 4, 5, 6, 789012000));
        KINDS.put("instant", OffsetDateTime.of(2001, 2, 3, 4, 5, 6, 789012000, ZoneOffset.UTC));
        KINDS.put("identity", UUID.fromString("11111111-2222-3333-4444-555555555555"));
    }

    static String current = "";

    static void say(Object... seen) {
        StringJoiner line = new StringJoiner(" ");
        for (Object one : seen) {
            line.add(one instanceof byte[] bytes ? Arrays.toString(bytes) : String.valueOf(one));
        }
        System.out.println(current + ": " + line);
    }

    static void bind(PreparedStatement statement, Object... values) throws SQLException {
        for (int number = 0; number < values.length; ++number) {
            statement.setObject(number + 1, values[number]);
        }
    }

    static void show(ResultSet rows) throws SQLException {
        ResultSetMetaData meta = rows.getMetaData();
        for (int column = 1; column <= meta.getColumnCount(); ++column) {
            say(meta.getColumnLabel(column), meta.getColumnTypeName(column), meta.getPrecision(column), meta.getScale(column),
                meta.getColumnClassName(column), meta.isNullable(column));
        }
        while (rows.next()) {
            Object[] row = new Object[meta.getColumnCount()];
            for (int column = 1; column <= row.length; ++column) {
                row[column - 1] = rows.getObject(column);
            }
            say(row);
        }
    }

    static void show(Connection connection, String sql, Object... values) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            bind(statement, values);
            if (statement.execute()) {
                show(statement.getResultSet());
            } else {
                say(statement.getUpdateCount());
            }
        }
    }

    static void filled(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.executeUpdate("DELETE FROM people");
        }
        insertAll(connection, PEOPLE);
    }

    static void insertAll(Connection connection, Object[][] rows) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(INSERT)) {
            for (Object[] row : rows) {
                bind(statement, row);
                statement.addBatch();
            }
            statement.executeBatch();
        }
    }

    static void crud(Connection connection) throws Exception {
        filled(connection);
        show(connection, "SELECT * FROM people ORDER BY id");
        show(connection, "UPDATE people SET name = ?, balance = ? WHERE ssn = ?", "Zelda Q.", 11, "911-00-0001");
        show(connection, "SELECT p.name, balance, t.name AS town FROM people p JOIN towns t ON t.id = town WHERE ssn = ?",
             "911-00-0001");
        show(connection, "SELECT id, born FROM people WHERE born > ? ORDER BY born DESC", DAY);
        show(connection, "SELECT min(balance), max(balance), count(note) FROM people");
        show(connection, "DELETE FROM people WHERE ssn IN (?, ?)", "911-00-0002", "none");
    }

    static String placeholders(int count) {
        return String.join(", ", Collections.nCopies(count, "?"));
    }

    static void types(Connection connection) throws Exception {
        String names = String.join(", ", KINDS.keySet());
        try (Statement statement = connection.createStatement()) {
            statement.executeUpdate("DELETE FROM kinds");
        }
        List<Object> values = new ArrayList<>(List.of(1));
        values.addAll(KINDS.values());
        show(connection, "INSERT INTO kinds (id, " + names + ") VALUES (" + placeholders(values.size()) + ")", values.toArray());
        // Past the threshold the driver names its statements and asks for binary.
        try (PreparedStatement statement = connection.prepareStatement("SELECT * FROM kinds")) {
            for (int round = 0; round < 8; ++round) {
                show(statement.executeQuery());
            }
        }
        for (Map.Entry<String, Object> kind : KINDS.entrySet()) {
            if (!List.of("loose", "single", "bytes").contains(kind.getKey())) {
                show(connection, "SELECT " + kind.getKey() + " FROM kinds WHERE " + kind.getKey() + " = ?", kind.getValue());
            }
        }
    }

    static void nulls(Connection connection) throws Exception {
        String names = String.join(", ", KINDS.keySet());
        try (Statement statement = connection.createStatement()) {
            statement.executeUpdate("DELETE FROM kinds");
        }
        Object[] values = new Object[KINDS.size() + 1];
        values[0] = 2;
        show(connection, "INSERT INTO kinds (id, " + names + ") VALUES (" + placeholders(values.length) + ")", values);
        show(connection, "SELECT * FROM kinds WHERE words IS NULL");
        show(connection, "SELECT id FROM kinds WHERE words IS NOT DISTINCT FROM ?", (Object) null);
    }

    static void otherTypes(Connection connection, String table, String columns, String casts, Object... row) throws Exception {
        try (Statement statement = connection.createStatement()) {
            statement.executeUpdate("DELETE FROM " + table);
        }
        String insert = "INSERT INTO " + table + " (id, " + columns + ") VALUES (?, " + casts + ")";
        Object[] values = new Object[row.length + 1];
        values[0] = 2;
        show(connection, insert, values);
        values[0] = 1;
        System.arraycopy(row, 0, values, 1, row.length);
        show(connection, insert, values);
        show(connection, "SELECT * FROM " + table + " ORDER BY id");
    }

    static void times(Connection connection) throws Exception {
        LocalTime at = LocalTime.of(23, 59, 59, 999999000);
        OffsetTime zoned = OffsetTime.of(8, 15, 0, 500000000, ZoneOffset.ofHoursMinutes(5, 30));
        otherTypes(connection, "clocks", "at, span, zoned", "?, ?::interval, ?", at, "1 mon -3 days 00:00:07", zoned);
        show(connection, "SELECT id FROM clocks WHERE at = ? AND zoned = ?", at, zoned);
        show(connection, "SELECT id FROM clocks WHERE at > ? ORDER BY zoned, at", LocalTime.of(1, 0));
    }

    static void documents(Connection connection) throws Exception {
        otherTypes(connection, "documents", "raw, doc", "?::json, ?::jsonb", "{\"b\": [1, 2.50], \"a\": {}}", "{\"b\": [1, 2.50]}");
    }

    static void hosts(Connection connection) throws Exception {
        otherTypes(connection, "hosts", "host, net", "?::inet, ?::cidr", "10.1.2.3/8", "10.0.0.0/8");
        show(connection, "SELECT id FROM hosts WHERE host = ?::inet AND net = ?::cidr", "10.1.2.3/8", "10.0.0.0/8");
    }

    static void lists(Connection connection) throws Exception {
        otherTypes(connection, "lists", "marks, tags", "?, ?", connection.createArrayOf("int4", new Integer[] {1, null, 3}),
                   connection.createArrayOf("text", new String[] {"a b", "q\"", null}));
    }

    static void batch(Connection connection) throws Exception {
        try (Statement statement = connection.createStatement()) {
            statement.executeUpdate("DELETE FROM people");
        }
        Object[][] rows = new Object[50][];
        for (int n = 0; n < rows.length; ++n) {
            rows[n] = new Object[] {n, "922-" + n, "Batch " + n, DAY, new BigDecimal(n), null, 1};
        }
        insertAll(connection, rows);
        try (PreparedStatement statement = connection.prepareStatement(INSERT, Statement.RETURN_GENERATED_KEYS)) {
            for (int n = 60; n < 65; ++n) {
                bind(statement, n, "922-" + n, "Key " + n, null, null, null, null);
                statement.addBatch();
            }
            say(Arrays.toString(statement.executeBatch()));
            show(statement.getGeneratedKeys());
        }
        show(connection, "SELECT count(*), count(DISTINCT ssn) FROM people");
    }

    // reWriteBatchedInserts=true turns a batch into INSERTs of many rows.
    static void batchRewritten(Connection plain) throws Exception {
        try (Connection connection = connect(Map.of("reWriteBatchedInserts", "true"))) {
            batch(connection);
        }
    }

    static void transactions(Connection connection) throws Exception {
        filled(connection);
        connection.setAutoCommit(false);
        connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
        show(connection, "UPDATE people SET name = 'Gone' WHERE id = 1");
        connection.rollback();
        show(connection, "SELECT name FROM people WHERE id = 1");
        connection.commit();
    }

    static void savepoints(Connection connection) throws Exception {
        filled(connection);
        connection.setAutoCommit(false);
        show(connection, "UPDATE people SET name = 'Kept' WHERE id = 1");
        Savepoint inside = connection.setSavepoint("inside");
        show(connection, "UPDATE people SET name = 'Lost' WHERE id = 2");
        try {
            show(connection, INSERT, PEOPLE[2]);
        } catch (SQLException error) {
            say(error.getSQLState());
        }
        connection.rollback(inside);
        connection.commit();
        show(connection, "SELECT id, name FROM people ORDER BY id");
        connection.commit();
    }

    static void returning(Connection connection) throws Exception {
        filled(connection);
        show(connection, INSERT + " RETURNING *, id + 1", 4, "911-00-0004", "New", DAY, new BigDecimal("1.005"), "note", 3);
        show(connection, "UPDATE people SET note = ? WHERE id > 2 RETURNING id, note", "n");
        show(connection, "DELETE FROM people WHERE ssn = ? RETURNING name, born", "911-00-0004");
    }

    static void upsert(Connection connection) throws Exception {
        filled(connection);
        for (String name : List.of("First", "Second")) {
            show(connection, INSERT + " ON CONFLICT (ssn) DO UPDATE SET name = excluded.name, balance = excluded.balance"
                 + " RETURNING id, name, balance", 7, "911-00-0007", name, null, 5, null, null);
        }
        show(connection, INSERT + " ON CONFLICT DO NOTHING", PEOPLE[0]);
    }

    static void copy(Connection connection) throws Exception {
        filled(connection);
        CopyManager copies = connection.unwrap(PGConnection.class).getCopyAPI();
        say(copies.copyIn("COPY people (id, ssn, name) FROM STDIN (FORMAT csv)", new StringReader("8,eight,\"Ei, ght\"\n")));
        for (String how : List.of("", "(FORMAT csv, HEADER)")) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            say(copies.copyOut("COPY (SELECT * FROM people ORDER BY id) TO STDOUT " + how, out));
            say(out.toString(StandardCharsets.UTF_8));
        }
    }

    static void errors(Connection connection) throws Exception {
        filled(connection);
        Object[][] wrong = {PEOPLE[0], {9, "911-00-0001", "Twice", null, null, null, null}, {9, null, "No number", null, null, null, null},
            {9, "x", "y".repeat(61), null, null, null, null}, {9, "x", "y", null, 1000000000, null, null},
            {9, "x", "y", null, null, null, 77}};
        for (Object[] row : wrong) {
            failing(connection, INSERT, row);
        }
        failing(connection, "SELECT name FROM people WHERE born = 'no day'");
        failing(connection, "SELECT nothing FROM people");
        failing(connection, "SELECT name FROM peoples");
        failing(connection, "SELEC name");
        show(connection, "SELECT count(*) FROM people");
    }

    static void failing(Connection connection, String sql, Object... values) {
        try {
            show(connection, sql, values);
            say("no error");
        } catch (SQLException error) {
            ServerErrorMessage said = error instanceof PSQLException own ? own.getServerErrorMessage() : null;
            say(error.getSQLState(), said == null ? error : said.getMessage() + " " + said.getColumn() + " " + said.getConstraint()
                + " " + said.getTable() + " " + said.getPosition());
        }
    }

    static void prepared(Connection connection) throws Exception {
        filled(connection);
        try (PreparedStatement statement = connection.prepareStatement("SELECT id, name, born, balance FROM people WHERE ssn = ?")) {
            for (int round = 0; round < 12; ++round) {
                bind(statement, PEOPLE[round % 3][1]);
                show(statement.executeQuery());
                say(statement.unwrap(PGStatement.class).isUseServerPrepare());
            }
            show(connection, "CREATE TEMPORARY TABLE scratch (a int)");
            show(statement.executeQuery());
            connection.createStatement().execute("DEALLOCATE ALL");
        }
        // More statements than the driver's cache holds (256).
        for (int n = 0; n < 300; ++n) {
            try (PreparedStatement statement = connection.prepareStatement("SELECT name, " + n + " FROM people WHERE ssn = ?")) {
                bind(statement, "911-00-0001");
                for (int round = 0; round < (n < 20 ? 6 : 1); ++round) {
                    statement.executeQuery().close();
                }
            }
        }
    }

    // A result in parts: portals with a row limit, in a transaction.
    static void fetchSize(Connection connection) throws Exception {
        try (Statement statement = connection.createStatement()) {
            statement.executeUpdate("DELETE FROM people");
        }
        Object[][] rows = new Object[2000][];
        for (int n = 0; n < rows.length; ++n) {
            rows[n] = new Object[] {n, "933-" + n, "Row " + n, DAY, new BigDecimal(n), null, 1};
        }
        connection.setAutoCommit(false);
        insertAll(connection, rows);
        for (int size : new int[] {1500, 70}) {
            try (PreparedStatement statement = connection.prepareStatement("SELECT id, name, balance FROM people WHERE id >= ? ORDER BY id")) {
                statement.setFetchSize(size);
                bind(statement, 10);
                int count = 0;
                String last = "";
                try (ResultSet found = statement.executeQuery()) {
                    while (found.next()) {
                        ++count;
                        last = found.getString(2) + " " + found.getBigDecimal(3);
                        if (count % 500 == 0) {
                            show(connection, "SELECT name FROM people WHERE ssn = ?", "933-" + count);
                        }
                    }
                }
                say(size, count, last);
            }
        }
        connection.commit();
    }

    static void scrolled(Connection connection) throws Exception {
        filled(connection);
        try (Statement statement = connection.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE);
             ResultSet rows = statement.executeQuery("SELECT id, ssn, name FROM people ORDER BY id")) {
            rows.last();
            say(rows.getRow(), rows.getString(3));
            rows.updateString("name", "By the result set");
            rows.updateRow();
            rows.first();
            rows.deleteRow();
        }
        show(connection, "SELECT id, name FROM people ORDER BY id");
    }

    static void cursor(Connection connection) throws Exception {
        filled(connection);
        connection.setAutoCommit(false);
        show(connection, "DECLARE walk CURSOR FOR SELECT id, name FROM people ORDER BY id");
        show(connection, "FETCH 2 FROM walk");
        connection.commit();
    }

    static void anyOfAList(Connection connection) throws Exception {
        filled(connection);
        show(connection, "SELECT id FROM people WHERE id = ANY (?) ORDER BY id", connection.createArrayOf("int4", new Integer[] {1, 3}));
        show(connection, "SELECT id FROM people WHERE ssn = ANY (?) ORDER BY id",
             connection.createArrayOf("text", new String[] {"911-00-0001", "none", "911-00-0003"}));
    }

    static void choices(Connection connection) throws Exception {
        filled(connection);
        show(connection, "SELECT id, coalesce(note, 'none') FROM people ORDER BY id");
        show(connection, "UPDATE people SET name = CASE WHEN id = ? THEN ? ELSE name END", 1, "Case One");
        show(connection, "SELECT id, name FROM people ORDER BY id");
    }

    static void metadata(Connection connection) throws Exception {
        DatabaseMetaData meta = connection.getMetaData();
        for (String table : List.of("people", "kinds")) {
            List<ResultSet> answers = List.of(meta.getColumns(null, "public", table, "%"), meta.getPrimaryKeys(null, "public", table),
                                              meta.getImportedKeys(null, "public", table), meta.getIndexInfo(null, "public", table, false, true));
            for (ResultSet rows : answers) {
                int columns = rows.getMetaData().getColumnCount();
                while (rows.next()) {
                    StringJoiner line = new StringJoiner(" ");
                    for (int column = 1; column <= columns; ++column) {
                        // The database's name differs by itself, pages and rows are estimates.
                        String label = rows.getMetaData().getColumnLabel(column);
                        if (!label.toUpperCase(Locale.ROOT).endsWith("_CAT") && !List.of("CARDINALITY", "PAGES").contains(label)) {
                            line.add(String.valueOf(rows.getObject(column)));
                        }
                    }
                    say(line);
                }
            }
        }
    }

    static void stays(Connection connection) throws Exception {
        filled(connection);
    }

    static String url;

    // The same connection string as every other client's, in the form that JDBC wants.
    static Connection connect(Map<String, String> more) throws Exception {
        URI uri = URI.create(url);
        Properties properties = new Properties();
        String[] login = uri.getUserInfo().split(":");
        properties.setProperty("user", login[0]);
        properties.setProperty("password", login[1]);
        for (String pair : uri.getRawQuery().split("&")) {
            String[] parts = pair.split("=", 2);
            String name = parts[0].equals("application_name") ? "ApplicationName" : parts[0];
            properties.setProperty(name, URLDecoder.decode(parts[1], StandardCharsets.UTF_8));
        }
        more.forEach(properties::setProperty);
        return DriverManager.getConnection("jdbc:postgresql://" + uri.getHost() + ":" + uri.getPort() + uri.getPath(), properties);
    }

    static boolean works(String name, Case body) {
        current = name;
        try (Connection connection = connect(Map.of())) {
            body.run(connection);
            System.out.println("ok " + name);
            return true;
        } catch (Exception error) {
            String state = error instanceof SQLException own ? own.getSQLState() : error.getClass().getSimpleName();
            System.out.println("failed " + name + ": " + state + " " + String.valueOf(error.getMessage()).replaceAll("\\s+", " "));
            return false;
        }
    }

    public static void main(String[] arguments) {
        url = arguments[0];
        Map<String, Case> cases = new LinkedHashMap<>();
        cases.put("crud", Suite::crud);
        cases.put("types", Suite::types);
        cases.put("nulls", Suite::nulls);
        cases.put("times", Suite::times);
        cases.put("documents", Suite::documents);
        cases.put("hosts", Suite::hosts);
        cases.put("lists", Suite::lists);
        cases.put("batch", Suite::batch);
        cases.put("batch_rewritten", Suite::batchRewritten);
        cases.put("transactions", Suite::transactions);
        cases.put("savepoints", Suite::savepoints);
        cases.put("returning", Suite::returning);
        cases.put("upsert", Suite::upsert);
        cases.put("copy", Suite::copy);
        cases.put("errors", Suite::errors);
        cases.put("prepared", Suite::prepared);
        cases.put("fetch_size", Suite::fetchSize);
        cases.put("scrolled", Suite::scrolled);
        cases.put("cursor", Suite::cursor);
        cases.put("any_of_a_list", Suite::anyOfAList);
        cases.put("choices", Suite::choices);
        cases.put("metadata", Suite::metadata);
        cases.put("stays", Suite::stays);
        boolean allWork = true;
        for (Map.Entry<String, Case> one : cases.entrySet()) {
            allWork &= works(one.getKey(), one.getValue());
        }
        System.exit(allWork ? 0 : 1);
    }
}
