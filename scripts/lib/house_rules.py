"""The house rules that a program can check: arrows between folders, bans, sizes, words.

Run by scripts/check on the whole tree. Every rule is a function from one SourceFile to messages, so that
test/integration/house_rules_test.py can show each of them a file that breaks it.
"""

import pathlib
import re
import subprocess
import sys

# Folder -> folders it may include. The CMake targets say the same; a folder that is not here may include nothing of ours.
KEYSHARE = ("keyshare/core", "keyshare/share", "keyshare/seal", "keyshare/store", "keyshare/attest", "keyshare/tpm")
SQL = (
    "sql/types", "sql/copy", "sql/parse", "sql/catalog", "sql/field", "sql/analysis", "sql/rewrite", "sql/guard", "sql/explain",
    "sql/schema")
ARROWS = {
    "keyshare/core": (),
    "keyshare/postgres": ("keyshare/core",),
    "keyshare/share": ("keyshare/core",),
    "keyshare/quorum": ("keyshare/core",),
    "keyshare/seal": ("keyshare/core",),
    "keyshare/attest": ("keyshare/core",),
    "keyshare/catalogue": ("keyshare/core", "keyshare/share", "keyshare/attest"),
    "keyshare/tpm": ("keyshare/core", "keyshare/attest", "keyshare/seal"),
    "keyshare/store": ("keyshare/core", "keyshare/postgres", "keyshare/share", "keyshare/seal"),
    "keyshare/custody": ("keyshare/core", "keyshare/share", "keyshare/seal", "keyshare/quorum"),
    "sql/types": ("keyshare/core",),
    "config": ("keyshare/core", "sql/types"),
    "sql/copy": ("keyshare/core", "sql/types"),
    "sql/parse": ("keyshare/core",),
    "sql/catalog": ("config", "sql/types"),
    "sql/field": ("keyshare/core", "sql/types", "config"),
    "sql/analysis": ("keyshare/core", "sql/parse", "sql/catalog", "sql/types", "sql/copy", "config", "sql/field", "sql/schema"),
    "sql/rewrite": ("keyshare/core", "sql/analysis"),
    "sql/guard": ("keyshare/core", "sql/parse", "sql/catalog", "sql/field", "sql/analysis", "sql/rewrite", "config"),
    "sql/explain": ("keyshare/core", "sql/analysis", "sql/rewrite", "sql/field", "sql/types", "config"),
    "sql/schema": ("config", "sql/catalog", "sql/types"),
    "net": ("keyshare/core",),
    "proxy/log": ("config",),
    "proxy/alarm": ("config",),
    "proxy/audit": ("keyshare/core", "keyshare/share", "proxy/log"),
    "proxy/wire": (),
    "proxy/metrics": (),
    "proxy/relay": SQL + ("keyshare/core", "keyshare/share", "keyshare/store", "proxy/alarm", "proxy/audit", "proxy/metrics", "proxy/wire", "config"),
    "proxy/migration": ("keyshare/core", "keyshare/postgres", "keyshare/share", "keyshare/user", "config", "sql/schema", "sql/types"),
    "proxy/rotation": ("keyshare/core", "keyshare/share", "keyshare/user", "config", "proxy/migration", "sql/schema"),
    "proxy/mirror": ("keyshare/core", "keyshare/postgres", "keyshare/store", "config", "sql/schema"),
    "proxy/admin": ("keyshare/core", "keyshare/share", "keyshare/store", "config", "sql/types", "proxy/wire"),
    "proxy/session": KEYSHARE + ("proxy/admin", "proxy/alarm", "proxy/audit", "proxy/log", "proxy/metrics", "proxy/relay", "proxy/wire", "net", "config", "sql/types"),
    "proxy": KEYSHARE + SQL + ("keyshare/custody", "config", "net", "proxy/admin", "proxy/alarm", "proxy/audit", "proxy/log", "proxy/metrics", "proxy/migration", "proxy/mirror", "proxy/relay", "proxy/rotation", "proxy/session", "proxy/wire"),
    "keyshare/user": KEYSHARE + ("keyshare/postgres",),
    "keyshare/custodian": ("keyshare/core", "keyshare/share", "keyshare/attest", "keyshare/quorum", "keyshare/seal", "keyshare/store", "keyshare/user", "keyshare/envelope", "keyshare/custody", "config", "net"),
    "keyshare/tenant": KEYSHARE + ("keyshare/catalogue", "keyshare/user", "keyshare/envelope"),
    "keyshare/envelope": ("keyshare/core", "keyshare/share", "keyshare/quorum", "keyshare/custody", "keyshare/user"),
    "proxy/agent": ("keyshare/core", "keyshare/share", "keyshare/user", "config", "net", "proxy/log", "proxy/session", "proxy/wire"),
}

