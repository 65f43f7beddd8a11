"""Typed settings, read from one TOML file; data only, builds nothing.

The embedded default needs no file at all. `load` turns every mistake into one line that names file, key, value and
mend. ``moslm config schema`` prints the JSON Schema for editors.
"""

from moslm.config.access import AccessSettings, JwtSettings
from moslm.config.at_rest import AtRestSettings, EarlierKey
from moslm.config.boundary import BoundaryRule, BoundarySettings, MayLeave, Sensitivity
from moslm.config.checkpoints import CheckpointSettings
from moslm.config.domains import Defaults, DomainSettings
from moslm.config.edges import ApiKey, ApiSettings, McpServer, RecallSettings
from moslm.config.loading import home, load, validated
from moslm.config.models import (
    EmbeddedModel,
    HostedModel,
    ModelSettings,
    Profile,
    ResilienceSettings,
    ScriptedModel,
    TlsSettings,
    VLLMModel,
    deadline_of,
)
from moslm.config.people import Mood, ReviewSettings, Risk
from moslm.config.privacy import PrivacySettings
from moslm.config.reading import ClassifierSettings, Limits, TriggerSettings
from moslm.config.redis import RedisPlace
from moslm.config.servers import RaySettings, ScalingSettings, ServerSettings
from moslm.config.settings import Settings
from moslm.config.spending import AtCapAction, BudgetSettings, CapSettings, LargeModelSettings, Price
from moslm.config.trust import DriftSettings, EarlyEscalationSettings, GuaranteeSettings, SecondOpinionSettings
from moslm.config.whole import Config

__all__ = [
    "AccessSettings",
    "ApiKey",
    "ApiSettings",
    "AtCapAction",
    "AtRestSettings",
    "BoundaryRule",
    "BoundarySettings",
    "BudgetSettings",
    "CapSettings",
    "CheckpointSettings",
    "ClassifierSettings",
    "Config",
    "Defaults",
    "DomainSettings",
    "DriftSettings",
    "EarlierKey",
    "EarlyEscalationSettings",
    "EmbeddedModel",
    "GuaranteeSettings",
    "HostedModel",
    "JwtSettings",
    "LargeModelSettings",
    "Limits",
    "MayLeave",
    "McpServer",
    "ModelSettings",
    "Mood",
    "Price",
    "PrivacySettings",
    "Profile",
    "RaySettings",
    "RecallSettings",
    "RedisPlace",
    "ResilienceSettings",
    "ReviewSettings",
    "Risk",
    "ScalingSettings",
    "ScriptedModel",
    "SecondOpinionSettings",
    "Sensitivity",
    "ServerSettings",
    "Settings",
    "TlsSettings",
    "TriggerSettings",
    "VLLMModel",
    "deadline_of",
    "home",
    "load",
    "validated",
]
