# shellcheck shell=bash
# The one screen of the quickstart: what works with all three shares, and what each missing or wrong one gives.
# Every line is checked while it is shown. Needs message.sh, account.sh, server.sh, proxy.sh.

heading() { printf '\n%s\n' "$*"; }

# client USER ARGUMENT...: unmodified psql through the proxy, with the shares of this user.
client() {
    local user=$1
    shift
    with_shares "$user" psql "${psql_words[@]}" "$(url app "$proxy_port" clinic)" "$@"
}

# client_with PGOPTIONS ARGUMENT...: the same with exactly these session parameters.
client_with() {
    local options=$1
    shift
    as_account env PGOPTIONS="$options" psql "${psql_words[@]}" "$(url app "$proxy_port" clinic)" "$@"
}

psql_words=(-X -q -v ON_ERROR_STOP=1 -v VERBOSITY=verbose -P pager=off)

# must_show WHAT COMMAND...: shows its output; it has to succeed.
must_show() {
    local what=$1 said
    shift
    if ! said=$("$@" 2>&1); then
        printf '%s\n' "$said" | indent
        tail_of "$dir/log/pgveil.log" 8
        fail "$what did not work; it has to"
    fi
    printf '%s\n' "$said" | indent
}

# must_be_refused WHAT COMMAND...: shows the error; it has to be SQLSTATE 28000.
must_be_refused() {
    local what=$1 said
    shift
    if said=$("$@" 2>&1); then
        printf '%s\n' "$said" | indent
        fail "$what was answered; it has to be refused"
    fi
    grep -q '28000' <<<"$said" || { printf '%s\n' "$said" | indent; fail "$what was not refused with 28000"; }
    grep -vE '^(LOCATION|psql:.*LOCATION)' <<<"$said" | indent
}

indent() { grep -v '^$' | cut -c1-116 | sed 's/^/   /'; }

show_application_view() {
    heading "1. What the application sees: nurse's token, nurse's app share, the proxy's share"
    must_show "reading with all three shares" client nurse -c \
        "SELECT id, name, ssn, born, insured FROM patients ORDER BY id LIMIT 4"
}

show_database_view() {
    heading "2. What the database stores for the same rows (psql as superuser, straight to PostgreSQL)"
    local said
    said=$(must_show "reading the tables directly" direct_psql postgres clinic -P pager=off -c \
        "SELECT id, left(name::text, 24) || '...' AS name, left(ssn::text, 24) || '...' AS ssn,
                left(born::text, 24) || '...' AS born, left(insured::text, 12) || '...' AS insured
         FROM patients ORDER BY id LIMIT 4")
    printf '%s\n' "$said"
    ! grep -qE 'Aurelia|120-44|1961-03-09' <<<"$said" || fail "the database holds plaintext; it must not"
}

show_mixed_shares() {
    heading "3. Nurse's token with clerk's app share"
    local mixed
    mixed="-c pgveil.user_id=nurse -c pgveil.user_token=$(user_tool token nurse)"
    mixed+=" -c pgveil.app_share=$(as_account cat "$dir/users/clerk.app")"
    must_be_refused "a mixed pair of shares" client_with "$mixed" -c "SELECT name FROM patients"
}

show_expired_token() {
    heading "4. Nurse's token of one second, two seconds later"
    must_be_refused "an expired token" client_with "$1" -c "SELECT name FROM patients"
}

show_withdrawn_user() {
    heading "5. Clerk, before and after: pgveil-tenant user withdraw clerk"
    must_show "clerk before" client clerk -At -c \
        "SELECT 'clerk reads ' || count(*) || ' names' FROM (SELECT name FROM patients) AS p"
    withdraw_user clerk
    must_be_refused "a withdrawn user" client clerk -c "SELECT name FROM patients"
    must_show "nurse after clerk was withdrawn" client nurse -At -c \
        "SELECT 'nurse still reads ' || count(*) || ' names' FROM (SELECT name FROM patients) AS p"
}

show_no_shares() {
    heading "6. No shares at all: the login alone opens nothing, unprotected columns stay readable"
    must_be_refused "a session without shares" client_with '' -c "SELECT name FROM patients"
    must_show "an unprotected table without shares" client_with '' -At -c \
        "SELECT 'departments: ' || string_agg(title, ', ' ORDER BY code) FROM departments"
}

show_screen() {
    local expired
    expired=$(shares_as_options nurse 1) || fail "making a token of one second failed"
    show_application_view
    show_database_view
    show_mixed_shares
    sleep 2
    show_expired_token "$expired"
    show_withdrawn_user
    show_no_shares
    printf '\n'
}
