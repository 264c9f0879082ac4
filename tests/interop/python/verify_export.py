#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Verifies Ampere export files: verify_export.py FILE... [--registry ID] [--now TIME] [--json]"""

import sys

from ampere_verifier.cli import main

sys.exit(main())
