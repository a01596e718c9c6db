package pgveil;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.function.Supplier;
import javax.sql.DataSource;

/** Wraps a DataSource, a pool for instance: each transaction begins with the shares of the request, and they end with it. */
public final class ShareDataSource {
    // pgveil wants the names as literals. The values are parameters: they stand in no text that is logged.
    private static final String SET = "SELECT set_config('pgveil.user_id', ?, true), set_config('pgveil.user_token', ?, true), "
        + "set_config('pgveil.app_share', ?, true)";

    private ShareDataSource() {}

    /** shares: of the request that this thread serves; asked at each getConnection(). Null is refused there. */
    public static DataSource wrap(DataSource pool, Supplier<Shares> shares) {
        return proxy(DataSource.class, (self, method, arguments) -> {
            if (!method.getName().equals("getConnection")) return call(pool, self, method, arguments);
            Shares now = shares.get();
            if (now == null) throw new ShareException("no shares here: this thread serves no request with shares");
            return proxy(Connection.class, new Session((Connection) call(pool, self, method, arguments), now));
        });
    }

    /** One connection, from getConnection() to close(). */
    private static final class Session implements InvocationHandler {
        private final Connection connection;
        private final Shares shares;
        private boolean isSet;

        Session(Connection connection, Shares shares) {
            this.connection = connection;
            this.shares = shares;
        }

        @Override
        public Object invoke(Object self, Method method, Object[] arguments) throws Throwable {
            String name = method.getName();
            if (name.equals("close")) endTransaction();
            Object result = call(connection, self, method, arguments);
            if (name.equals("commit") || name.equals("setAutoCommit") || name.equals("rollback") && arguments == null) isSet = false;
            return result instanceof Statement ? statement(method.getReturnType(), result, self) : result;
        }

        private Object statement(Class<?> type, Object statement, Object itsConnection) {
            return proxy(type, (self, method, arguments) -> {
                if (method.getName().equals("getConnection")) return itsConnection;
                if (method.getName().startsWith("execute")) setShares();
                return call(statement, self, method, arguments);
            });
        }

        private void setShares() throws SQLException {
            if (isSet) return;
            if (connection.getAutoCommit())
                throw new SQLException("shares are set for one transaction, and there is none: setAutoCommit(false) first", "25P01");
            try (PreparedStatement set = connection.prepareStatement(SET)) {
                set.setString(1, shares.user());
                set.setString(2, shares.token());
                set.setString(3, shares.appShare());
                set.execute();
            }
            isSet = true;
        }

        /** Whatever the pool does itself. A connection that cannot be rolled back is closed for good. */
        private void endTransaction() throws SQLException {
            if (connection.isClosed() || connection.getAutoCommit()) return;
            try { connection.rollback(); } catch (SQLException trouble) { connection.abort(Runnable::run); }
        }
    }

    private static <T> T proxy(Class<T> type, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(ShareDataSource.class.getClassLoader(), new Class<?>[] {type}, handler));
    }

    private static Object call(Object target, Object self, Method method, Object[] arguments) throws Throwable {
        if (method.getName().equals("equals")) return self == arguments[0];
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException thrown) {
            throw thrown.getCause();
        }
    }
}
