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
