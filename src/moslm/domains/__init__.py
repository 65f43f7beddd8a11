"""What each domain is, as data: its settings, prompt, examples and handbook.

A domain is a folder: ``domain.toml``, ``prompt.md``, ``examples.jsonl`` and ``knowledge/*.md``. The shipped folders lie
beside this file; ``domain_folders`` of the configuration adds more without any code. This room knows neither models nor
tools: a tool is a name here, and `moslm.tools` says whether there is one.
"""

from moslm.domains.domain import Domain, Page, ResolvedSettings
from moslm.domains.loading import load_domains

__all__ = ["Domain", "Page", "ResolvedSettings", "load_domains"]
