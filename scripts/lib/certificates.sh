# shellcheck shell=bash
# A throwaway certificate authority and a server certificate for each leg. Needs message.sh, account.sh.

# make_certificates FOLDER NAME...: FOLDER/ca.crt, and NAME.crt with NAME.key for localhost each.
make_certificates() {
    local folder=$1 name
    shift
    mkdir -p "$folder"
    new_authority "$folder"
    for name in "$@"; do
        new_server_certificate "$folder" "$name"
    done
    rm -f "$folder"/*.csr "$folder"/*.ext "$folder"/ca.key "$folder"/ca.srl
    chmod 600 "$folder"/*.key
    give_to_account "$folder"
}

new_authority() {
    openssl_quiet req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -days 30 \
        -subj '/CN=pgveil quickstart CA' -addext 'basicConstraints=critical,CA:TRUE' \
        -addext 'keyUsage=critical,keyCertSign,cRLSign' -keyout "$1/ca.key" -out "$1/ca.crt"
}

new_server_certificate() {
    local base=$1/$2
    printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n' \
        >"$base.ext"
    openssl_quiet req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -subj "/CN=localhost/OU=$2" \
        -keyout "$base.key" -out "$base.csr"
    openssl_quiet x509 -req -in "$base.csr" -CA "$1/ca.crt" -CAkey "$1/ca.key" -CAcreateserial -sha256 \
        -days 30 -extfile "$base.ext" -out "$base.crt"
}

openssl_quiet() {
    local said
    said=$(openssl "$@" 2>&1) || fail "openssl $1 failed: $said"
}
