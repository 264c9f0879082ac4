# SPDX-License-Identifier: Apache-2.0
"""Section 5: the blocks of a chain."""
