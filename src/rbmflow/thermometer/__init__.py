"""Thermometers: the temperature of configurations, and what a reading is worth."""

from rbmflow.thermometer import energy, magnetization, network
from rbmflow.thermometer.calibration import Calibration, NullCalibration, Thermometer, null_calibration
from rbmflow.thermometer.energy import EnergyThermometer
from rbmflow.thermometer.energy_curve import EnergyCurveThermometer
from rbmflow.thermometer.field import FieldReading, FieldThermometer
from rbmflow.thermometer.magnetization import MagnetizationThermometer
from rbmflow.thermometer.network import NetworkThermometer

__all__ = [
    "Calibration",
    "EnergyCurveThermometer",
    "EnergyThermometer",
    "FieldReading",
    "FieldThermometer",
    "MagnetizationThermometer",
    "NetworkThermometer",
    "NullCalibration",
    "Thermometer",
    "energy",
    "magnetization",
    "network",
    "null_calibration",
]


def __dir__() -> list[str]:
    return __all__
