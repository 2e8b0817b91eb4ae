"""The strategies there are. A new one is a file beside this one and a line in the table."""

from actors.strategy.library.mean_reversion import MeanReversion, MeanReversionSettings
from actors.strategy.library.parade import Parade, ParadeSettings
from actors.strategy.library.pulse import Pulse, PulseSettings
from actors.strategy.library.trend_follow import TrendFollow, TrendFollowSettings
from actors.strategy.protocol import Strategy
from actors.strategy.settings import StrategySettings

__all__ = ["STRATEGIES"]

# Settings class -> strategy it makes. The deployment's registry names the same settings class per kind.
STRATEGIES: dict[type[StrategySettings], type[Strategy]] = {
    TrendFollowSettings: TrendFollow,  # strategy.trend_follow
    MeanReversionSettings: MeanReversion,  # strategy.mean_reversion
    PulseSettings: Pulse,  # strategy.pulse
    ParadeSettings: Parade,  # strategy.parade
}