COROUTINES = ("net", "proxy/session", "proxy/agent")
# Where secret memory may be opened. `grep -rn 'reveal()'` over these folders is the audit list.
REVEALING = KEYSHARE + (
    "keyshare/postgres", "keyshare/quorum", "keyshare/custody", "keyshare/tenant", "keyshare/user", "sql/types", "sql/parse", "sql/field", "sql/analysis", "sql/rewrite",
    "keyshare/envelope", "keyshare/custodian", "proxy/migration", "proxy/mirror", "proxy/relay", "proxy/session", "proxy/agent", "proxy")

# (name, pattern, what to do instead, folders where it is allowed). Matched in code, not in comments or strings.
ALLOWED_IN_TESTS = ("memcmp", "memset", "reveal")
BANS = [
    ("memcmp", r"\bmemcmp\s*\(", "core::equal_in_constant_time, or std::ranges::equal for public bytes", ()),
    ("memset", r"\bmemset\s*\(", "core's secret types wipe; std::fill for public bytes", ()),
    ("rand", r"\bs?rand\s*\(", "core::RandomSource", ()),
    ("endl", r"\bstd::endl\b", "'\\n'", ()),
    ("co_await", r"\bco_(await|return|yield)\b", "a synchronous function; coroutines live in net/, proxy/session/ and proxy/agent/",
     COROUTINES),
    ("reveal", r"[.>]reveal(_mutable)?\s*\(", "a function of a folder that may open secrets", REVEALING),
]

# (name, pattern of the header, folders or path prefixes that may include it)
HEADERS = [
    ("openssl", r"openssl/", ("keyshare/", "net/tls", "test/keyshare/", "test/net/")),
    ("libpg_query", r"(pg_query|postgres\.h|nodes/|parser/)", ("sql/parse/", "test/sql/parse/")),
    ("beast", r"boost/beast", ("net/", "test/net/")),
    ("asio", r"boost/asio", ("net/", "proxy/session/", "proxy/main", "test/net/", "test/proxy/session/")),
    ("tpm2-tss", r"tss2/", ("keyshare/tpm/", "test/keyshare/tpm/")),
    ("libpq", r"libpq-fe\.h", ("keyshare/postgres/", "test/")),
    ("spdlog", r"spdlog/", ("proxy/log/",)),
]

LINES_MAX = 400
FUNCTION_LINES_MAX = 60
VAGUE_NAMES = {"util", "utils", "helper", "helpers", "manager", "data", "info", "misc", "common"}
CODE = {".cpp", ".hpp", ".h", ".c"}
TEXT = CODE | {".py", ".sh", ".md", ".txt", ".cmake", ".json", ".sql", ".yml", ".service", ""}
THIS_FILE = "scripts/lib/house_rules.py"
ITS_TEST = "test/integration/house_rules_test.py"


class SourceFile:
    """One file of the tree: its path from the root, its text, and for C++ the text without comments and strings."""

    def __init__(self, path, text):
        self.path = pathlib.PurePosixPath(path)
        self.text = text
        self.is_code = self.path.suffix in CODE
        self.code = without_comments_and_strings(text) if self.is_code else ""

    @property
    def folder(self):
        """The folder whose rules hold: a test stands under the rules of what it tests."""
        parts = self.path.parts[:-1]
        return "/".join(parts[1:] if parts[:1] == ("test",) else parts)

    @property
    def is_test(self):
        return self.path.parts[0] == "test"


