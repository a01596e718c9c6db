# shellcheck shell=bash
# Throwaway certificate authorities, and what they sign. Needs message.sh; make_certificates also account.sh.

# make_certificates FOLDER NAME...: FOLDER/ca.crt, and NAME.crt with NAME.key for localhost each.
make_certificates() {
    local folder=$1 name
    shift
    mkdir -p "$folder"
    new_authority "$folder" 'pgveil quickstart CA'
    for name in "$@"; do
        new_certificate "$folder" "$name" "/CN=localhost/OU=$name" 'subjectAltName=DNS:localhost,IP:127.0.0.1' extendedKeyUsage=serverAuth
    done
    end_authority "$folder"
    chmod 600 "$folder"/*.key
    give_to_account "$folder"
}

# new_authority FOLDER COMMON_NAME: FOLDER/ca.crt with ca.key.
new_authority() {
    openssl_quiet req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -days 30 \
        -subj "/CN=$2" -addext 'basicConstraints=critical,CA:TRUE' \
        -addext 'keyUsage=critical,keyCertSign,cRLSign' -keyout "$1/ca.key" -out "$1/ca.crt"
}

# new_certificate FOLDER NAME SUBJECT [EXTENSION...]: FOLDER/NAME.crt with NAME.key, of the authority in FOLDER.
new_certificate() {
    local base=$1/$2 authority=$1/ca subject=$3
    shift 3
    printf '%s\n' basicConstraints=CA:FALSE "$@" >"$base.ext"
    openssl_quiet req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -subj "$subject" \
        -keyout "$base.key" -out "$base.csr"
    openssl_quiet x509 -req -in "$base.csr" -CA "$authority.crt" -CAkey "$authority.key" -CAcreateserial -sha256 \
        -days 30 -extfile "$base.ext" -out "$base.crt"
}

# end_authority FOLDER: it signs nothing more.
end_authority() { rm -f "$1"/*.csr "$1"/*.ext "$1/ca.key" "$1/ca.srl"; }

openssl_quiet() {
    local said
    said=$(openssl "$@" 2>&1) || fail "openssl $1 failed: $said"
}
