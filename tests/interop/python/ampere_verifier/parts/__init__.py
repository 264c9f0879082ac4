# SPDX-License-Identifier: Apache-2.0
"""Sections 6 to 8: key rows, objects, erasures and the status of blocks."""
