// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '#core/bytes/ids.ts'
import type { Platform } from '#core/ports/needs.ts'
import type { Settings } from '../../deployment/settings.ts'
import type { MigrationPlan } from '../plan.ts'

/** Where a home goes. */
export interface MoveTarget {
  /** As people name it after `--to`. */
  readonly name: string
  /** Where its plan, its settings and its institutions' keys are; of a home on this computer all that it has. */
  readonly folder: string
  /**
   * Makes what it is kept in, as far as that is not there.
   * @param taken addresses that it cannot have: a registry has one deployment at each
   * @returns the address that it has, or will have
   * @throws AmpereError ALREADY_EXISTS where a home of another registry is, PORT_IN_USE
   */
  readonly make: (registry: Digest, taken: ReadonlySet<string>) => Promise<string>
  /** Opens its stores and keys, to be filled; nobody else is served from them. */
  readonly open: (plan: MigrationPlan) => Promise<Platform>
  /** Has it answer, once it has all and its folder says so; whoever fills it can no more. Safe to repeat. */
  readonly serve: (plan: MigrationPlan, settings: Settings) => Promise<void>
  /** What lies there while a move is not done, and what is done about it. */
  readonly holds: string
  /** The command with which it goes on after the move. */
  readonly next: string
}