LITERAL = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<mark>[^(\s]{0,16})\(.*?\)(?P=mark)"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def without_comments_and_strings(text):
    """The same number of lines, without what is only said. Include lines and digit separators stay as they are."""
    kept = re.sub(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])", "", text)

    def blank(match):
        said = match.group(0)
        line_start = kept.rfind("\n", 0, match.start()) + 1
        if said.startswith('"') and kept[line_start:match.start()].lstrip().startswith("#include"):
            return said
        return '""' * said.startswith(('"', "R")) + "\n" * said.count("\n")

    return LITERAL.sub(blank, kept)


def numbered(text):
    return enumerate(text.splitlines(), 1)


def found(pattern, text):
    """(line, match) of each place; over the whole text at once, which takes a fifth of the time that its lines take."""
    return [(text.count("\n", 0, match.start()) + 1, match) for match in re.finditer(pattern, text)]


def check_arrows(source):
    """#include "folder/file" only points where the table allows."""
    if not source.is_code:
        return
    folder = source.folder
    allowed = set(ARROWS.get(folder, ())) | {folder}
    for number, line in numbered(source.code):
        match = re.match(r'\s*#include "(?:(.*)/)?[^/"]+"', line)
        if not match:
            continue
        target = match.group(1)
        if target is None:
            yield number, "write includes from the root, e.g. \"keyshare/core/secret.hpp\""
        elif source.is_test and (target.startswith("test/") or folder not in ARROWS):
            continue
        elif target not in allowed:
            yield number, f"{folder} may not include {target} (the table is in {THIS_FILE})"


def check_headers(source):
    """Each outside library enters through its own folders only."""
    for number, line in numbered(source.code):
        match = re.match(r'\s*#include [<"]([^>"]+)[>"]', line)
        if not match:
            continue
        for name, pattern, places in HEADERS:
            if re.match(pattern, match.group(1)) and not str(source.path).startswith(places):
                yield number, f"{name} headers belong to {', '.join(places)}"


def check_bans(source):
    for name, pattern, instead, allowed in BANS:
        if source.folder in allowed or (source.is_test and name in ALLOWED_IN_TESTS):
            continue
        for number, match in found(pattern, source.code):
            yield number, f"{match.group(0).strip('.>( ')} is banned here; use {instead}"


def check_coroutine_traps(source):
    """GCC 12 frees these twice: name it first, then await it."""
    for number, line in numbered(source.code):
        if "co_await" not in line:
            continue
        awaited = line[line.index("co_await"):]
        if re.search(r"(?<![\w\])])\[\s*(=|[a-z_]\w*)", awaited):
            yield number, "a lambda that captures by value in a co_await expression; name it on a line of its own"
        if re.search(r"\b(?:\w+::)*[A-Z]\w*\{[^}]", awaited):
            yield number, "an object built with braces in a co_await expression; name it on a line of its own"


def check_leftovers(source):
    if str(source.path) in (THIS_FILE, ITS_TEST) or source.path.suffix not in TEXT:
        return
    for number, _ in found(r"\b(FIXME|TODO|XXX)\b", "" if source.path.suffix == ".md" else source.text):
        yield number, "do it, or write an issue"
    for number, _ in found(r"(?<![\w.])/(work|root|home/\w+)/|/tmp/w\b", source.text):
        yield number, "a path of one machine"
    for number, _ in found(r"\b(LLM|chatbot|language model|sub-?agent|the brief|owner [A-H])\b", source.text):
        yield number, "a word about a workplace"


