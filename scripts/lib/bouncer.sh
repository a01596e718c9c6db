# shellcheck shell=bash
# A pgbouncer beside a stack, for comparison: the same certificates, the same users file, one server connection per
# client. Needs message.sh, account.sh, server.sh.

start_bouncer() {
    local port
    port=$(free_port)
    write_private "$dir/pgbouncer.ini" <<INI
[databases]
* = host=localhost port=$pg_port
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = scram-sha-256
auth_file = $dir/users.txt
pool_mode = session
server_tls_sslmode = verify-full
server_tls_ca_file = $dir/tls/ca.crt
client_tls_sslmode = allow
client_tls_cert_file = $dir/tls/pgveil.crt
client_tls_key_file = $dir/tls/pgveil.key
default_pool_size = 50
logfile = $dir/log/pgbouncer.log
pidfile = $dir/run/pgbouncer.pid
INI
    as_account pgbouncer -q -d "$dir/pgbouncer.ini" >"$dir/log/pgbouncer.start.log" 2>&1 ||
        { tail_of "$dir/log/pgbouncer.start.log"; fail "pgbouncer did not start"; }
    BOUNCER_URL=$(url app "$port" clinic)
    local waited
    for waited in {1..50}; do
        # Its only way to be logged in upstream is the key from the client's proof, so a first login shows all.
        if psql -X -q -c 'SELECT 1' "$BOUNCER_URL" >"$dir/log/pgbouncer.login.log" 2>&1; then
            return
        fi
        sleep 0.1
    done
    tail_of "$dir/log/pgbouncer.login.log"
    tail_of "$dir/log/pgbouncer.log"
    fail "nobody can log in through pgbouncer (waited $((waited / 10)) s)"
}

stop_bouncer() {
    [ ! -s "$dir/run/pgbouncer.pid" ] || kill -INT "$(cat "$dir/run/pgbouncer.pid")" 2>/dev/null || true
}
