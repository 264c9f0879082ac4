# SPDX-License-Identifier: Apache-2.0
"""Section 4: the registry."""
