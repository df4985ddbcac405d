"""Let tools that know only setup.py find setup.cfg."""

from setuptools import setup

setup()
