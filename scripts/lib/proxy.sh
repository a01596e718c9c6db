# shellcheck shell=bash
# The pgveil of a stack, its tenant and its users. Needs message.sh, account.sh, server.sh.
# Uses: dir, bin (the folder of the programs), proxy_port, pg_port, policy, token_validity_s, tenant (clinic).

# find_programs: copies the three programs into the stack, because the account may not be able to read the clone.
find_programs() {
    local program
    for program in pgveil pgveil-tenant pgveil-user; do
        [ -x "$bin/$program" ] || fail "$bin/$program is missing; build it with: cmake --build --preset release"
        install -m 755 "$bin/$program" "$dir/bin/$program"
    done
    as_account "$dir/bin/pgveil" --version >"$dir/log/version.log" 2>&1 ||
        { tail_of "$dir/log/version.log"; fail "user $account cannot run $dir/bin/pgveil; choose another folder with --dir"; }
}

# choose_memory: sets `memory_mode`. The locked arena needs the usual 8 MiB; some containers allow 64 KiB only.
choose_memory() {
    memory_mode=auto
    enough_locked_memory && return
    ulimit -S -l "$(ulimit -H -l)" 2>/dev/null || true
    enough_locked_memory || ulimit -l 8192 2>/dev/null || true
    enough_locked_memory && return
    memory_mode=unlocked
    note "only $(ulimit -l) KiB may be locked here (ulimit -l): the keys of this throwaway stack stand in ordinary memory"
}

enough_locked_memory() {
    [ "$(ulimit -l)" = unlimited ] || [ "$(ulimit -l)" -ge 8192 ]
}

write_settings() {
    install -m 644 "$policy" "$dir/policy.json" || fail "cannot read the policy $policy"
    write_private "$dir/pgveil.json" <<JSON
// Written by scripts/quickstart for a throwaway stack.
{
    "tenant": "${tenant:-clinic}",
    "listen": {
        "host": "127.0.0.1",
        "port": $proxy_port,
        "tls": { "mode": "require", "certificate": "tls/pgveil.crt", "key": "tls/pgveil.key" }
    },
    "upstream": {
        "host": "localhost",
        "port": $pg_port,
        "tls": { "mode": "verify-full", "ca": "tls/ca.crt" }
    },
    "users_file": "users.txt",
    "home": { "database": "pgveil_home", "user": "pgveil", "password_file": "secrets/pgveil.password" },
    "store": { "path": "store/shares.sqlite" },
    "seal": { "kind": "file", "path": "store/seal.key" },
    "policy": "policy.json",
    "tokens": { "max_validity_s": $token_validity_s },
    "memory": { "mode": "$memory_mode" },
    "log": { "level": "${PGVEIL_LOG_LEVEL:-info}", "format": "text" }
}
JSON
}

# change_settings NAME=JSON...: in pgveil.json, names as in tokens.open. The running proxy does not know yet.
change_settings() {
    python3 - "$dir/pgveil.json" "$@" <<'PYTHON'
import json, sys
path, *changes = sys.argv[1:]
with open(path, encoding="utf-8") as file:
    settings = json.loads("".join(line for line in file if not line.lstrip().startswith("//")))
for change in changes:
    name, value = change.split("=", 1)
    *parents, last = name.split(".")
    place = settings
    for parent in parents:
        place = place.setdefault(parent, {})
    place[last] = json.loads(value)
with open(path, "w", encoding="utf-8") as file:
    json.dump(settings, file, indent=4)
PYTHON
}

# order_proxy: makes store, seal and identity; keeps the one-time password where only the account reads it.
order_proxy() {
    local said
    if ! said=$(as_account "$dir/bin/pgveil" order --config "$dir/pgveil.json" 2>"$dir/log/order.log"); then
        tail_of "$dir/log/order.log"
        fail "pgveil order failed"
    fi
    sed -n 's/^one-time password: //p' <<<"$said" | write_private "$dir/secrets/one-time-password"
    identity=$(sed -n 's/^identity: //p' <<<"$said")
    [ -s "$dir/secrets/one-time-password" ] || fail "pgveil order printed no one-time password"
}

# With LD_BIND_NOW nothing is bound while keys are in registers: the dynamic linker would save those on the stack.
start_proxy() {
    rm -f "$dir/run/pgveil.pid"
    local words
    account_words
    words+=(env LD_BIND_NOW=1)
    # setsid: a Ctrl-C at the terminal must reach this script alone, which then stops everything in order.
    # shellcheck disable=SC2016 # $0 and $@ belong to the inner shell, which notes its own number
    (exec "${words[@]}" setsid sh -c 'echo $$ >"$0" && exec "$@"' "$dir/run/pgveil.pid" \
        "$dir/bin/pgveil" serve --config "$dir/pgveil.json") >>"$dir/log/pgveil.log" 2>&1 </dev/null &
    wait_for_proxy
}

