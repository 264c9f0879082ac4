// SPDX-License-Identifier: Apache-2.0
import { Violation } from '../../sequencer-steps.ts'
import type { Cleaning } from './cleaning.ts'

/** What a process is seen to do beside its steps in the model. */
export interface Doing {
  /** Paths of tiles and bundles that it stored since its tree was committed. */
  readonly stored: Set<string>
  readonly cleaning: Cleaning
  /** Chains that had a young mark when it looked. */
  young: ReadonlySet<number>
  /** Blocks of the marks that it reads, while it reads them: all shards at once, or those in which they are said to be. */
  look: Set<string> | null
  /** Shards that it read in that look. */
  readonly shards: Set<string>
}

/** That of one sequencer. */
export function doingOf(all: readonly Doing[], actor: number): Doing {
  const doing = all[actor]
  if (!doing) throw new Violation('no such sequencer')
  return doing
}
