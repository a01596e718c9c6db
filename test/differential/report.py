"""What a run says at its end, and how to see a difference again."""

import collections
import pathlib
import re


def summary(counts, seconds):
    lines = [f"same {sum(counts.same.values())} refused {counts.refused} different {len(counts.different)}",
             f"of {counts.statements} statements in {seconds:.0f} s: {counts.same['rows']} with the same result, "
             f"{sum(counts.same.values()) - counts.same['rows']} with the same error, {counts.both_err} refused where PostgreSQL errs, too",
             f"refused share of the {counts.accepted} that PostgreSQL accepts: {counts.refused_share:.1f} %"]
    if counts.reasons:
        lines.append("refused, by reason:")
        lines += [f"  {count:5} {reason}" for reason, count in counts.reasons.most_common()]
        lines.append("refused, by form: " + ", ".join(f"{form} {count}" for form, count in counts.forms.most_common()))
    errors = sorted((name, count) for name, count in counts.same.items() if name != "rows")
    lines.append("errors that were the same: " + ", ".join(f"{name[6:]} {count}" for name, count in errors))
    if counts.different:
        lines.append("different, by kind:")
        kinds = collections.Counter(kind_of(found.what) for found in counts.different)
        lines += [f"  {count:5} {kind}" for kind, count in kinds.most_common()]
    return "\n".join(lines)


def kind_of(what):
    """A difference without the names and values in it."""
    return re.sub(r"'[^']*'|\"[^\"]*\"|b'[^']*'|\d+|rows:.*", lambda found: "rows" if found.group()[:4] == "rows" else "…", what)


def full(found, how):
    """One difference: the statement, both answers, what to run to see it again."""
    statement = found.statement
    lines = [f"-- different: {found.what}", f"-- {statement.form}, {statement.protocol}, result format {statement.result_format}",
             f"-- again: {how}", statement.sql]
    lines += [f"-- ${number} {kind.name} (declared {declared}): {value!r}"
              for number, (kind, value, declared) in enumerate(statement.parameters, 1)]
    for side, answer in (("through pgveil", found.veiled), ("directly", found.plain)):
        lines.append(f"-- {side}:")
        lines += [f"--   {letter} {said(content)}" for letter, content in answer[:40]]
    return "\n".join(lines) + "\n"


def said(content):
    text = repr(content)
    return text if len(text) < 400 else text[:400] + "..."


def write(folder, found, seed, how):
    path = pathlib.Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    name = path / f"{seed}-{found.number}.sql"
    name.write_text(full(found, how))
    return name
