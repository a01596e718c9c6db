# shellcheck shell=bash
# What the scripts say to a person. Progress and errors go to stderr, results to stdout.

started_at=$SECONDS

# step WHAT...: one line of progress with the seconds since the start.
step() {
    printf '[%4ds] %s\n' $((SECONDS - started_at)) "$*" >&2
}

# note WHAT...: a line that belongs to the step above it.
note() {
    printf '        %s\n' "$*" >&2
}

# fail WHAT...: says what happened and what to do, and ends the script with status 1.
fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# usage_error WHAT...: a mistake on the command line, status 2.
usage_error() {
    printf '%s: %s (see %s --help)\n' "${0##*/}" "$*" "$0" >&2
    exit 2
}

# tail_of FILE [LINES]: the end of a log, indented, if there is one.
tail_of() {
    [ -s "$1" ] || return 0
    printf '  -- the last lines of %s:\n' "$1" >&2
    tail -n "${2:-15}" "$1" | sed 's/^/  | /' >&2
}

# print_header FILE: the comment block at the top of a script is its --help.
print_header() {
    sed -n '2,/^[^#]/{/^#/!d;s/^# \{0,1\}//;p}' "$1"
}
