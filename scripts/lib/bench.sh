# shellcheck shell=bash
# What scripts/bench measures, one figure a call; every call ends in time. Needs message.sh, account.sh, server.sh, proxy.sh, and of its caller:
# dir, root, seconds, accounts, rows, pgbench, the URLs and PROXY_OPTIONS.

# set_settings NAME=JSON...: changes pgveil.json and starts the proxy anew.
set_settings() {
    change_settings "$@"
    stop_proxy
    start_proxy
}

# without_tls URL
without_tls() { echo "${1/sslmode=verify-full/sslmode=disable}"; }

# tps KIND SCRIPT MODE CLIENTS URL [OPTIONS]: transactions a second of pgbench. KIND is plain or veiled.
tps() {
    local kind=$1 script=$2 mode=$3 clients=$4 address=$5 options=${6:-} said
    sed "s/KIND_/${kind}_/" "$root/test/bench/$script.pgbench" >"$dir/$kind.$script.pgbench"
    if ! said=$(PGOPTIONS=$options timeout --foreground $((seconds + 120)) "$pgbench" -n -M "$mode" -c "$clients" -j $((clients < 2 ? 1 : 2)) -T "$seconds" \
        -D accounts="$accounts" -f "$dir/$kind.$script.pgbench" "$address" 2>&1); then
        printf '%s\n' "$said" >&2
        fail "pgbench $kind $script $mode with $clients clients failed"
    fi
    awk '/^tps/ {print $3; found = 1} END {exit !found}' <<<"$said" ||
        fail "pgbench $kind $script $mode with $clients clients finished no transaction in $seconds s"
}

# rows_a_second KIND URL [OPTIONS]: of a SELECT of the whole big table.
rows_a_second() {
    local kind=$1 address=$2 options=${3:-} said
    sed "s/KIND_/${kind}_/" "$root/test/bench/rows.pgbench" >"$dir/$kind.rows.pgbench"
    said=$(PGOPTIONS=$options timeout --foreground 900 "$pgbench" -n -t 1 -c 1 -f "$dir/$kind.rows.pgbench" "$address" 2>&1) ||
        { printf '%s\n' "$said" >&2; fail "the SELECT of $rows rows of $kind failed"; }
    awk -v rows="$rows" '/^latency average/ {printf "%.0f\n", rows * 1000 / $4}' <<<"$said"
}

# copied_a_second KIND URL WHERE [OPTIONS]: rows of a COPY FROM into an empty table.
copied_a_second() {
    local kind=$1 address=$2 where=$3 options=${4:-} begin end
    psql -X -q "$DIRECT_URL" -c "TRUNCATE ${kind}_copied" || fail "${kind}_copied could not be emptied"
    begin=$(date +%s%N)
    PGOPTIONS=$options timeout --foreground 1800 psql -X -q -v ON_ERROR_STOP=1 "$address" -c "COPY ${kind}_copied FROM STDIN $where" <"$dir/big.copy" ||
        fail "COPY into ${kind}_copied failed"
    end=$(date +%s%N)
    awk -v rows="$rows" -v ns=$((end - begin)) 'BEGIN {printf "%.0f\n", rows * 1e9 / ns}'
}

# key_work per_token|per_request[_of_many]: microseconds of the key work of one request, the median of 5.
key_work() {
    timeout --foreground 300 "$bin/key_work_bench" --benchmark_filter="/$1\$" --benchmark_repetitions=5 \
        --benchmark_report_aggregates_only=true --benchmark_format=csv 2>/dev/null |
        sed -nE "s/^\"key_work\/$1_median\",[0-9]+,([0-9.e+]+),.*/\1/p"
}

# openssl_speed: MB/s of AES-256-GCM in blocks of 16 KB, on one core, as libcrypto's own program measures it.
openssl_speed() {
    timeout --foreground 60 openssl speed -mr -seconds 2 -bytes 16384 -evp aes-256-gcm 2>/dev/null |
        awk -F: '/^\+?F:/ {printf "%.0f\n", $NF / 1e6; found = 1} END {exit !found}'
}

# envelope_work seal|open: MB/s of the body of a protected file from memory to memory, the median of 5.
envelope_work() {
    timeout --foreground 300 "$bin/envelope_bench" --benchmark_filter="^$1_body\$" --benchmark_repetitions=5 \
        --benchmark_report_aggregates_only=true --benchmark_format=json 2>/dev/null |
        awk -F'[:,]' '/"name"/ {median = /_median"/} median && /"bytes_per_second"/ {printf "%.0f\n", $2 / 1e6}'
}

# timed_file COMMAND...: MB/s of $file_bytes bytes, with the data on the disk at the end of it.
timed_file() {
    local begin end
    begin=$(date +%s%N)
    "$@" || return 1
    sync -d "$dir/sealed.file"
    end=$(date +%s%N)
    rm -f "$dir/sealed.file"
    awk -v bytes="$file_bytes" -v ns=$((end - begin)) 'BEGIN {printf "%.0f\n", bytes * 1000 / ns}'
}

