"""`Config`: everything ``moslm.toml`` may say, a field for each section."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from moslm.config.access import AccessSettings
from moslm.config.at_rest import AtRestSettings
from moslm.config.boundary import BoundarySettings
from moslm.config.checkpoints import CheckpointSettings
from moslm.config.domains import Defaults, DomainSettings
from moslm.config.edges import ApiSettings, McpServer, RecallSettings
from moslm.config.people import ReviewSettings
from moslm.config.privacy import PrivacySettings
from moslm.config.reading import ClassifierSettings, Limits, TriggerSettings
from moslm.config.servers import RaySettings, ServerSettings
from moslm.config.settings import DomainName, ServerName, Settings
from moslm.config.spending import BudgetSettings, LargeModelSettings, Price
from moslm.config.trust import DriftSettings, EarlyEscalationSettings, GuaranteeSettings


class Config(Settings):
    """Everything ``moslm.toml`` may say. The embedded default is ``Config()``."""

    multi_domain: Literal["escalate", "fan_out"] = "escalate"
    optimistic_streaming: bool = False
    """Whether drafts stream while they are written, before they are judged. One that is rejected is withdrawn by a
    ``moslm.retracted`` event, which names the messages that whoever shows the stream must take back."""
    domain_folders: list[Path] = []
    """Folders of domain folders, beside the shipped ones."""
    only_domains: list[DomainName] | None = None
    """Which domains are served; by default all that were found."""
    defaults: Defaults = Defaults()
    domains: dict[DomainName, DomainSettings] = {}
    servers: dict[ServerName, ServerSettings] = {}
    """Model servers that ``moslm serve`` brings up; domains name them in ``server``."""
    ray: RaySettings | None = None
    """Runs the servers on Ray, on this machine or a cluster; by default each replica is a process of this machine."""
    classifier: ClassifierSettings = ClassifierSettings()
    triggers: TriggerSettings = TriggerSettings()
    guarantee: GuaranteeSettings | None = None
    drift: DriftSettings = DriftSettings()
    early_escalation: EarlyEscalationSettings = EarlyEscalationSettings()
    large_model: LargeModelSettings | None = None
    budgets: BudgetSettings = BudgetSettings()
    boundary: BoundarySettings = BoundarySettings()
    review: ReviewSettings = ReviewSettings()
    limits: Limits = Limits()
    recall: RecallSettings = RecallSettings()
    privacy: PrivacySettings = PrivacySettings()
    at_rest: AtRestSettings = AtRestSettings()
    checkpoints: CheckpointSettings = CheckpointSettings()
    access: AccessSettings | None = None
    api: ApiSettings = ApiSettings()
    allow_hosts: list[str] = ["loopback", "private"]
    """Hosts that a ``base_url`` may name: ``loopback``, ``private``, or host names and addresses. With http they must
    stand inside (private, or named as ``vllm`` or ``x.svc.cluster.local``), or be listed as ``http://HOST`` too."""
    database_url: str | None = None
    """SQLAlchemy address of the company database; by default a small sample company that is created on first use."""
    database_url_env: str | None = None
    """Name of the environment variable that holds the address, when it carries a password."""
    mcp: dict[str, McpServer] = {}
    prices: dict[str, Price] = {}
    """Prices by model name; they override the shipped table."""
    currencies: dict[Annotated[str, Field(pattern=r"^[A-Z]{3}$")], Annotated[float, Field(gt=0)]] = {}
    """What one unit of a currency is worth in US dollars, for prices in another."""
    baseline_model: str = "gpt-4o"
    """The model that "large model for everything" is priced on."""
    audit_file: Path | None = None
    """SQLite file of the audit log; by default ``audit.sqlite`` in `home`."""
    audit_keep_days: float | None = Field(default=None, gt=0)
    """How long a record is kept; older ones go once a day while the log is written. By default all stay."""

    @model_validator(mode="after")
    def _servers_have_ports_of_their_own(self) -> Config:
        taken: dict[int, str] = {}
        # on Ray all are asked at one
        for name, server in self.servers.items() if self.ray is None else ():
            for port in server.ports:
                if port in taken:
                    raise ValueError(f"the servers {taken[port]} and {name} both take port {port}")
                taken[port] = name
        return self

    @model_validator(mode="after")
    def _keys_have_a_use(self) -> Config:
        has_key = self.privacy.key_env is not None or self.privacy.key_file is not None
        if self.at_rest.seal and not has_key:
            raise ValueError("at_rest.seal needs a key; name it in privacy.key_env or privacy.key_file")
        if has_key and self.privacy.vault is None and not self.at_rest.seal:
            raise ValueError("a key without a vault encrypts nothing; name a file in vault, or set at_rest.seal")
        return self

    def base_urls(self, server: str) -> list[str]:
        """Return where a server is asked: each replica at its own port, or all of them where Ray Serve listens."""
        return [self.ray.base_url(server)] if self.ray else self.servers[server].base_urls

    @property
    def sha256(self) -> str:
        """Hash of the settings: every request is judged by exactly one configuration."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()
