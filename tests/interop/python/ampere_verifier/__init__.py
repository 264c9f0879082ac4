# SPDX-License-Identifier: Apache-2.0
"""A verifier of Ampere export files. Sections are those of docs/PROTOCOL.md, rules those of docs/protocol/RULES.md."""
