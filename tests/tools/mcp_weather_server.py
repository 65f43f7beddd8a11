"""A tiny MCP server over standard input and output, for tests/tools/test_mcp_tools.py."""

import sys
import time

from mcp.server.fastmcp import FastMCP

server = FastMCP("weather", log_level="ERROR")


@server.tool()
def forecast(city: str, days: int = 1) -> str:
    """Tell the weather of the next days."""
    if city == "nowhere":
        raise ValueError("password=hunter2 in /etc/weather")
    if city == "slow":
        time.sleep(30)
    return f"{city}: rain for {days} days"


@server.tool()
def order_sunshine(city: str) -> str:
    """Order sunshine."""
    return f"sunshine for {city}"


if __name__ == "__main__":
    if "--mute" in sys.argv:
        time.sleep(60)
    server.run()
