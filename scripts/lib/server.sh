# shellcheck shell=bash
# The throwaway PostgreSQL of a stack: $dir/postgres holds it. Needs message.sh, account.sh.
# Uses: dir, pg_bin, pg_port.

superuser_password_file() { echo "$dir/secrets/postgres.password"; }

# find_postgres: sets `pg_bin` unless it was given; the programs of the newest version from 14 to 18.
find_postgres() {
    local version
    if [ -z "$pg_bin" ]; then
        for version in 15 18 17 16 14; do
            [ -x "/usr/lib/postgresql/$version/bin/initdb" ] || continue
            pg_bin=/usr/lib/postgresql/$version/bin
            break
        done
    fi
    [ -n "$pg_bin" ] || fail "there is no PostgreSQL server on this machine; say where it is with --pg-bin DIR"
    local program
    for program in initdb pg_ctl postgres; do
        [ -x "$pg_bin/$program" ] || fail "$pg_bin has no program $program; --pg-bin wants PostgreSQL's bin folder"
    done
}

# free_port: prints a port of 127.0.0.1 that nobody listens on, below the range of outgoing connections.
free_port() {
    local port try
    for try in {1..100}; do
        port=$((10000 + (RANDOM * 32768 + RANDOM + try) % 22000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
    done
    fail "found no free port on 127.0.0.1"
}

create_server() {
    new_password >"$(superuser_password_file)"
    give_to_account "$(superuser_password_file)"
    as_account "$pg_bin/initdb" --no-sync -D "$dir/postgres" -U postgres --encoding=UTF8 --locale=C.UTF-8 \
        --auth=scram-sha-256 --pwfile="$(superuser_password_file)" >"$dir/log/initdb.log" 2>&1 ||
        { tail_of "$dir/log/initdb.log"; fail "initdb failed"; }
    cat >>"$dir/postgres/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
port = $pg_port
unix_socket_directories = ''
ssl = on
ssl_ca_file = '$dir/tls/ca.crt'
ssl_cert_file = '$dir/tls/postgres.crt'
ssl_key_file = '$dir/tls/postgres.key'
password_encryption = 'scram-sha-256'
max_connections = 150
fsync = off
CONF
    printf 'hostssl all all 127.0.0.1/32 scram-sha-256\n' >"$dir/postgres/pg_hba.conf"
}

start_server() {
    if ! as_account "$pg_bin/pg_ctl" -D "$dir/postgres" -l "$dir/log/postgresql.log" -w -t 60 start \
        >"$dir/log/pg_ctl.log" 2>&1 </dev/null; then
        tail_of "$dir/log/postgresql.log"
        tail_of "$dir/log/pg_ctl.log"
        fail "PostgreSQL did not start"
    fi
}

stop_server() {
    [ -s "$dir/postgres/postmaster.pid" ] || return 0
    as_account "$pg_bin/pg_ctl" -D "$dir/postgres" -m fast -w -t 60 stop >>"$dir/log/pg_ctl.log" 2>&1 ||
        note "PostgreSQL in $dir/postgres did not stop; see $dir/log/postgresql.log"
}

new_password() { openssl rand -hex 16; }

# url ROLE PORT DATABASE: a connection string that holds the password and checks the certificate.
url() {
    printf 'postgresql://%s:%s@localhost:%s/%s?sslmode=verify-full&sslrootcert=%s' \
        "$1" "$(cat "$dir/secrets/$1.password")" "$2" "$3" "$dir/tls/ca.crt"
}

# direct_psql ROLE DATABASE ARGUMENT...: unmodified psql straight to PostgreSQL.
direct_psql() {
    local role=$1 database=$2
    shift 2
    as_account psql -X -q -v ON_ERROR_STOP=1 "$(url "$role" "$pg_port" "$database")" "$@"
}

# create_roles: `app` is what clients log in as; `pgveil` is the proxy's own role, with a database of its own
# for the mirror of the keyring.
create_roles() {
    local role
    for role in app pgveil; do
        new_password | write_private "$dir/secrets/$role.password"
    done
    {
        printf "CREATE ROLE app LOGIN CREATEDB PASSWORD '%s';\n" "$(cat "$dir/secrets/app.password")"
        printf "CREATE ROLE pgveil LOGIN PASSWORD '%s';\n" "$(cat "$dir/secrets/pgveil.password")"
        printf 'CREATE DATABASE clinic OWNER app;\nCREATE DATABASE pgveil_home OWNER pgveil;\n'
    } | direct_psql postgres postgres -f - >"$dir/log/roles.log" 2>&1 ||
        { tail_of "$dir/log/roles.log"; fail "creating the roles failed"; }
}

# write_users_file: the SCRAM secrets of the client roles, in pgbouncer's format, exactly as the server has them:
# the same salt is what lets the proxy log in upstream with the key a client's proof reveals.
write_users_file() {
    direct_psql postgres postgres -At -c "
        SELECT format('\"%s\" \"%s\"', rolname, rolpassword) FROM pg_authid
        WHERE rolcanlogin AND NOT rolsuper AND rolname <> 'pgveil' AND rolpassword LIKE 'SCRAM-SHA-256\$%'
        ORDER BY rolname" | write_private "$dir/users.txt"
}