# wait_for_proxy: until it accepts connections; fails at once if it has ended.
wait_for_proxy() {
    local waited
    for waited in {1..300}; do
        sleep 0.1
        [ -s "$dir/run/pgveil.pid" ] || continue
        proxy_is_running || break
        if (exec 3<>"/dev/tcp/127.0.0.1/$proxy_port") 2>/dev/null; then
            return
        fi
    done
    tail_of "$dir/log/pgveil.log"
    fail "pgveil did not start to listen on port $proxy_port (waited $((waited / 10)) s)"
}

# proxy_is_running: true only for the process this stack started, not for one that got its number later.
proxy_is_running() {
    local pid
    pid=$(cat "$dir/run/pgveil.pid" 2>/dev/null) || return 1
    tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF "$dir/pgveil.json"
}

stop_proxy() {
    local pid waited
    proxy_is_running || { rm -f "$dir/run/pgveil.pid"; return 0; }
    pid=$(cat "$dir/run/pgveil.pid")
    kill -INT "$pid" 2>/dev/null
    for waited in {1..100}; do
        proxy_is_running || break
        [ "$waited" != 50 ] || kill -KILL "$pid" 2>/dev/null
        sleep 0.1
    done
    rm -f "$dir/run/pgveil.pid"
}

# tenant_tool ARGUMENT...: pgveil-tenant on the home of this stack.
tenant_tool() {
    as_account "$dir/bin/pgveil-tenant" "$@" --home "$dir/tenant" \
        --passphrase-file "$dir/secrets/tenant.passphrase"
}

# quietly WHAT COMMAND...: runs it with its output in a log that is shown if it fails.
quietly() {
    local what=$1 log
    shift
    log=$dir/log/$(tr -c 'a-z0-9\n' '-' <<<"$what").log
    "$@" >"$log" 2>&1 || { tail_of "$log"; tail_of "$dir/log/pgveil.log" 8; fail "$what failed"; }
}

# policy_groups OPTION: "OPTION group" for the group default and every other one the policy names.
policy_groups() {
    {
        echo default
        grep -oE '"group"[[:space:]]*:[[:space:]]*"[a-z][a-z0-9_]*"' "$dir/policy.json" | cut -d'"' -f4 || true
    } | sort -u | sed "s/^/$1 /"
}

bootstrap_tenant() {
    local groups
    groups=$(policy_groups --group)
    new_password | write_private "$dir/secrets/tenant.passphrase"
    # shellcheck disable=SC2086 # one word each
    quietly "bootstrap" tenant_tool bootstrap --tenant "${tenant:-clinic}" $groups \
        --url "postgresql://bootstrap@localhost:$proxy_port/pgveil?sslmode=verify-full&sslrootcert=$dir/tls/ca.crt" \
        --otp-file "$dir/secrets/one-time-password" \
        ${PGVEIL_TEST_SCRYPT_LOG2_N:+--test-scrypt-log2-n "$PGVEIL_TEST_SCRYPT_LOG2_N"}
    rm -f "$dir/secrets/one-time-password"
}

# add_user NAME: a triple for NAME; nurse.user for the user, nurse.app for the application, TKp at the proxy.
add_user() {
    local groups
    groups=$(policy_groups --group)
    new_password | write_private "$dir/secrets/$1.passphrase"
    # shellcheck disable=SC2086 # one word each
    quietly "adding user $1" tenant_tool user add "$1" $groups --out "$dir/users" \
        --user-passphrase-file "$dir/secrets/$1.passphrase" --apply "$(url app "$proxy_port" clinic)"
}

withdraw_user() {
    quietly "withdrawing user $1" tenant_tool user withdraw "$1" --out "$dir/users" \
        --apply "$(url app "$proxy_port" clinic)"
}

# user_tool VERB USER ARGUMENT...: pgveil-user with the key file of USER.
user_tool() {
    local verb=$1 user=$2
    shift 2
    as_account "$dir/bin/pgveil-user" "$verb" --key "$dir/users/$user.user" \
        --passphrase-file "$dir/secrets/$user.passphrase" --from "$(url app "$proxy_port" clinic)" "$@"
}

# with_shares USER COMMAND...: runs a client with fresh shares in PGOPTIONS.
with_shares() {
    local user=$1
    shift
    user_tool exec "$user" --app-share "$dir/users/$user.app" -- "$@"
}

# shares_as_options USER SECONDS: the same as one line for PGOPTIONS.
shares_as_options() {
    user_tool options "$1" --app-share "$dir/users/$1.app" --valid "$2"
}
