/** What a page may tell its user; `code`: malformed, unprotected, locked, forged, foreign, expired or name. */
export class PgveilError extends Error {
    /** @param {string} code @param {string} message */
    constructor(code, message) {
        super(message);
        this.name = "PgveilError";
        this.code = code;
    }
}
