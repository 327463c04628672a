"""Fails for scripts of PowerShell that a grammar of somebody else's cannot parse, and
for blocks of it in pages of Markdown."""

import re
import sys

import tree_sitter
import tree_sitter_powershell

parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))


def broken(node):
    """Yields the innermost nodes that are no PowerShell."""
    if not node.has_error:
        return
    inner = [b for child in node.children for b in broken(child)]
    if node.is_error or node.is_missing or not inner:
        yield from inner or [node]
    else:
        yield from inner


BLOCK = re.compile(rb"^```powershell\n(.*?)^```", re.DOTALL | re.MULTILINE)


def sources(name):
    """Yields the PowerShell in a file, each with the line before its first."""
    with open(name, "rb") as file:
        text = file.read()
    if not name.endswith(".md"):
        yield 0, text
        return
    for block in BLOCK.finditer(text):
        yield text.count(b"\n", 0, block.start(1)), block.group(1)


failed, read = False, 0
for name in sys.argv[1:]:
    for before, source in sources(name):
        read += 1
        for node in broken(parser.parse(source).root_node):
            failed = True
            row, column = node.start_point
            print(f"{name}:{before + row + 1}:{column + 1}: {source[node.start_byte:node.end_byte][:80]!r} is no PowerShell")
sys.exit(failed or not read)
