"""What models may do: typed functions, each with its effect and permission.

`build_toolbox` is the way in. A tool gets the database and the handbook it works on when it is built; nothing here is
global, and no tool knows the graph that runs it.
"""

from moslm.tools.catalogue import TOOLS, Toolbox, ToolParts, build_toolbox, shared_company
from moslm.tools.effects import Effect, declare_effect, effect_of, typed_tool
from moslm.tools.failures import how_to_call, safe_tool_error
from moslm.tools.knowledge import Handbook, Passage
from moslm.tools.mcp import load_mcp_tools

__all__ = [
    "TOOLS",
    "Effect",
    "Handbook",
    "Passage",
    "ToolParts",
    "Toolbox",
    "build_toolbox",
    "declare_effect",
    "effect_of",
    "how_to_call",
    "load_mcp_tools",
    "safe_tool_error",
    "shared_company",
    "typed_tool",
]
