# SPDX-License-Identifier: Apache-2.0
"""Section 11 and the specifications of C2SP that it names: keys, notes, policies, proofs; section 8, step 7."""
