"""The positive control of the differential test: builds of pgveil with one wrong rule each, which it must catch.

The tree is copied to build/mutants/tree, changed there, built, and run; `git status` of the tree itself stays as it was.
"""

import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPY = ROOT / "build" / "mutants" / "tree"
PROGRAMS = ("pgveil", "pgveil-tenant", "pgveil-user")

# (what is wrong, file, text as it stands there once, what it becomes)
MUTANTS = [
    ("equality columns may be compared with <", "sql/analysis/rules.cpp",
     '"<, <=, >, >=, BETWEEN", false, false,', '"<, <=, >, >=, BETWEEN", false, true,'),
    ("negative numbers stand above positive ones", "sql/types/order_form.cpp",
     "copy_of(number);\n    form.reveal_mutable().front() ^= kSignBit;", "copy_of(number);\n    form.reveal_mutable().front() ^= 0;"),
    ("descriptions say no typmod", "proxy/relay/opener.cpp", "plain.typmod = type.typmod;", "plain.typmod = -1;"),
]


def copy_tree():
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "-co", "--exclude-standard"], capture_output=True, check=True)
    COPY.mkdir(parents=True, exist_ok=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        source, target = ROOT / name, COPY / name
        if not source.exists() or target.exists() and target.read_bytes() == source.read_bytes():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
        os.utime(target)


def build():
    """As deep below the tree as build folders are elsewhere, so that ccache knows the objects."""
    folder = COPY / "build" / "w"
    commands = [["cmake", "-S", COPY, "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS_DEBUG=-O0 -g0"],
                ["ninja", "-C", folder, *PROGRAMS]]
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"building a mutant failed:\n{done.stdout[-3000:]}{done.stderr[-2000:]}")
    return folder / "bin"


def is_caught(programs, statements, seed):
    """Does a run with these programs find a difference? Only that counts, not a run that fails otherwise."""
    done = subprocess.run([sys.executable, "-B", COPY / "test/differential/differential.py", "--statements", statements,
                           "--seed", seed, "--print", "1", "--out", COPY.parent / "found"], capture_output=True, text=True, check=False,
                          env={**os.environ, "PGVEIL_BIN": str(programs)})
    figures = next((line for line in done.stdout.splitlines() if line.startswith("same ")), "")
    print(f"  {figures or (done.stdout + done.stderr)[-1500:]}", flush=True)
    return done.returncode == 1 and figures and not figures.endswith("different 0")


def main(statements, seed):
    copy_tree()
    print("unchanged", flush=True)
    if is_caught(build(), statements, seed):
        sys.exit("the unchanged build differs, too: nothing can be said about mutants")
    survived = []
    for name, file, old, new in MUTANTS:
        copy_tree()
        changed = COPY / file
        text = changed.read_text()
        if text.count(old) != 1:
            sys.exit(f"{file} does not hold {old!r} once; put the mutant \"{name}\" right")
        changed.write_text(text.replace(old, new))
        print(f"mutant: {name}", flush=True)
        if not is_caught(build(), statements, seed):
            survived.append(name)
    for name in survived:
        print(f"not caught: {name}")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
