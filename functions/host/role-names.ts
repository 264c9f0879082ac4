// SPDX-License-Identifier: Apache-2.0

/** Names of all roles of a home, in the order in which it says them. */
export const ROLE_NAMES = [
  'discovery',
  'writer',
  'reader',
  'registrar',
  'follower',
  'auditor',
  'sequencer',
  'witness',
  'monitor',
  'lookup',
  'keeper',
  'sweeper',
  'eraser',
  'worker',
] as const