age_file() {
    [ -e "$dir/age.key" ] || age-keygen -o "$dir/age.key" 2>/dev/null || return 1
    timed_file age -r "$(sed -n 's/^# public key: //p' "$dir/age.key")" -o "$dir/sealed.file" "$dir/plain.file"
}

new_envelope_key() {
    [ -e "$dir/envelope.key" ] || "$bin/pgveil-envelope" init --holder "one=$dir/one" --holder "two=$dir/two" --holder "three=$dir/three" \
        --key "$dir/envelope.key" 2>/dev/null
}

envelope_file() {
    new_envelope_key || return 1
    timed_file "$bin/pgveil-envelope" seal "$dir/plain.file" --key "$dir/envelope.key" --out "$dir/sealed.file" 2>/dev/null
}

# quorum_work NAME: its figure in test/bench/quorum_bench.cpp, in the unit given there, the median of 5.
quorum_work() {
    timeout --foreground 300 "$bin/quorum_bench" --benchmark_filter="^$1\$" --benchmark_repetitions=5 \
        --benchmark_report_aggregates_only=true --benchmark_format=csv 2>/dev/null |
        sed -nE "s/^\"$1_median\",[0-9]+,([0-9.e+]+),.*/\1/p"
}

# custody_work NAME: milliseconds of its figure in test/bench/custody_bench.cpp, the median of 5, with the custodians that run.
custody_work() {
    CUSTODY_BENCH_ASKERS=$dir/custody/bench/custodians.json CUSTODY_BENCH_GROUP=$dir/custody/public/bench.group \
        timeout --foreground 300 "$bin/custody_bench" --benchmark_filter="^$1/" --benchmark_repetitions=5 \
        --benchmark_report_aggregates_only=true --benchmark_format=csv 2>/dev/null |
        sed -nE "s/^\"$1\/real_time_median\",[0-9]+,([0-9.e+]+),.*/\1/p"
}

# with_a_slow_one NAME: the same while the custodian that is asked first answers nothing.
with_a_slow_one() {
    daemon_is_running custodian-1 || return 1
    kill -STOP "$daemon_pid"
    custody_work "$1"
    kill -CONT "$daemon_pid"
}

# generate_group: milliseconds until five custodians have made a key, three of five.
generate_group() {
    local begin end
    begin=$(date +%s%N)
    as_account "$dir/bin/pgveil-custodian" group create --custodians "$dir/custody/admin/custodians.json" --threshold 3 \
        --policy "$dir/custody/admin/bench.policy.json" --out "$dir/custody/admin/timed-$begin.group" >/dev/null || return 1
    end=$(date +%s%N)
    awk -v ns=$((end - begin)) 'BEGIN {printf "%.1f\n", ns / 1e6}'
}

# envelope_memory seal|open: the most that a file of $stream_bytes bytes takes, MB.
envelope_memory() {
    local sealed=$dir/streamed.pgveil
    new_envelope_key || return 1
    [ -e "$sealed" ] || head -c "$stream_bytes" /dev/zero | "$bin/pgveil-envelope" seal - --key "$dir/envelope.key" --out "$sealed" 2>/dev/null
    case $1 in
        seal) head -c "$stream_bytes" /dev/zero | peak "$bin/pgveil-envelope" seal - --key "$dir/envelope.key" --out - ;;
        open) peak "$bin/pgveil-envelope" open "$sealed" --out - --holder "$dir/one" --holder "$dir/two" ;;
    esac
}

# peak COMMAND...: the most memory of it, MB, its output thrown away.
peak() {
    python3 -c '
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
print(round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000, 1))' "$@"
}

# add_users COUNT: seconds until so many new users have their files and the proxy their shares.
add_users() {
    local begin end
    seq --format "member%.0f" "$1" >"$dir/members"
    begin=$(date +%s%N)
    PGVEIL_MEMORY=unlocked tenant_tool user import "$dir/members" --no-passphrase --out "$dir/users/members" --apply "$PROXY_URL" >&2 ||
        fail "the users could not be added"
    end=$(date +%s%N)
    awk -v ns=$((end - begin)) 'BEGIN {printf "%.1f\n", ns / 1e9}'
}

# memory WHAT NUMBER URL UNIT: see test/bench/memory.py; in units of so many bytes. Debian's psycopg is its python's own.
memory() {
    local bytes
    bytes=$(PGOPTIONS='' timeout --foreground 1800 /usr/bin/python3 -B "$root/test/bench/memory.py" "$1" "$(cat "$dir/run/pgveil.pid")" "$2" "$3") ||
        fail "the memory of $1 could not be measured"
    awk -v bytes="$bytes" -v unit="$4" 'BEGIN {printf "%.1f\n", bytes / unit}'
}
