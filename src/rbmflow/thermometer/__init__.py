"""Thermometers: the temperature of configurations, and what a reading is worth."""

from rbmflow.thermometer import energy
from rbmflow.thermometer.calibration import Calibration, NullCalibration, Thermometer, null_calibration
from rbmflow.thermometer.energy import EnergyThermometer

__all__ = [
    "Calibration",
    "EnergyThermometer",
    "NullCalibration",
    "Thermometer",
    "energy",
    "null_calibration",
]
