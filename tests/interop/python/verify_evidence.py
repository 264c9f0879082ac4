#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Verifies an Ampere evidence file: verify_evidence.py FILE [--registry ID] [--log VKEY ...]"""

import sys

from ampere_verifier.evidence.cli import main

sys.exit(main())
