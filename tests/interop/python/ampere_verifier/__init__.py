# SPDX-License-Identifier: Apache-2.0
"""A verifier of Ampere export files, after docs/PROTOCOL.md; sections named below are of that document."""
