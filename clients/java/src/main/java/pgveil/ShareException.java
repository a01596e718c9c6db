package pgveil;

/** There are no shares to be used; nothing was sent. The message holds none. */
public final class ShareException extends RuntimeException {
    public ShareException(String message) {
        super(message);
    }
}
