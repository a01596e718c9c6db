# shellcheck shell=bash
# Several custodians and who asks them, for docker-compose.yml and scripts/custodians. A list of custodians is words like
# ada=https://ada:7643; their identity keys are files PUBLIC/identities/NAME. Needs message.sh, certificates.sh.

# custodian_certificates FOLDER NAME...: for a server each, of the authority in FOLDER.
custodian_certificates() {
    local folder=$1 name
    shift
    for name in "$@"; do
        new_certificate "$folder" "$name" "/CN=$name" "subjectAltName=DNS:$name,DNS:localhost,IP:127.0.0.1" extendedKeyUsage=serverAuth
    done
}

# hand_over_certificate FROM NAME TO: NAME's certificate, its key and the authority into the folder TO, as own.crt, own.key and ca.crt.
hand_over_certificate() {
    mkdir -p "$3"
    cp "$1/ca.crt" "$3/ca.crt"
    mv "$1/$2.crt" "$3/own.crt"
    mv "$1/$2.key" "$3/own.key"
    chmod 600 "$3/own.key"
}

# all_are_known PUBLIC LIST: every custodian has told its identity key.
all_are_known() {
    local each
    for each in $2; do
        [ -s "$1/identities/${each%%=*}" ] || return 1
    done
}

# wait_for_identities PUBLIC LIST: at most a minute.
wait_for_identities() {
    local waited
    for waited in {1..600}; do
        ! all_are_known "$@" || return 0
        sleep 0.1
    done
    fail "not all custodians have told their identity keys (waited $((waited / 10)) s)"
}

# known_custodians PUBLIC LIST [BUT]: those of the list, without BUT, as the members of a JSON list.
known_custodians() {
    local each name comma=''
    for each in $2; do
        name=${each%%=*}
        [ "$name" != "${3:-}" ] || continue
        printf '%s\n    { "name": "%s", "url": "%s", "identity": "%s" }' "$comma" "$name" "${each#*=}" "$(cat "$1/identities/$name")"
        comma=,
    done
}

# asker_settings FOLDER PUBLIC LIST: what --custodians takes, of the one whose certificate is FOLDER/own.crt.
asker_settings() {
    printf '{\n  "custodians": [%s\n  ],\n  "tls": { "ca": "%s", "certificate": "%s", "key": "%s" }\n}\n' \
        "$(known_custodians "$2" "$3")" "$1/ca.crt" "$1/own.crt" "$1/own.key"
}

# custodian_settings NAME HOST FOLDER LIST PEERS: of the custodian whose certificate and store lie in FOLDER.
custodian_settings() {
    local each url=''
    for each in $4; do
        [ "${each%%=*}" != "$1" ] || url=${each#*=}
    done
    [ -n "$url" ] || fail "$1 is none of the custodians: $4"
    cat <<JSON
{
  "name": "$1",
  "listen": { "host": "$2", "port": ${url##*:} },
  "tls": { "certificate": "$3/own.crt", "key": "$3/own.key", "client_ca": "$3/ca.crt" },
  "store": { "folder": "$3/store", "seal": "$3/seal.key" },
  "peers": [$5
  ],
  "administrators": ["admin"]
}
JSON
}

# start_custodians COUNT ASKER...: custodian-1 and so on, on loopback, below $dir/custody, with the entry scripts of docker-compose.yml. Sets `custodians`,
# the list. Each ASKER gets DIR/custody/ASKER/custodians.json by make_group. Needs account.sh, daemon.sh, server.sh too; uses dir, root, bin, memory, per_minute.
start_custodians() {
    local name names=()
    custodians=''
    for name in $(seq --format 'custodian-%.0f' "$1"); do
        names+=("$name")
        custodians+="$name=https://localhost:$(free_port) "
    done
    shift
    mkdir -p "$dir"/{bin,log,run} "$dir/custody/public/identities" "$dir/custody/tls"
    new_authority "$dir/custody/tls" 'pgveil custodians CA'
    custodian_certificates "$dir/custody/tls" "${names[@]}"
    for name in admin "$@"; do
        new_certificate "$dir/custody/tls" "$name" "/CN=$name" extendedKeyUsage=clientAuth
    done
    for name in "${names[@]}" admin "$@"; do
        hand_over_certificate "$dir/custody/tls" "$name" "$dir/custody/$name"
    done
    end_authority "$dir/custody/tls"
    # Copies: the account may not be able to read the clone.
    cp -r "$root/scripts/docker" "$root/scripts/lib" "$dir/custody/"
    install -m 755 "$bin/pgveil-custodian" "$dir/bin/"
    give_to_account "$dir"
    for name in "${names[@]}"; do
        start_custodian "$name"
    done
}

# at_custody NAME WORD...: the command words with the settings of NAME.
at_custody() {
    printf '%s\n' env "PATH=$dir/bin:$PATH" "CUSTODIANS=$custodians" HOST=127.0.0.1 "PRIVATE=$dir/custody/$1" \
        "PUBLIC=$dir/custody/public" "PGVEIL_MEMORY=${memory:-auto}" \
        "PER_MINUTE=${per_minute:-600}" "${@:2}"
}

start_custodian() {
    local command
    mapfile -t command < <(at_custody "$1" "$dir/custody/docker/custodian" "$1")
    start_daemon "$1" "${command[@]}"
}

# stop_custodians: all of the list.
stop_custodians() {
    local each
    for each in ${custodians:-}; do
        stop_daemon "${each%%=*}" TERM
    done
}

# make_group THRESHOLD ASKER...: a group for each asker, DIR/custody/public/ASKER.group; waits for the custodians first.
make_group() {
    local command name
    mapfile -t command < <(at_custody admin "$dir/custody/docker/group" "$@")
    as_account "${command[@]}" >"$dir/log/group.log" 2>&1 || { tail_of "$dir/log/group.log"; fail "the custodians made no group"; }
    shift
    for name in "$@"; do
        asker_settings "$dir/custody/$name" "$dir/custody/public" "$custodians" | write_private "$dir/custody/$name/custodians.json"
    done
}
