package pgveil;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.UnaryOperator;

/** What one request brought. toString() shows the user id alone. */
public record Shares(String user, String token, String appShare) {
    /** header: request::getHeader. appShareOf: user id to app share, or null. */
    public static Shares of(UnaryOperator<String> header, UnaryOperator<String> appShareOf) {
        String user = matching(header.apply("Pgveil-User"), "(?!\\.)[ -.0-\\[\\]-~]{1,255}",
            "the request has no Pgveil-User header", "Pgveil-User is not a user id of printable ASCII without slashes");
        String token = matching(header.apply("Pgveil-User-Share"), "pgvt1\\.[A-Za-z0-9_-]++",
            "the request has no Pgveil-User-Share header", "Pgveil-User-Share is not a token (pgvt1....)");
        String none = "the application has no app share (pgva1....) of user '" + user + "'";
        return new Shares(user, token, matching(appShareOf.apply(user), "pgva1\\.[A-Za-z0-9_-]++", none, none));
    }

    private static String matching(String value, String pattern, String missing, String malformed) {
        if (value == null || value.isEmpty()) throw new ShareException(missing);
        if (!value.matches(pattern)) throw new ShareException(malformed);
        return value;
    }

    /** appShareOf for a directory of UID.app files. A file is read at each call: a renewed one counts at once. */
    public static UnaryOperator<String> folder(Path path) {
        return user -> {
            Path file = path.resolve(user + ".app");
            try {
                return Files.exists(file) ? Files.readString(file).strip() : null;
            } catch (IOException trouble) {
                throw new UncheckedIOException(trouble);
            }
        };
    }

    @Override
    public String toString() {
        return "shares of " + user;
    }
}
