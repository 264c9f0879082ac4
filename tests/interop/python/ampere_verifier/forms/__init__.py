# SPDX-License-Identifier: Apache-2.0
"""Sections 2 and 3: encodings, shapes and signed statements."""
