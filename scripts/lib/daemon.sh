# shellcheck shell=bash
# Programs that a script leaves running and ends later, each by its number and the time it started, so that nobody else's
# process that got the number later is touched. Needs message.sh, account.sh. Uses: dir.

# start_daemon NAME COMMAND...: runs it as the account, its output in log/NAME.log, its number in run/NAME.pid.
start_daemon() {
    local name=$1 words
    shift
    rm -f "$dir/run/$name.pid"
    account_words
    # LD_BIND_NOW: see docs/OPERATIONS.md. setsid: a Ctrl-C at the terminal must reach the script alone.
    # shellcheck disable=SC2016 # $0 and $@ belong to the inner shell
    (exec "${words[@]}" LD_BIND_NOW=1 setsid sh -c \
        'echo "$$ $(sed "s/.*) //" /proc/$$/stat | cut -d" " -f20)" >"$0" && exec "$@"' "$dir/run/$name.pid" "$@") \
        >>"$dir/log/$name.log" 2>&1 </dev/null &
    disown # bash would tell of each that is killed
}

# daemon_is_running NAME: sets `daemon_pid` if it is.
daemon_is_running() {
    local born now
    read -r daemon_pid born 2>/dev/null <"$dir/run/$1.pid" || return 1
    now=$(sed 's/.*) //' "/proc/$daemon_pid/stat" 2>/dev/null) || return 1
    [ "$(cut -d' ' -f20 <<<"$now")" = "$born" ] && [[ $now != Z* ]]
}

# wait_for_daemon NAME WHAT COMMAND...: until the command succeeds; fails at once if the program has ended.
wait_for_daemon() {
    local name=$1 what=$2 waited
    shift 2
    for waited in {1..600}; do
        sleep 0.1
        [ -s "$dir/run/$name.pid" ] || continue
        daemon_is_running "$name" || break
        ! "$@" >"$dir/log/waiting.log" 2>&1 || return 0
    done
    tail_of "$dir/log/$name.log"
    tail_of "$dir/log/waiting.log" 3
    fail "$name did not come up: waited $((waited / 10)) s for $what"
}

# stop_daemon NAME SIGNAL [SECONDS]: and waits; KILL after so long (20).
stop_daemon() {
    local waited limit=$((${3:-20} * 10))
    if daemon_is_running "$1"; then
        kill -"$2" "$daemon_pid" 2>/dev/null || true
        for ((waited = 0; waited <= limit; ++waited)); do
            daemon_is_running "$1" || break
            [ "$waited" != "$limit" ] || { note "$1 did not end and is killed"; kill -KILL "$daemon_pid" 2>/dev/null || true; }
            sleep 0.1
        done
    fi
    rm -f "$dir/run/$1.pid"
}

# answers_at PORT [PATH]: something listens there; with a path: HTTP status 200.
answers_at() {
    local status
    exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
    if [ -n "${2:-}" ]; then
        printf 'GET %s HTTP/1.0\r\n\r\n' "$2" >&3
        read -r -t 10 status <&3 || status=''
        exec 3>&-
        [[ $status == *" 200 "* ]]
        return
    fi
    exec 3>&-
}
