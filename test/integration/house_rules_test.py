"""Every rule of scripts/check, shown one file that breaks it and one that does not."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "lib"))
import house_rules  # noqa: E402


def complaints(path, text):
    return list(house_rules.broken_rules(house_rules.SourceFile(path, text)))


class HouseRules(unittest.TestCase):
    def assert_breaks(self, path, text, part):
        said = complaints(path, text)
        self.assertTrue(any(part in line for line in said), f"{path} should break a rule with \"{part}\": {said}")

    def assert_clean(self, path, text):
        self.assertEqual(complaints(path, text), [])

    def test_arrows_point_down(self):
        up = '#include "proxy/relay/session.hpp"\n'
        self.assert_breaks("sql/field/x.cpp", up, "sql/field may not include proxy/relay")
        self.assert_clean("proxy/session/x.cpp", up)
        self.assert_breaks("test/sql/field/x_test.cpp", up, "may not include")
        self.assert_breaks("net/x.cpp", '#include "stream.hpp"\n', "from the root")

    def test_a_commented_include_is_no_include(self):
        self.assert_clean("sql/field/x.cpp", '// #include "proxy/relay/session.hpp"\n')

    def test_every_row_of_a_paper_has_a_test_named_after_it(self):
        texts = ["TEST_F(Token, P1_IsSplit) {\n", "    def test_P2_it_is_wiped(self):\n", "// P3_ is not shown by a comment\n"]
        self.assertEqual(house_rules.missing_rows("P", 3, texts), ["P3"])
        self.assertEqual(list(house_rules.unshown_rows(ROOT)), [])

    def test_openssl_stays_in_its_folders(self):
        line = "#include <openssl/evp.h>\n"
        self.assert_breaks("proxy/relay/x.cpp", line, "openssl")
        self.assert_clean("keyshare/core/x.cpp", line)
        self.assert_clean("net/tls_stream.cpp", line)

    def test_libpg_query_has_one_includer(self):
        self.assert_breaks("sql/analysis/x.cpp", "#include <pg_query.h>\n", "libpg_query")
        self.assert_clean("sql/parse/x.cpp", "#include <pg_query.h>\n")

    def test_asio_stays_in_its_folders(self):
        self.assert_breaks("proxy/relay/x.cpp", "#include <boost/asio/awaitable.hpp>\n", "asio")
        self.assert_clean("net/x.hpp", "#include <boost/asio/awaitable.hpp>\n")

    def test_spdlog_has_one_includer(self):
        self.assert_breaks("proxy/session/x.cpp", "#include <spdlog/spdlog.h>\n", "spdlog")
        self.assert_clean("proxy/log/x.cpp", "#include <spdlog/spdlog.h>\n")

    def test_coroutines_stay_in_their_folders(self):
        self.assert_breaks("proxy/relay/x.cpp", "void f() { co_await g(); }\n", "co_await")
        self.assert_clean("proxy/session/x.cpp", "void f() { co_await g(); }\n")

    def test_banned_calls(self):
        for call in ("memcmp(a, b, 4)", "memset(a, 0, 4)", "rand()", "std::cout << std::endl"):
            self.assert_breaks("sql/types/x.cpp", f"int f() {{ return {call}; }}\n", "banned")
            self.assert_clean("sql/types/x.cpp", f"// {call}\nconst char* kText = \"{call}\";\n")

    def test_secrets_open_only_where_allowed(self):
        self.assert_breaks("config/x.cpp", "auto f() { return key.reveal(); }\n", "reveal")
        self.assert_clean("keyshare/core/x.cpp", "auto f() { return key.reveal(); }\n")

    def test_coroutine_traps(self):
        self.assert_breaks("net/x.cpp", "    co_await spawn(ex, [big]() { return big; });\n", "captures by value")
        self.assert_breaks("net/x.cpp", "    co_await use(Options{name, {}});\n", "built with braces")
        self.assert_clean("net/x.cpp", "    co_await spawn(ex, [&]() { return big; });\n")
        self.assert_clean("net/x.cpp", "    values[index] = co_await next(list[at]);\n")

    def test_leftovers(self):
        self.assert_breaks("net/x.cpp", "// FIXME later\n", "do it")
        self.assert_breaks("docs/x.md", "see /home/somebody/notes\n", "path of one machine")
        self.assert_clean("net/x.cpp", "// why: the server may be late\n")

    def test_long_files_and_functions(self):
        self.assert_breaks("net/x.cpp", "int a;\n" * 401, "401 lines")
        self.assert_clean("net/x.cpp", "int a;\n" * 400)
        body = "void f(int a) {\n" + "    a += 1;\n" * 61 + "}\n"
        self.assert_breaks("net/x.cpp", body, "a function of 62 lines")
        self.assert_clean("net/x.cpp", "namespace n {\n" + "int a;\n" * 100 + "}\n")

    def test_vague_names(self):
        self.assert_breaks("net/util.cpp", "", "names nothing")
        self.assert_breaks("proxy/helpers/x.cpp", "", "names nothing")

    def test_whitespace(self):
        self.assert_breaks("net/x.cpp", "int a; \n", "white space")
        self.assert_breaks("net/x.cpp", "int a;", "no newline")

    def test_raw_strings_and_digit_separators_do_not_confuse(self):
        self.assert_clean("net/x.cpp", 'const auto kJson = R"({"a": "memset("})";\nint b = 1\'000\'000;\n')
        self.assert_breaks("net/x.cpp", "int b = 1'000'000; auto c = rand();\n", "banned")


class Readme(unittest.TestCase):
    def test_its_folder_table_names_every_folder_of_the_arrows(self):
        readme = (ROOT / "README.md").read_text()
        for folder in house_rules.ARROWS:
            self.assertIn(f"`{folder}`", readme)

    def test_every_folder_with_code_has_arrows(self):
        for name in house_rules.files_of(str(ROOT)):
            path = pathlib.PurePosixPath(name)
            if path.suffix in house_rules.CODE and path.parts[0] != "test":
                self.assertIn(str(path.parent), house_rules.ARROWS)


class TheScript(unittest.TestCase):
    """scripts/check itself, on a tree of one wrong file."""

    def run_check(self, name, text):
        with tempfile.TemporaryDirectory() as folder:
            tree = pathlib.Path(folder)
            shutil.copytree(ROOT / "scripts", tree / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
            shutil.copy(ROOT / ".clang-format", tree)
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_text(text)
            subprocess.run(["git", "init", "-q", folder], check=True)
            return subprocess.run([tree / "scripts" / "check"], capture_output=True, text=True, check=False)

    def test_a_clean_tree_passes(self):
        done = self.run_check("net/clean.cpp", "int answer() {\n    return 42;\n}\n")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_wrong_formatting_fails(self):
        done = self.run_check("net/wide.cpp", "int   answer( ) { return 42; }\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn("not clean: formatting", done.stderr)

    def test_a_broken_house_rule_fails(self):
        done = self.run_check("net/loud.cpp", "#include <openssl/evp.h>\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn("not clean: house rules", done.stderr)

    def test_a_wrong_shell_script_fails(self):
        done = self.run_check("scripts/wrong", "#!/bin/bash\nrm -r $1/*\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn("not clean: shell scripts", done.stderr)


if __name__ == "__main__":
    unittest.main()
