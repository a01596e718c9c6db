# shellcheck shell=bash
# Configuring and building a preset of CMakePresets.json. Needs message.sh; `root` is the source folder.

# build_preset PRESET [TARGET...]: configures and builds, progress in steps of ten percent.
build_preset() {
    local preset=$1 log
    shift
    # shellcheck disable=SC2154 # root is set by the script that sources this
    log="$root/build/$preset.log"
    configure_preset "$preset" "$log"
    if ! (cd "$root" && NINJA_STATUS='[%f/%t] ' cmake --build --preset "$preset" ${1:+--target "$@"} 2>&1) |
        tee -a "$log" | build_progress "$preset"; then
        grep -nE 'error:|FAILED|undefined reference' "$log" | head -n 20 >&2
        tail_of "$log" 30
        fail "building preset $preset failed; the whole output is in $log"
    fi
}

configure_preset() {
    local preset=$1 log=$2
    mkdir -p "$(dirname "$log")"
    if ! (cd "$root" && cmake --preset "$preset" >"$log" 2>&1); then
        tail_of "$log" 30
        fail "configuring preset $preset failed; the whole output is in $log"
    fi
}

# build_progress PRESET: reads ninja's output, says every tenth part that is done.
build_progress() {
    awk -v preset="$1" '
        match($0, /^\[[0-9]+\/[0-9]+\]/) {
            split(substr($0, 2, RLENGTH - 2), count, "/")
            tenth = int(10 * count[1] / count[2])
            if (tenth > said) {
                printf "        %s: %d%% of %d steps\n", preset, 10 * tenth, count[2] | "cat 1>&2"
                fflush(); close("cat 1>&2"); said = tenth
            }
        }'
}
