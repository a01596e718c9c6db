# shellcheck shell=bash
# What the suites of test/clients and the kits of clients/ need from the package registries of their languages. Needs message.sh; `root` is the
# source folder. Everything goes to build/clients; a client whose toolchain is missing is left out, and its test says so.

install_clients() {
    # shellcheck disable=SC2154 # root is set by the script that sources this
    local from=$root/test/clients to=$root/build/clients
    mkdir -p "$to"
    install_client python python3 requirements.txt
    install_client schemathesis python3 schemathesis
    install_client node_postgres npm node_postgres
    install_client pgx go pgx
    install_client pgjdbc mvn pgjdbc
    install_client hibernate mvn hibernate
    install_client tokio_postgres cargo tokio_postgres
    # The kits for applications, with the packages of the suites above where they are the same.
    from=$root/clients
    install_client kit_node npm node
    install_client kit_go go go
    install_client kit_java javac java
    install_client envelope_page npm envelope-page
}

# install_client NAME TOOL SOURCE: runs build_NAME with its output in a log, unless what it is made of is as it was.
install_client() {
    local name=$1 tool=$2 source=$from/$3 stamp=$to/$1.stamp log=$to/$1.log now
    if ! command -v "$tool" >/dev/null; then
        note "no $tool here: the client $name is left out"
        return
    fi
    now=$(find "$source" -type f -print0 | sort -z | xargs -0 sha256sum)
    [ "$now" != "$(cat "$stamp" 2>/dev/null)" ] || return 0
    step "installing the client $name"
    if ! "build_$name" >"$log" 2>&1; then
        tail_of "$log" 20
        fail "installing the client $name failed; its output is in $log"
    fi
    echo "$now" >"$stamp"
}

# The system's Python, which is the one that Debian's venv belongs to.
build_python() {
    /usr/bin/python3 -m venv --clear "$to/python" && "$to/python/bin/pip" install -r "$from/requirements.txt"
}

build_schemathesis() {
    /usr/bin/python3 -m venv --clear "$to/schemathesis" && "$to/schemathesis/bin/pip" install -r "$from/schemathesis/requirements.txt"
}

build_node_postgres() {
    mkdir -p "$to/node_postgres" && cp "$from/node_postgres"/* "$to/node_postgres/" && (cd "$to/node_postgres" && npm ci --ignore-scripts)
}

build_pgx() {
    mkdir -p "$to/pgx" && (cd "$from/pgx" && go build -o "$to/pgx/suite" .)
}

build_pgjdbc() {
    build_java pgjdbc
}

build_hibernate() {
    build_java hibernate
}

build_java() {
    mkdir -p "$to/$1/classes" &&
        mvn -q -B -f "$from/$1/pom.xml" dependency:copy-dependencies "-DoutputDirectory=$to/$1/lib" &&
        javac -encoding UTF-8 -cp "$to/$1/lib/*" -d "$to/$1/classes" "$from/$1"/*.java &&
        jar --create --file "$to/$1/suite.jar" -C "$to/$1/classes" .
}

# Its package lies where require() of the suite finds it, and finds pg itself.
build_kit_node() {
    mkdir -p "$to/kit_node" && cp -r "$to/node_postgres/node_modules" "$from/node/test/suite.js" "$to/kit_node/" &&
        (cd "$from/node" && npm pack --silent --pack-destination "$to/kit_node") && mkdir -p "$to/kit_node/node_modules/pgveil" &&
        tar -xzf "$to"/kit_node/pgveil-*.tgz -C "$to/kit_node/node_modules/pgveil" --strip-components=1
}

# The packages only: the tests build the page from the sources as they are then.
build_envelope_page() {
    mkdir -p "$to/envelope_page" && cp "$from"/envelope-page/package*.json "$to/envelope_page/" && (cd "$to/envelope_page" && npm ci --ignore-scripts)
}

build_kit_go() {
    mkdir -p "$to/kit_go" && (cd "$from/go" && go test -c -o "$to/kit_go/suite" .)
}

# Compiled as its pom.xml says, but without the plugins that Maven would fetch for that; driver and pool are those of pgjdbc's suite.
build_kit_java() {
    local java=$from/java kit=$to/kit_java
    mkdir -p "$kit/classes" "$kit/suite" &&
        javac --release 17 -Xlint:all,-serial -Werror -encoding UTF-8 -d "$kit/classes" "$java"/src/main/java/pgveil/*.java &&
        jar --create --file "$kit/pgveil.jar" -C "$kit/classes" . &&
        javac --release 17 -encoding UTF-8 -cp "$kit/pgveil.jar:$to/pgjdbc/lib/*" -d "$kit/suite" "$java"/src/test/java/*.java
}

# Copied first, because cargo writes its lock file beside the manifest.
build_tokio_postgres() {
    mkdir -p "$to/tokio_postgres" && cp -r "$from/tokio_postgres/." "$to/tokio_postgres/" &&
        (cd "$to/tokio_postgres" && cargo build --release) && cp "$to/tokio_postgres/target/release/suite" "$to/tokio_postgres/suite"
}
