# SPDX-License-Identifier: Apache-2.0
"""Section 12: files that convict a home or its log by what it signed."""
