import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import javax.sql.DataSource;
import pgveil.ShareDataSource;
import pgveil.ShareException;
import pgveil.Shares;

/**
 * The kit under HikariCP, against a running pgveil: test/clients/kits_test.py starts it, gives this suite what it needs in PGVEIL_TEST_*,
 * and reads its lines: `ok CASE SECONDS s` or `failed CASE: why`.
 */
public class Suite {
    static final Map<String, String> TOKENS =
        Map.of("nurse", System.getenv("PGVEIL_TEST_NURSE"), "clerk", System.getenv("PGVEIL_TEST_CLERK"));
    static final Map<String, String> SEEN = Map.of("nurse", "nurse Zelda Quartz;", "clerk", "clerk Oskar O'Dune;");
    static final int TURNS = Integer.parseInt(System.getenv("PGVEIL_TEST_TURNS"));
    static final UnaryOperator<String> FOLDER = Shares.folder(Path.of(System.getenv("PGVEIL_TEST_SHARES")));
    static final ThreadLocal<Shares> NOW = new ThreadLocal<>();
    static int failures = 0;

    interface Work {
        void run() throws Exception;
    }

    static void expect(boolean holds, String what) {
        if (!holds) throw new AssertionError(what);
    }

    static <T extends Throwable> T raises(Class<T> kind, Work work) throws Exception {
        try {
            work.run();
        } catch (Throwable thrown) {
            if (kind.isInstance(thrown)) return kind.cast(thrown);
            throw new AssertionError("it raised " + thrown, thrown);
        }
        throw new AssertionError("no " + kind.getSimpleName());
    }

    static UnaryOperator<String> header(String user, String token) {
        return name -> name.equals("Pgveil-User") ? user : name.equals("Pgveil-User-Share") ? token : null;
    }

    static Shares shares(String user) {
        return Shares.of(header(user, TOKENS.get(user)), FOLDER);
    }

