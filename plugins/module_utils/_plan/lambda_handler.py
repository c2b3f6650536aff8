# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a Lambda function's code holds its handler. Pure.

Lambda accepts code without it and fails at each invocation (Runtime.ImportModuleError, Runtime.HandlerNotFound):
https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html and .../nodejs-handler.html
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from typing import Optional

# Returns the text of a file of the code by its relative path, None where there is no such file.
ReadFile = Callable[[str], Optional[str]]  # noqa: UP045 (ansible-test wants a named type so)


def handler_problem(read: ReadFile, handler: str, runtime: str) -> str:
    """Return in one sentence why `runtime` cannot find `handler` in the code, or "" where it can.

    What reading the source cannot tell, such as names that come by `import *`, is no problem.
    """
    python = runtime.startswith("python")
    module, function = _python_parts(handler) if python else _nodejs_parts(handler)
    if not (module and function):
        return (
            f"handler '{handler}' is not allowed; it is <file without ending>.<function>, as in query_function.handler."
        )
    candidates = _python_files(module) if python else [f"{module}{ending}" for ending in (".js", ".mjs", ".cjs")]
    for path in candidates:
        text = read(path)
        if text is not None:
            return (_python_problem if python else _nodejs_problem)(path, text, function, runtime)
    return f"handler '{handler}' needs {' or '.join(candidates)}, which the code does not hold."


def _python_parts(handler: str) -> tuple[str, str]:
    module, _dot, function = handler.rpartition(".")
    return module, function


def _nodejs_parts(handler: str) -> tuple[str, str]:
    # In app/index.sub.handler the file is app/index, and its export sub has the handler.
    folder, slash, name = handler.rpartition("/")
    module, _dot, function = name.partition(".")
    return folder + slash + module if module else "", function.partition(".")[0]


def _python_files(module: str) -> list[str]:
    path = module.replace(".", "/")
    return [f"{path}.py", f"{path}/__init__.py"]


def _python_problem(path: str, text: str, function: str, runtime: str) -> str:
    try:
        names = set(_defined(ast.parse(text).body))
    except SyntaxError as error:
        # A newer Python may understand what this one does not.
        newer = int(runtime.rpartition(".")[2] or 0) > sys.version_info.minor
        return "" if newer else f"{path} is no Python: line {error.lineno}: {error.msg}."
    return "" if names & {function, "*"} else f"{path} defines no '{function}', which the handler names."


def _defined(statements: list[ast.stmt]) -> Iterator[str]:
    for statement in statements:
        match statement:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Assign(targets=targets):
                yield from (node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                yield from (alias.asname or alias.name for alias in names)
            case ast.If(body=body, orelse=other):
                yield from _defined([*body, *other])
            case ast.Try(body=body, handlers=handlers, orelse=other, finalbody=final):
                yield from _defined([*body, *other, *final, *(inner for one in handlers for inner in one.body)])


def _nodejs_problem(path: str, text: str, function: str, _runtime: str) -> str:
    # Bundlers write exports in many ways: be sure before refusing.
    exported = re.search(r"\bexports?\b", text) and re.search(rf"\b{re.escape(function)}\b|\bexport\s*\*", text)
    return "" if exported else f"{path} exports no '{function}', which the handler names."
