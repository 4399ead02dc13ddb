"""The configuration file: `load` it into a frozen `Config`, or learn all that is wrong with it from `ConfigFaults`."""

from bot.config.faults import ConfigFaults, Fault
from bot.config.loading import find, load, schema
from bot.config.model import Config
from connectors.timing import cron, seconds

__all__ = ["Config", "ConfigFaults", "Fault", "cron", "find", "load", "schema", "seconds"]
