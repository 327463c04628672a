"""Fails for scripts of PowerShell that a grammar of somebody else's cannot parse."""

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


failed = False
for name in sys.argv[1:]:
    with open(name, "rb") as file:
        source = file.read()
    for node in broken(parser.parse(source).root_node):
        failed = True
        row, column = node.start_point
        print(f"{name}:{row + 1}:{column + 1}: {source[node.start_byte:node.end_byte][:80]!r} is no PowerShell")
sys.exit(failed)
