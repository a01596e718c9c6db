# shellcheck shell=bash
# Who runs the servers. PostgreSQL refuses to run as root, and pgveil has no business being root: when root
# calls, everything below the stack's folder is owned by and runs as an ordinary account. Needs message.sh.

# choose_account: sets `account` to the user name servers run as.
choose_account() {
    if [ "$(id -u)" != 0 ]; then
        account=$(id -un)
    elif getent passwd postgres >/dev/null; then
        account=postgres
    else
        account=nobody
    fi
    account_group=$(id -gn "$account")
}

# account_words: sets `words` to the command words that run what follows as that user, with a clean environment
# for libpq.
account_words() {
    words=()
    [ "$(id -u)" != 0 ] || words=(setpriv --reuid="$account" --regid="$account_group" --clear-groups)
    words+=(env -u PGHOST -u PGPORT -u PGUSER -u PGDATABASE -u PGPASSWORD -u PGOPTIONS -u PGSERVICE
        HOME="$dir" LC_ALL=C.UTF-8)
}

# as_account COMMAND...: runs it as that user.
as_account() {
    local words
    account_words
    "${words[@]}" "$@"
}

# give_to_account FILE...: makes the account the owner.
give_to_account() {
    [ "$(id -u)" != 0 ] || chown -R "$account:$account_group" "$@"
}

# write_private FILE: stdin into a file of the account that nobody else can read.
write_private() {
    (umask 077 && cat >"$1")
    give_to_account "$1"
}