    static HikariDataSource pool(int size, boolean autoCommit) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(System.getenv("PGVEIL_TEST_JDBC_URL"));
        config.setMaximumPoolSize(size);
        config.setAutoCommit(autoCommit);
        return new HikariDataSource(config);
    }

    static String rows(Statement statement) throws SQLException {
        StringBuilder seen = new StringBuilder();
        try (ResultSet found = statement.executeQuery("SELECT owner, note FROM visits")) {
            while (found.next()) seen.append(found.getString(1)).append(' ').append(found.getString(2)).append(';');
        }
        return seen.toString();
    }

    static String rows(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            return rows(statement);
        }
    }

    /** Whether the pool's next connection, as it lies there, opens anybody's values. */
    static boolean leftIn(DataSource pool) throws SQLException {
        try (Connection connection = pool.getConnection()) {
            return !rows(connection).isEmpty();
        } catch (SQLException refused) {
            if (!"28000".equals(refused.getSQLState())) throw refused;
            return false;
        }
    }

    static void headersWithoutShares() throws Exception {
        String token = TOKENS.get("nurse");
        for (List<String> one : List.of(List.of("", token, "no Pgveil-User header"), List.of("nurse", "", "no Pgveil-User-Share header"),
                List.of("../users/nurse", token, "not a user id"), List.of(".nurse", token, "not a user id"),
                List.of("nur\nse", token, "not a user id"), List.of("n".repeat(256), token, "not a user id"),
                List.of("nurse", token + "'", "not a token"), List.of("nurse", "pgvt1.", "not a token"),
                List.of("nurse", token + "\n", "not a token"), List.of("nobody", token, "no app share (pgva1....) of user 'nobody'"))) {
            String said = raises(ShareException.class, () -> Shares.of(header(one.get(0), one.get(1)), FOLDER)).getMessage();
            expect(said.contains(one.get(2)) && !said.contains(token), said);
        }
        raises(ShareException.class, () -> Shares.of(name -> null, FOLDER));
        raises(ShareException.class, () -> Shares.of(header("nurse", token), user -> "pgvt1.other"));
        expect(shares("nurse").toString().equals("shares of nurse"), "toString() shows " + shares("nurse"));
    }

    static void transactions() throws Exception {
        try (HikariDataSource pool = pool(1, false)) {
            DataSource mine = ShareDataSource.wrap(pool, NOW::get);
            for (String user : List.of("nurse", "clerk", "nurse")) {
                NOW.set(shares(user));
                try (Connection connection = mine.getConnection(); Statement kept = connection.createStatement()) {
                    connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
                    for (int turn = 0; turn < 2; turn++) {
                        expect(rows(kept).equals(SEEN.get(user)), user);
                        connection.commit();
                    }
                    rows(kept);
                    connection.rollback(connection.setSavepoint());
                    expect(rows(connection).equals(SEEN.get(user)), user);
                    expect(kept.getConnection() == connection && connection.equals(connection), "another connection");
                }
                expect(!leftIn(pool), "left behind");
            }
            NOW.remove();
            raises(ShareException.class, mine::getConnection);
        }
    }

    static void transactionsThatFail() throws Exception {
        NOW.set(shares("nurse"));
        try (HikariDataSource pool = pool(1, false)) {
            DataSource mine = ShareDataSource.wrap(pool, NOW::get);
            try (Connection connection = mine.getConnection()) {
                rows(connection);
            }
            expect(!leftIn(pool), "left behind by an open transaction");
            try (Connection connection = mine.getConnection(); Statement statement = connection.createStatement()) {
                raises(SQLException.class, () -> statement.execute("SELECT 1 / 0"));
            }
            expect(!leftIn(pool), "left behind by a failed transaction");
            try (Connection connection = mine.getConnection(); Statement statement = connection.createStatement()) {
                statement.execute("SET statement_timeout = 200");
                raises(SQLException.class, () -> statement.execute("SELECT pg_sleep(60)"));
            }
            expect(!leftIn(pool), "left behind by a cancelled statement");
        }
    }

    /** A pool that gives connections out in autocommit mode, as HikariCP does unless told otherwise. */
    static void autocommit() throws Exception {
        NOW.set(shares("clerk"));
        try (HikariDataSource pool = pool(1, true)) {
            DataSource mine = ShareDataSource.wrap(pool, NOW::get);
            try (Connection connection = mine.getConnection()) {
                expect(raises(SQLException.class, () -> rows(connection)).getMessage().contains("setAutoCommit(false)"), "another message");
                connection.setAutoCommit(false);
                expect(rows(connection).equals(SEEN.get("clerk")), "clerk");
            }
            expect(!leftIn(pool), "left behind");
        }
    }

    /** How many of so many transactions of two users in turn saw anything but their user's rows. */
    static int interleaved(DataSource pool, int turns) throws Exception {
        AtomicInteger wrong = new AtomicInteger(), next = new AtomicInteger();
        ExecutorService threads = Executors.newFixedThreadPool(6);
        List<Future<?>> workers = new java.util.ArrayList<>();
        for (int worker = 0; worker < 6; worker++) {
            workers.add(threads.submit(() -> {
                for (int turn = next.getAndIncrement(); turn < turns; turn = next.getAndIncrement()) {
                    String user = turn % 7 != 0 && turn % 2 == 1 ? "clerk" : "nurse";
                    NOW.set(shares(user));
                    try (Connection connection = pool.getConnection(); Statement statement = connection.createStatement()) {
                        if (!rows(statement).equals(SEEN.get(user))) wrong.incrementAndGet();
                        if (turn % 5 == 0) raises(SQLException.class, () -> statement.execute("SELECT 1 / 0"));
                    }
                }
                return null;
            }));
        }
        threads.shutdown();
        for (Future<?> worker : workers) worker.get();
        return wrong.get();
    }

    static void interleavedInHikariCP() throws Exception {
        try (HikariDataSource pool = pool(3, false)) {
            int wrong = interleaved(ShareDataSource.wrap(pool, NOW::get), TURNS);
            expect(wrong == 0, wrong + " turns saw other rows");
            expect(!leftIn(pool), "left behind");
        }
    }

    /** What the cases above would say of a kit that sets shares for the session and takes nothing back. */
    static void controlSharesSetForTheSessionStayInThePool() throws Exception {
        Shares nurse = shares("nurse");
        try (HikariDataSource pool = pool(1, true)) {
            try (Connection connection = pool.getConnection(); PreparedStatement set = connection.prepareStatement(
                    "SELECT set_config('pgveil.user_id', ?, false), set_config('pgveil.user_token', ?, false), "
                    + "set_config('pgveil.app_share', ?, false)")) {
                set.setString(1, nurse.user());
                set.setString(2, nurse.token());
                set.setString(3, nurse.appShare());
                set.execute();
            }
            expect(leftIn(pool), "it would not be caught");
            expect(interleaved(pool, 100) > 0, "it would not be caught");
        }
    }

    static void run(String name, Work work) {
        long began = System.nanoTime();
        try {
            work.run();
            System.out.printf("ok %s %.1f s%n", name, (System.nanoTime() - began) / 1e9);
        } catch (Throwable thrown) {
            failures++;
            System.out.println("failed " + name + ": " + thrown);
            thrown.printStackTrace();
        }
    }

    public static void main(String[] arguments) {
        run("headersWithoutShares", Suite::headersWithoutShares);
        run("transactions", Suite::transactions);
        run("transactionsThatFail", Suite::transactionsThatFail);
        run("autocommit", Suite::autocommit);
        run("interleavedInHikariCP", Suite::interleavedInHikariCP);
        run("control", Suite::controlSharesSetForTheSessionStayInThePool);
        System.exit(failures == 0 ? 0 : 1);
    }
}