def check_sizes(source):
    if source.path.suffix not in CODE | {".py", ".sh"} or "vectors" in source.path.parts:
        return
    lines = source.text.count("\n")
    if lines > LINES_MAX:
        yield lines, f"{lines} lines; {LINES_MAX} is the limit"
    for number, length in long_functions(source.code):
        yield number, f"a function of {length} lines; {FUNCTION_LINES_MAX} is the limit"


def long_functions(code):
    """(line, length) of function bodies above the limit, found by matching braces."""
    depth_of_body = None
    depth, line, head = 0, 1, ""
    for char in code:
        line += char == "\n"
        if char == "{":
            opens_body = depth_of_body is None and "(" in head and not re.search(
                r"\b(namespace|class|struct|enum|union)\b(?![^(]*\()|=\s*$", head)
            if opens_body:
                depth_of_body, first = depth, line
            depth, head = depth + 1, ""
        elif char == "}":
            depth, head = depth - 1, ""
            if depth == depth_of_body:
                depth_of_body = None
                if line - first > FUNCTION_LINES_MAX:
                    yield first, line - first
        else:
            head = "" if char == ";" else head + char


def check_names(source):
    for part in (*source.path.parts[:-1], source.path.stem):
        if part in VAGUE_NAMES:
            yield 1, f"\"{part}\" names nothing; say what is in it"


def check_whitespace(source):
    if "vectors" in source.path.parts or source.path.suffix not in TEXT:
        return
    for number, _ in found(r"(?m)[^\S\n]+$", source.text):
        yield number, "white space at the end of the line"
    if source.text and not source.text.endswith("\n"):
        yield source.text.count("\n") + 1, "no newline at the end of the file"


RULES = [check_arrows, check_headers, check_bans, check_coroutine_traps, check_leftovers, check_sizes, check_names,
         check_whitespace]


def broken_rules(source):
    for rule in RULES:
        for number, message in rule(source):
            yield f"{source.path}:{number}: {message}"


def files_of(root):
    """Paths that git tracks or would track; without git, everything outside build/."""
    listed = subprocess.run(["git", "-C", root, "ls-files", "-z", "-co", "--exclude-standard"],
                            capture_output=True, check=False)
    if listed.returncode == 0:
        return sorted({name for name in listed.stdout.decode().split("\0") if name})
    base = pathlib.Path(root)
    return sorted(str(path.relative_to(base)) for path in base.rglob("*")
                  if path.is_file() and not {"build", ".git"} & set(path.relative_to(base).parts))


# Rows of the checklists behind the papers, by the page that says what is done about each. A test names the row that it
# shows: TEST_F(Token, P7_...), def test_P7_...
NUMBERED_ROWS = {"docs/PAASWORD.md": (("P", 16),), "docs/CUSTODY.md": (("K", 10), ("C", 10)), "docs/TPM.md": (("T", 13),)}
ROW_IN_TEST = re.compile(r"\b(?:TEST(?:_F|_P)?\(\w+, |def test_)([A-Z]\d+)_")


def missing_rows(letter, last, texts):
    """The rows that no test of these files is named after."""
    shown = {row for text in texts for row in ROW_IN_TEST.findall(text)}
    return [row for row in (f"{letter}{number}" for number in range(1, last + 1)) if row not in shown]


def unshown_rows(root):
    tests = [pathlib.Path(root, name) for name in files_of(root) if re.fullmatch(r"test/.*_test\.(cpp|py)", name)]
    texts = [path.read_text(encoding="utf-8") for path in tests if path.exists()]
    for page, papers in NUMBERED_ROWS.items():
        if not pathlib.Path(root, page).exists():
            continue
        for letter, last in papers:
            for row in missing_rows(letter, last, texts):
                yield f"{page}: no test is named after row {row}"


def main(root):
    count = 0
    for message in unshown_rows(root):
        print(message)
        count += 1
    for name in files_of(root):
        path = pathlib.Path(root, name)
        try:
            source = SourceFile(name, path.read_text(encoding="utf-8"))
        except (UnicodeDecodeError, FileNotFoundError):
            continue
        for message in broken_rules(source):
            print(message)
            count += 1
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "."))
